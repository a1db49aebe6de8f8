import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

/**
 * The names of a workspace's log (agents, tasks, roots), each stored once and then written as its number. 0 is nobody;
 * a name whose entry is lost reads as `UNKNOWN`.
 */
export class NameTable {
  readonly #names: (string | undefined)[] = [undefined]
  readonly #numbers = new Map<string, number>()

  /** The next number to give (count, with nobody). */
  get size(): number {
    return this.#names.length
  }

  /** The number of a name, which gets the next one if it has none. */
  numberOf(name: string | null): number {
    if (name === null) return 0
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#names.length
    this.set(number, name)
    return number
  }

  set(number: number, name: string): void {
    this.#names[number] = name
    this.#numbers.set(name, number)
  }

  nameOf(number: number): string | null {
    return number === 0 ? null : (this.#names[number] ?? UNKNOWN)
  }

  /** The names from a number on. */
  from(number: number): string[] {
    if (number >= this.#names.length) return []
    return Array.from(this.#names.slice(number), (name) => name ?? UNKNOWN)
  }

  /** Gives no number below `size` to a new name: a lost one may have it. */
  reserve(size: number): void {
    while (this.#names.length < size) this.#names.push(undefined)
  }
}

/** Stands for a name whose entry is damaged; no agent and no task has it. */
export const UNKNOWN = '?'

/** Writes names with the number of the first. */
export const writeNames = (to: encoding.Encoder, first: number, names: readonly string[]): void => {
  encoding.writeVarUint(to, names.length)
  if (names.length === 0) return
  encoding.writeVarUint(to, first)
  for (const name of names) encoding.writeVarString(to, name)
}

/** Reads what `writeNames` wrote into a table. */
export const readNames = (from: decoding.Decoder, table: NameTable): void => {
  const count = decoding.readVarUint(from)
  if (count === 0) return
  const first = decoding.readVarUint(from)
  for (let i = 0; i < count; i++) table.set(first + i, decoding.readVarString(from))
}
