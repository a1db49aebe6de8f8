import { IdSet } from '../../../lib/attribution/id-set.ts'
import type { Attribution, Credit, IdRange } from '../../../lib/attribution/runs.ts'
import { rangesIn } from '../../../lib/yjs/update-ranges.ts'
import type { Decoded } from '../updates/check.ts'
import type { Deletions } from '../updates/deletion-watch.ts'
import type { RecentDeletions } from './recent-deletions.ts'

/** The operations that an accepted update holds and deletes. */
export interface Claim {
  /** The inserted operations that nobody had sent before; null: all of them. */
  inserts: readonly IdRange[] | null
  /** The operations that it deletes, also those that were deleted before. */
  deletes: readonly IdRange[]
  /** True if the sender may repeat deletions that it was told of, as in a SyncStep2. */
  isRepeating: boolean
}

/** The claim of an update against the clocks before it. */
export const claimOf = (
  { structs, ds }: Decoded,
  clocks: ReadonlyMap<number, number>,
  isRepeating = false,
): Claim => {
  const deletes: IdRange[] = []
  for (const [client, ranges] of ds.clients) {
    for (const { clock, len } of ranges) deletes.push({ client, clock, length: len })
  }
  const known = (client: number): number => clocks.get(client) ?? 0
  if (structs.every(({ id }) => id.clock >= known(id.client)))
    return { inserts: null, deletes, isRepeating }
  const inserts: IdRange[] = []
  for (const { id, length } of structs) {
    const [from, end] = [Math.max(id.clock, known(id.client)), id.clock + length]
    if (from >= end) continue
    const last = inserts.at(-1)
    if (last?.client === id.client && last.clock + last.length === from) last.length += end - from
    else inserts.push({ client: id.client, clock: from, length: end - from })
  }
  return { inserts, deletes, isRepeating }
}

/**
 * The credits of a turn's updates, in their order. `deleted`: the operations that the turn deleted, all of which were
 * there before; of two updates that delete the same one, the first gets it. The second has it in `again`, if its sender
 * cannot have known: an update of a change never deletes what its document lacks.
 */
export const creditsOf = (
  entries: readonly { update: Uint8Array; claim: Claim }[],
  deleted: Deletions,
  byOf: (index: number) => Attribution,
  recent: RecentDeletions,
): Credit[] => {
  const left = new IdSet(deleted.ranges)
  const words = wordsIn(deleted)
  return entries.map(({ update, claim }, i) => {
    const { inserts, deletes, isRepeating } = claim
    const by = byOf(i)
    if (inserts === null && deletes.length === 0) return by
    const first = takenOf(left, deletes)
    const isFirst = countOf(first) === countOf(deletes)
    const again = isFirst || isRepeating ? [] : recent.byOthers(by.by, deletes)
    recent.note(by.by, words === null ? first : takenOf(words, first))
    if (inserts === null && isFirst) return by
    const news = { inserts: inserts ?? rangesIn(update).inserts, deletes: first }
    return { ...by, news, ...(again.length > 0 && { again }) }
  })
}

/** Notes the texts that the server's own updates deleted. */
export const noteOwn = (
  recent: RecentDeletions,
  own: readonly { update: Uint8Array; credit: Attribution }[],
  deleted: Deletions,
): void => {
  if (deleted.texts.length === 0) return
  const words = wordsIn(deleted)
  for (const { update, credit } of own) {
    const { deletes } = rangesIn(update)
    recent.note(credit.by, words === null ? deletes : takenOf(words, deletes))
  }
}

/** The operations of deleted texts; null: nothing else was deleted. */
const wordsIn = ({ ranges, texts }: Deletions): IdSet | null => {
  const units = texts.reduce((sum, { text }) => sum + text.length, 0)
  if (units === countOf(ranges)) return null
  return new IdSet(texts.map(({ client, clock, text }) => ({ client, clock, length: text.length })))
}

const takenOf = (set: IdSet, ranges: readonly IdRange[]): IdRange[] =>
  set.left === 0 ? [] : ranges.flatMap((range) => set.take(range))

const countOf = (ranges: readonly IdRange[]): number =>
  ranges.reduce((sum, { length }) => sum + length, 0)
