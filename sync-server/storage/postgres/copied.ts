import type { Connection, Submittable } from 'pg'

/** A row of `kv` in an answer; `total`: rows that its page could have had (count). */
export interface CopiedRow {
  k: Buffer
  n: number
  pieces: number
  total: number
  v: Buffer
}

/** The first bytes of COPY's binary format; flags and the length of an extension follow. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8
/** k, n, pieces, total, the bytes of the value, and a slice of it. */
const FIELDS = 6
/** Instead of the count of fields, after the last row. */
const END = -1

/**
 * A statement `copy (…) to stdout (format binary)` of sql.copyRange or sql.copyKeys, for `client.query`. The driver reads all other
 * answers as text, in which bytes take twice the size. `callback` gets its rows, as the driver calls it for its own queries.
 */
export class Copied implements Submittable {
  /** The driver puts another one around it. */
  callback: (error: Error | null, rows: CopiedRow[]) => void
  readonly #text: string
  readonly #rows: CopiedRow[] = []
  /** Bytes of the last row's value that are missing yet. */
  #missing = 0
  #isBegun = false
  #isEnded = false
  #failed: Error | null = null

  constructor(text: string, callback: Copied['callback']) {
    this.#text = text
    this.callback = callback
  }

  submit(connection: Connection): void {
    connection.query(this.#text)
  }

  /** The server sends a message per row; the first one has the header, too. */
  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (this.#failed !== null) return
    try {
      this.#take(chunk)
    } catch (error) {
      this.#failed = error as Error
    }
  }

  #take(chunk: Buffer): void {
    let at = 0
    if (!this.#isBegun) {
      const isSigned = SIGNATURE.equals(chunk.subarray(0, SIGNATURE.length))
      if (!isSigned || chunk.readInt32BE(SIGNATURE.length) !== 0) throw malformed('its header')
      at = HEADER_BYTES + chunk.readInt32BE(SIGNATURE.length + 4)
      this.#isBegun = true
    }
    while (at < chunk.length) {
      if (this.#isEnded) throw malformed('bytes after its end')
      const fields = chunk.readInt16BE(at)
      at += 2
      if (fields === END) this.#isEnded = true
      else at = this.#takeRow(chunk, at, fields)
    }
  }

  #takeRow(chunk: Buffer, from: number, fields: number): number {
    if (fields !== FIELDS) throw malformed(`a row of ${fields} fields`)
    let at = from
    const bytes = (): Buffer => {
      const length = chunk.readInt32BE(at)
      const start = at + 4
      at = start + length
      if (length < 0 || at > chunk.length) throw malformed('a field')
      return chunk.subarray(start, at)
    }
    const number = (): number => bytes().readInt32BE()
    const k = bytes()
    const [n, pieces, total, size] = [number(), number(), number(), number()]
    const slice = bytes()
    if (this.#missing === 0) {
      // The chunk is the driver's, which writes into it again.
      this.#rows.push({ k: Buffer.from(k), n, pieces, total, v: Buffer.allocUnsafe(size) })
      this.#missing = size
    }
    const row = this.#rows.at(-1)!
    const isOfRow = row.n === n && row.v.length === size && row.k.equals(k)
    if (!isOfRow || slice.length > this.#missing) throw malformed('a slice')
    slice.copy(row.v, size - this.#missing)
    this.#missing -= slice.length
    return at
  }

  handleRowDescription(): void {}

  handleDataRow(): void {
    this.#failed ??= malformed('a row as text')
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.callback(error, [])
  }

  handleReadyForQuery(): void {
    const isWhole = this.#isEnded && this.#missing === 0
    this.callback(this.#failed ?? (isWhole ? null : malformed('its end')), this.#rows)
  }
}

const malformed = (what: string): Error =>
  new Error(`PostgreSQL sent an answer that is malformed: ${what}`)
