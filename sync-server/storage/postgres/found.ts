import { Corruption } from '../integrity/corruption.ts'
import type { Found, Range } from '../integrity/db.ts'
import type { CopiedRow } from './copied.ts'
import type { Querying, Reader } from './reader.ts'
import * as sql from './statements.ts'

/** Rows of a page (count), and bytes after which it ends: the first one is short, as most ranges are, and COPY reads the others. */
const PAGE_ROWS = 1_000
const FIRST_BYTES = sql.LARGE_BYTES
const PAGE_BYTES = 8 * 2 ** 20
/** Above all keys: UTF-8 has no such byte. */
const END = Buffer.from([0xff])
const NOTHING = Buffer.alloc(0)

/** `v` null: it is large, and read in another way. */
type Row = Omit<CopiedRow, 'v'> & { v: Buffer | null }
export type Entry = [key: string, sealed: Uint8Array]

const after = (key: string): Buffer => Buffer.from(`${key}\0`)

/** The range as bytes: the first key that is in it, and the first that is not any more. */
export const boundsOf = ({ gt, gte, lt, lte }: Range): { from: Buffer; to: Buffer } => ({
  from: gte !== undefined ? Buffer.from(gte) : gt !== undefined ? after(gt) : NOTHING,
  to: lt !== undefined ? Buffer.from(lt) : lte !== undefined ? after(lte) : END,
})

/** Joins the pieces of values. */
class Joining {
  #pieces: CopiedRow[] = []
  readonly #isReverse: boolean

  constructor(isReverse: boolean) {
    this.#isReverse = isReverse
  }

  /** The entry that this row completes; null: pieces are to come. Throws Corruption where one is missing. */
  add(row: CopiedRow): Entry | null {
    const { k, n, pieces: count, v } = row
    const before = this.#pieces.length
    const [first = row] = this.#pieces
    const place = this.#isReverse ? count - 1 - before : before
    if (n !== place || count !== first.pieces || !k.equals(first.k)) throw incomplete()
    if (count === 1) return [k.toString(), v]
    this.#pieces.push(row)
    if (before + 1 < count) return null
    const all = this.#isReverse ? this.#pieces.reverse() : this.#pieces
    this.#pieces = []
    return [k.toString(), Buffer.concat(all.map(({ v }) => v))]
  }

  /** Throws Corruption if pieces of the last value are missing. */
  end(): void {
    if (this.#pieces.length > 0) throw incomplete()
  }
}

const incomplete = (): Corruption => new Corruption('a record', 'a piece of it is missing')

/** `isLong`: the first page is as large as the others. */
const pages = async function* (
  at: Querying,
  schema: string,
  range: Range,
  isLong = false,
): AsyncGenerator<{ entries: Entry[]; isLast: boolean }> {
  const { reverse: isReverse = false, limit = Number.POSITIVE_INFINITY } = range
  const { from, to } = boundsOf(range)
  const name = `clawlink-${isReverse ? 'backward' : 'forward'}`
  const joining = new Joining(isReverse)
  let last = isReverse ? { k: to, n: 0 } : { k: from, n: -1 }
  const end = isReverse ? from : to
  let isFirst = !isLong
  for (let left = limit; left > 0; isFirst = false) {
    const most = Math.min(PAGE_ROWS, left)
    const rows: Row[] = isFirst
      ? await at.query<Row>({
          ...{ name, text: sql.range(schema, isReverse) },
          values: [last.k, last.n, end, most, FIRST_BYTES],
        })
      : await at.copied(sql.copyRange(schema, isReverse, last, end, most, PAGE_BYTES))
    const entries: Entry[] = []
    let isWhole = true
    for (const { v, ...row } of rows) {
      isWhole = v !== null
      if (v === null) break
      const entry = joining.add({ ...row, v })
      if (entry !== null) entries.push(entry)
      last = row
    }
    left -= entries.length
    const [first] = rows
    const isAll = first === undefined || (rows.length === first.total && first.total < most)
    const isLast = left <= 0 || (isWhole && isAll)
    if (isLast) joining.end()
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
  const walk = async function* (): AsyncGenerator<T> {
    const snapshot = at === null ? reader.snapshot() : null
    try {
      for await (const { entries } of pages(snapshot ?? at!, schema, range)) {
        for (const entry of entries) yield show(entry)
      }
    } finally {
      await snapshot?.close()
    }
  }
  const all = async (): Promise<T[]> => {
    // One statement sees one moment, and most ranges are read by one.
    for (const isLong of at === null ? [false, true] : []) {
      for await (const { entries, isLast } of pages(reader, schema, range, isLong)) {
        if (isLast) return entries.map(show)
        break
      }
    }
    const found: T[] = []
    for await (const one of walk()) found.push(one)
    return found
  }
  return { [Symbol.asyncIterator]: walk, all }
}

/** The values of keys as stored, by their keys. Throws Corruption where a piece is missing. */
export const valuesOf = async (
  at: Querying,
  schema: string,
  keys: readonly string[],
): Promise<Map<string, Buffer>> => {
  const found = new Map<string, Buffer>()
  const values = [keys.map((key) => Buffer.from(key))]
  const query = { name: 'clawlink-get', text: sql.get(schema), values }
  const small = await at.query<Pick<Row, 'k' | 'pieces' | 'v'>>(query)
  const large = new Map<string, Buffer>()
  for (const { k, v } of small) if (v === null) large.set(k.toString(), k)
  const copied = large.size === 0 ? [] : await at.copied(sql.copyKeys(schema, [...large.values()]))
  const rows = [...small.filter(({ k }) => !large.has(k.toString())), ...copied]
  const pieces = new Map<string, { count: number; values: Buffer[] }>()
  for (const { k, pieces: count, v } of rows) {
    const key = k.toString()
    const of = pieces.get(key) ?? { count, values: [] }
    pieces.set(key, of)
    of.values.push(v!)
  }
  for (const [key, { count, values }] of pieces) {
    if (values.length !== count) throw incomplete()
    found.set(key, values.length === 1 ? values[0]! : Buffer.concat(values))
  }
  return found
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
