import * as encoding from 'lib0/encoding'
import { logAt } from './sync-server/log-at.ts'

/** Kinds of content by Yjs' number for them (V1 encoding). */
const KINDS = { json: 2, embed: 5, mark: 6, any: 8 }

/** JSON that is read at any depth, and written by nobody from about 4,500 levels on. */
export const deepJson = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/**
 * An update of one operation at the start of a root: a value so deep that Yjs reads it, and cannot write it again. `any`: too
 * deep to be read.
 */
export const poison = (
  kind: keyof typeof KINDS,
  { client = 77_777, clock = 0, root = 'file:notes.md', depth = 6_000 } = {},
): Uint8Array =>
  encoding.encode((to) => {
    for (const number of [1, 1, client, clock]) encoding.writeVarUint(to, number)
    encoding.writeUint8(to, KINDS[kind])
    encoding.writeVarUint(to, 1)
    encoding.writeVarString(to, root)
    if (kind === 'mark') encoding.writeVarString(to, 'bold')
    if (kind === 'json' || kind === 'any') encoding.writeVarUint(to, 1)
    if (kind === 'any') {
      // Arrays of one array each, and a null.
      for (let i = 0; i < depth; i++) encoding.writeUint8Array(to, new Uint8Array([117, 1]))
      encoding.writeUint8(to, 126)
    } else encoding.writeVarString(to, deepJson(depth))
    encoding.writeVarUint(to, 0)
  })

/** Puts updates into the data of a server that does not run, past all that looks at what comes in. */
export const putIn = async (
  data: string,
  workspace: string,
  updates: readonly Uint8Array[],
  owned: { client: number; owner: string }[] = [],
): Promise<void> => {
  const log = await logAt(data)
  for (const update of updates) await log.append(workspace, [update], [], owned)
  await log.close()
}
