import { IdSet } from '../../../lib/attribution/id-set.ts'
import type { Attribution, Credit, IdRange } from '../../../lib/attribution/runs.ts'
import { rangesIn } from '../../../lib/yjs/update-ranges.ts'
import type { Decoded } from '../updates/check.ts'

/** The operations that an accepted update holds and deletes. */
export interface Claim {
  /** The inserted operations that nobody had sent before; null: all of them. */
  inserts: readonly IdRange[] | null
  /** The operations that it deletes, also those that were deleted before. */
  deletes: readonly IdRange[]
}

/** The claim of an update against the clocks before it. */
export const claimOf = ({ structs, ds }: Decoded, clocks: ReadonlyMap<number, number>): Claim => {
  const deletes: IdRange[] = []
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) deletes.push({ client, clock, length: len })
  }
  const known = (client: number): number => clocks.get(client) ?? 0
  if (structs.every(({ id }) => id.clock >= known(id.client))) return { inserts: null, deletes }
  const inserts: IdRange[] = []
  for (const { id, length } of structs) {
    const [from, end] = [Math.max(id.clock, known(id.client)), id.clock + length]
    if (from >= end) continue
    const last = inserts.at(-1)
    if (last?.client === id.client && last.clock + last.length === from) last.length += end - from
    else inserts.push({ client: id.client, clock: from, length: end - from })
  }
  return { inserts, deletes }
}

/**
 * The credits of a turn's updates, in their order. `deleted`: the operations that the turn deleted, all of which were
 * there before; of two updates that delete the same one, the first gets it.
 */
export const creditsOf = (
  entries: readonly { update: Uint8Array; claim: Claim }[],
  deleted: readonly IdRange[],
  byOf: (index: number) => Attribution,
): Credit[] => {
  const left = new IdSet(deleted)
  return entries.map(({ update, claim }, i) => {
    const { inserts, deletes } = claim
    const by = byOf(i)
    if (inserts === null && deletes.length === 0) return by
    const first = deletes.flatMap((range) => left.take(range))
    if (inserts === null && countOf(first) === countOf(deletes)) return by
    return { ...by, news: { inserts: inserts ?? rangesIn(update).inserts, deletes: first } }
  })
}

const countOf = (ranges: readonly IdRange[]): number =>
  ranges.reduce((sum, { length }) => sum + length, 0)
