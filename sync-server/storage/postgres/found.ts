import type { Found, Range } from '../integrity/db.ts'
import type { Querying, Reader } from './reader.ts'
import * as sql from './statements.ts'

/** Rows of a page (count), and bytes after which it ends. */
const PAGE_ROWS = 1_000
const PAGE_BYTES = 8 * 2 ** 20
/** Above all keys: UTF-8 has no such byte. */
const END = Buffer.from([0xff])
const NOTHING = Buffer.alloc(0)

type Row = { k: Buffer; pieces: number; v: Buffer; total: number }
export type Entry = [key: string, sealed: Uint8Array]

const after = (key: string): Buffer => Buffer.from(`${key}\0`)

/** The range as bytes: the first key that is in it, and the first that is not any more. */
export const boundsOf = ({ gt, gte, lt, lte }: Range): { from: Buffer; to: Buffer } => ({
  from: gte !== undefined ? Buffer.from(gte) : gt !== undefined ? after(gt) : NOTHING,
  to: lt !== undefined ? Buffer.from(lt) : lte !== undefined ? after(lte) : END,
})

/** Joins the pieces of values. */
class Joining {
  #pieces: Buffer[] = []
  readonly #isReverse: boolean

  constructor(isReverse: boolean) {
    this.#isReverse = isReverse
  }

  /** The entry that this row completes; null: pieces are missing yet. */
  add({ k, pieces, v }: Row): Entry | null {
    if (pieces === 1) return [k.toString(), v]
    this.#pieces.push(v)
    if (this.#pieces.length < pieces) return null
    const all = this.#isReverse ? this.#pieces.reverse() : this.#pieces
    this.#pieces = []
    return [k.toString(), Buffer.concat(all)]
  }
}

const pages = async function* (
  at: Querying,
  schema: string,
  range: Range,
  bytes: number,
): AsyncGenerator<{ entries: Entry[]; isLast: boolean }> {
  const { reverse: isReverse = false, limit = Number.POSITIVE_INFINITY } = range
  const { from, to } = boundsOf(range)
  const text = isReverse ? sql.backward(schema) : sql.forward(schema)
  const name = `clawlink-${isReverse ? 'backward' : 'forward'}`
  const joining = new Joining(isReverse)
  let last = isReverse ? { k: to, n: 0 } : { k: from, n: -1 }
  const end = isReverse ? from : to
  for (let left = limit; left > 0; ) {
    const most = Math.min(PAGE_ROWS, left)
    const rows = await at.query<Row & { n: number }>({
      ...{ name, text, values: [last.k, last.n, end, most, bytes] },
    })
    const entries: Entry[] = []
    for (const row of rows) {
      const entry = joining.add(row)
      if (entry !== null) entries.push(entry)
      last = row
    }
    left -= entries.length
    const [first] = rows
    const isLast =
      left <= 0 || first === undefined || (rows.length === first.total && first.total < most)
    yield { entries, isLast }
    if (isLast) return
  }
}

/** The entries of a range, values as stored; `at` null: as of the moment at which reading them begins. */
export const entriesIn = <T>(
  reader: Reader,
  at: Querying | null,
  schema: string,
  range: Range,
  show: (entry: Entry) => T,
): Found<T> => {
  const walk = async function* (bytes: number): AsyncGenerator<T> {
    const snapshot = at === null ? reader.snapshot() : null
    try {
      for await (const { entries } of pages(snapshot ?? at!, schema, range, bytes)) {
        for (const entry of entries) yield show(entry)
      }
    } finally {
      await snapshot?.close()
    }
  }
  return {
    [Symbol.asyncIterator]: () => walk(PAGE_BYTES),
    all: async () => {
      // One statement sees one moment, and most ranges are read by one.
      for await (const { entries, isLast } of pages(at ?? reader, schema, range, PAGE_BYTES)) {
        if (isLast) return entries.map(show)
        break
      }
      const all: T[] = []
      for await (const one of walk(PAGE_BYTES)) all.push(one)
      return all
    },
  }
}

/** The keys of a range. */
export const keysIn = (at: Querying, schema: string, range: Range): Found<string> => {
  const { reverse: isReverse = false, limit } = range
  const { from, to } = boundsOf(range)
  const all = async (): Promise<string[]> => {
    const rows = await at.query<{ k: Buffer }>({
      name: `clawlink-keys-${isReverse ? 'backward' : 'forward'}`,
      text: sql.keys(schema, isReverse),
      values: [from, to, Number.isFinite(limit) ? limit : null],
    })
    return rows.map(({ k }) => k.toString())
  }
  return {
    all,
    [Symbol.asyncIterator]: async function* () {
      yield* await all()
    },
  }
}
