import { Level } from 'level'
import * as Y from 'yjs'

/** Updates of one document above which a load writes them back as one. */
const TRIM_FROM = 500

const PADDED = 10
const keyOf = (name: string, position: number) =>
  `${name}!${String(position).padStart(PADDED, '0')}`

/**
 * y-leveldb's design: one record an update, never fsync'd; one operation at a time, and each write first reads
 * the newest key to learn the next one.
 */
export class UpdateStore {
  readonly #db: Level<string, Uint8Array>
  #last: Promise<unknown> = Promise.resolve()

  constructor(location: string) {
    this.#db = new Level(location, { valueEncoding: 'view' })
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(operation)
    this.#last = turn.catch(() => {})
    return turn
  }

  async #append(name: string, update: Uint8Array): Promise<number> {
    const newest = await this.#db
      .keys({ gte: keyOf(name, 0), lt: `${name}~`, reverse: true, limit: 1 })
      .next()
    const position = newest ? Number(newest.slice(-PADDED)) + 1 : 0
    await this.#db.put(keyOf(name, position), update)
    return position
  }

  append(name: string, update: Uint8Array): Promise<number> {
    return this.#inTurn(() => this.#append(name, update))
  }

  /** The stored document; more than `TRIM_FROM` updates are replaced by one. */
  load(name: string): Promise<Y.Doc> {
    return this.#inTurn(async () => {
      const updates = await this.#db.values({ gte: keyOf(name, 0), lt: `${name}~` }).all()
      const doc = new Y.Doc()
      doc.transact(() => {
        for (const update of updates) Y.applyUpdate(doc, update)
      })
      if (updates.length > TRIM_FROM) {
        const position = await this.#append(name, Y.encodeStateAsUpdate(doc))
        await this.#db.clear({ gte: keyOf(name, 0), lt: keyOf(name, position) })
      }
      return doc
    })
  }

  close(): Promise<void> {
    return this.#inTurn(() => this.#db.close())
  }
}
