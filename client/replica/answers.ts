import { type Database, entry, nextOf, putJson, range, readJson, type Write } from './stored.ts'

/**
 * The origin of an idempotency key: the caller, who may repeat the command next week, or the
 * command itself.
 */
export type KeyKind = 'given' | 'own'

/**
 * The number of answers kept, and for how long. A command's own key lives while it runs, across a
 * restart of its link.
 */
const KEPT = {
  given: { prefix: 'ag:', count: 10_000, ms: 7 * 24 * 60 * 60_000 },
  own: { prefix: 'ao:', count: 256, ms: 24 * 60 * 60_000 },
} as const
/**
 * Removing old answers costs a read: it happens after this many new ones, and removes at most four
 * times as many.
 */
const LOOK_EVERY = 16

interface Age {
  key: string
  at: number
}

interface Queue {
  first: number
  next: number
}

/**
 * The ages of the answers that a replica keeps under idempotency keys (`k:`): a numbered entry for each, by kind.
 * The oldest answers go, entry and all, in the same batch in which new ones come.
 */
export class AnswerAges {
  readonly #db: Database
  readonly #queues = new Map<KeyKind, Queue>()

  constructor(db: Database) {
    this.#db = db
  }

  /** The writes that go with new answers; `now` in milliseconds since the epoch. Not reentrant. */
  async writes(added: ReadonlyMap<string, KeyKind>, now: number): Promise<Write[]> {
    const writes: Write[] = []
    for (const [key, kind] of added) {
      const queue = await this.#queue(kind)
      writes.push(putJson(entry(KEPT[kind].prefix, queue.next++), { key, at: now } satisfies Age))
      if (queue.next % LOOK_EVERY === 0) writes.push(...(await this.#old(kind, queue, now)))
    }
    return writes
  }

  async #queue(kind: KeyKind): Promise<Queue> {
    const known = this.#queues.get(kind)
    if (known !== undefined) return known
    const { prefix } = KEPT[kind]
    const next = await nextOf(this.#db, prefix)
    const [oldest] = await this.#db.keys({ ...range(prefix), limit: 1 }).all()
    const first = oldest === undefined ? next : Number(oldest.slice(prefix.length))
    const queue = { first, next }
    this.#queues.set(kind, queue)
    return queue
  }

  async #old(kind: KeyKind, queue: Queue, now: number): Promise<Write[]> {
    const { prefix, count, ms } = KEPT[kind]
    const gone: Write[] = []
    const oldest = await this.#db
      .iterator({ gte: entry(prefix, queue.first), lt: range(prefix).lt, limit: 4 * LOOK_EVERY })
      .all()
    for (const [name, value] of oldest) {
      const { key, at } = readJson<Age>(value)!
      if (queue.first >= queue.next - count && at >= now - ms) break
      gone.push({ type: 'del', key: name }, { type: 'del', key: `k:${key}` })
      queue.first++
    }
    return gone
  }
}
