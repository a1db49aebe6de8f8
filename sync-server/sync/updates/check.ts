import * as Y from 'yjs'
import { CLOSE, MAX_CLOCK, WireError } from '../../../protocol/frames.ts'

/** Yjs client id → number of its operations known. */
export type Clocks = Map<number, number>

export type Verdict =
  /** It adds no operation beyond the clocks, and deletes nothing. */
  | 'empty'
  /** All operations it depends on are known, so it can be applied completely. */
  | 'ready'
  /** It depends on unknown operations. */
  | 'gap'

export type Decoded = ReturnType<typeof Y.decodeUpdate>

/**
 * Checks an applicable update against the known clocks. Throws if the update is forbidden; returns
 * false if it has no effect.
 */
export type Admit = (decoded: Decoded, clocks: ReadonlyMap<number, number>) => boolean

/** True if the update has operations beyond the clocks. */
export const hasNews = ({ structs }: Decoded, clocks: ReadonlyMap<number, number>): boolean =>
  structs.some(({ id, length }) => id.clock + length > (clocks.get(id.client) ?? 0))

/**
 * Checks an update against a document's clocks before it is applied, and advances the clocks if it is `ready`. Throws
 * on bytes that are not a Yjs update in V1 encoding.
 *
 * A document never gets an update with a gap: Yjs would keep it as pending and merge every later one into it,
 * which is quadratic (100 KB of them stall a server for seconds).
 */
export const checkUpdate = (update: Uint8Array, clocks: Clocks, admit?: Admit): Verdict => {
  const decoded = Y.decodeUpdate(update)
  const { structs, ds } = decoded
  if (structs.length === 0 && ds.clients.size === 0) return 'empty'
  const after: Clocks = new Map()
  const known = (client: number): number => after.get(client) ?? clocks.get(client) ?? 0
  const ends: Clocks = new Map()

  for (const struct of structs) {
    const { client, clock } = struct.id
    // Yjs takes the last of several lists of a client; other implementations may take another.
    if ((ends.get(client) ?? clock) !== clock) throw new Error('a client has operations twice')
    ends.set(client, clock + struct.length)
    if (clock + struct.length > MAX_CLOCK)
      throw new WireError(CLOSE.invalid, 'a clock is out of range')
    if (clock > known(client) || struct instanceof Y.Skip) return 'gap'
    if (clock + struct.length > known(client)) after.set(client, clock + struct.length)
  }
  if (after.size === 0 && ds.clients.size === 0) return 'empty'
  const has = (id: Y.ID | null): boolean => id === null || id.clock < known(id.client)
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue
    const parent = struct.parent instanceof Y.ID ? struct.parent : null
    if (!has(struct.origin) || !has(struct.rightOrigin) || !has(parent)) return 'gap'
  }
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) if (clock + len > known(client)) return 'gap'
  }
  if (admit !== undefined && !admit(decoded, clocks)) return 'empty'
  for (const [client, clock] of after) clocks.set(client, clock)
  return 'ready'
}
