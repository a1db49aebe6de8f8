import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { versionOf } from '../../workspace/files/edit-counts.ts'
import { type FileContent, type FileInfo, readFile } from '../../workspace/files/file-info.ts'
import { findLeaf, getFile } from '../../workspace/files/tree.ts'
import { readContent } from '../history/versions/read.ts'
import { readAbout } from '../history/versions/record.ts'
import { requestBudget } from '../limits/fair-scheduler.ts'
import { timed } from '../limits/timed.ts'
import type { Room } from '../sync/room.ts'
import type { ActionContext } from './context.ts'
import type { AgentsEnv } from './env.ts'
import type { HttpAgent } from './http-agent.ts'
import { type Base, type Handed, KeySpace, put as stored } from './records.ts'

/** Versions of one file kept as read by a token (count): the oldest, and the newest ones. */
const MAX_HANDED = 8

/**
 * Reads a file, and remembers its version as the base of the HTTP agent's next put. Throws `unknown_file`, `not_text`.
 */
export const readShared = (httpAgent: HttpAgent, key: string): Promise<FileContent> =>
  httpAgent.turn(() =>
    httpAgent.change(({ doc, drawer, ops }) => {
      const file = readFile(doc, key)
      ops.push(stored(drawer.base(file.file_key), { ...baseOf(doc, file), at: httpAgent.now() }))
      return file
    }),
  )

/** The same for a token that does not say which of its agents reads: the version may be the base of any of them. */
export const readByToken = (
  env: AgentsEnv,
  room: Room,
  token: string,
  key: string,
): Promise<FileContent> => {
  const { turn, drawer } = env.httpAgents.httpAgent(room, holderOf(token))
  return turn(async () => {
    const known = await handedTo(env, drawer, key.normalize('NFC'))
    return room.command((doc, _archive, keep) => {
      const file = readFile(doc, key)
      const { fileId, version } = baseOf(doc, file)
      const before = known?.fileId === fileId ? known.versions : []
      if (before.includes(version)) return file
      const [oldest = version, ...later] = before
      const versions = [...new Set([oldest, ...later.slice(2 - MAX_HANDED), version])]
      keep(stored(drawer.base(file.file_key), { fileId, versions }))
      return file
    })
  })
}

/** A token where an agent is expected: no agent has such an id. */
const holderOf = (token: string): AgentId => `@${token}` as AgentId

const handedTo = async (env: AgentsEnv, drawer: KeySpace, path: string): Promise<Handed | null> => {
  const known = (await env.updateLog.facts.get(drawer.base(path))) as Handed | Base | null
  if (known === null || 'versions' in known) return known
  return { fileId: known.fileId, versions: [known.version] } // as it was stored before
}

export const baseOf = (doc: Y.Doc, { file_key, version }: FileInfo): Base => ({
  fileId: getFile(doc, file_key).entry.fileId,
  version,
})

/**
 * The text of a version, or of the newest kept one before it where it came together with others: an older base merges right.
 * Null: none is kept.
 */
export const baseText = async (env: AgentsEnv, room: Room, base: Base): Promise<string | null> => {
  if (base.content !== undefined) return base.content
  await env.history.settled(room.name)
  const { versions: log } = env.updateLog
  const [kept] = await log.abouts(room.name, base.fileId, base.version, 1, 1)
  if (kept === undefined) return null
  const { base: whole } = readAbout(kept.about)
  return readContent(log, room.name, base.fileId, whole, kept.version)
}

/** A version, with its text. */
export interface Held {
  base: Base
  text: string
}

/**
 * The text that the writer of `content` started from: the version that it names, else the version
 * that it put or read last, or one that its token read since without an agent id; of these the one
 * closest to `content`. Null: no such version is kept.
 */
export const heldBy = async (
  { env, httpAgent }: ActionContext,
  token: string | null,
  {
    key,
    content,
    base_version,
  }: { key: string; content: string; base_version?: number | undefined },
): Promise<Held | null> => {
  const { room } = httpAgent
  const leaf = findLeaf(room.doc, key)
  if (leaf === null) return null
  const { fileId } = leaf.entry
  const held = async (base: Base): Promise<Held[]> => {
    const text = await baseText(env, room, base)
    return text === null ? [] : [{ base, text }]
  }
  if (base_version !== undefined) {
    if (base_version > versionOf(room.doc, fileId)) return null
    return (await held({ fileId, version: base_version }))[0] ?? null
  }
  const known = await httpAgent.base(leaf.key)
  const own = known?.fileId === fileId ? known : null
  const found = own === null ? [] : await held(own)
  const handed =
    token === null ? null : await handedTo(env, new KeySpace(room.name, holderOf(token)), leaf.key)
  for (const version of handed?.fileId === fileId ? handed.versions : []) {
    // Versions read before the agent's own base are no candidates.
    if (own !== null && version < (own.result ?? own.version + 1)) continue
    found.push(...(await held({ fileId, version })))
    await requestBudget.next()
  }
  const likely = timed((ms) => httpAgent.spent(ms), likelyBase)
  return found.length < 2
    ? (found[0] ?? null)
    : found[
        likely(
          content,
          found.map(({ text }) => text),
        )
      ]!
}

/** A line of fewer characters, like `}`, stands in many texts: that it is in two of them says nothing. */
const TELLING_CHARACTERS = 3

const linesOf = (text: string): Map<string, number> => {
  const found = new Map<string, number>()
  for (const line of text.split('\n')) found.set(line, (found.get(line) ?? 0) + 1)
  return found
}

/** Telling lines of one text that the other lacks (count). */
const surplus = (of: Map<string, number>, over: Map<string, number>): number => {
  let sum = 0
  for (const [line, count] of of) {
    if (line.trim().length < TELLING_CHARACTERS) continue
    sum += Math.max(0, count - (over.get(line) ?? 0))
  }
  return sum
}

/**
 * Index of the text (oldest first) that `content` most likely started from: the one with the fewest
 * added lines, then the fewest removed lines, then the newest. A text equal to `content` counts
 * only if it is the newest: an older one means that the writer reverts later changes.
 */
const likelyBase = (content: string, texts: readonly string[]): number => {
  const newest = texts.length - 1
  if (texts[newest] === content) return newest
  const lines = linesOf(content)
  let best = newest
  let least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as const
  for (let i = newest; i >= 0; i--) {
    const text = texts[i]!
    if (text === content) continue
    const of = linesOf(text)
    const cost = [surplus(lines, of), surplus(of, lines)] as const
    if (cost[0] > least[0] || (cost[0] === least[0] && cost[1] >= least[1])) continue
    best = i
    least = cost
  }
  return best
}
