import * as Y from 'yjs'

/** Yjs client id → number of its operations known. */
export type Clocks = Map<number, number>

export type Verdict =
  /** Changes nothing that the clocks can tell, and deletes nothing. */
  | 'empty'
  /** Every operation it depends on is known: it can be applied completely. */
  | 'ready'
  /** It depends on operations that are not there yet. */
  | 'gap'

/**
 * Says whether an update can be applied completely to a document with these clocks, before it touches one, and
 * advances the clocks if so. Throws on bytes that are not a Yjs update in V1 encoding.
 *
 * A document never gets an update with a gap: Yjs would keep it as pending and merge every later one into it,
 * which is quadratic (100 KB of them stall a server for seconds).
 */
export const checkUpdate = (update: Uint8Array, clocks: Clocks): Verdict => {
  const { structs, ds } = Y.decodeUpdate(update)
  if (structs.length === 0 && ds.clients.size === 0) return 'empty'
  const after: Clocks = new Map()
  const known = (client: number): number => after.get(client) ?? clocks.get(client) ?? 0

  for (const struct of structs) {
    const { client, clock } = struct.id
    if (clock > known(client) || struct instanceof Y.Skip) return 'gap'
    if (clock + struct.length > known(client)) after.set(client, clock + struct.length)
  }
  const has = (id: Y.ID | null): boolean => id === null || id.clock < known(id.client)
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue
    const parent = struct.parent instanceof Y.ID ? struct.parent : null
    if (!has(struct.origin) || !has(struct.rightOrigin) || !has(parent)) return 'gap'
  }
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) if (clock + len > known(client)) return 'gap'
  }
  for (const [client, clock] of after) clocks.set(client, clock)
  return 'ready'
}
