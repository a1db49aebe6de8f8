import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { LazyMap } from '../lazy.ts'

/**
 * The names of a workspace's log (agents, tasks, roots), each stored once and then written as its number. 0 is nobody;
 * a name whose entry is lost reads as `UNKNOWN`.
 */
export class NameTable {
  readonly #names = new LazyMap<number, string>()
  #size = 1
  readonly #numbers = new LazyMap<string, number>()

  /** The next number to give (count, with nobody). */
  get size(): number {
    return this.#size
  }

  /** The number of a name, which gets the next one if it has none. */
  numberOf(name: string | null): number {
    if (name === null) return 0
    const known = this.#numbers.get(name)
    if (known !== undefined) return known
    const number = this.#size
    this.set(number, name)
    return number
  }

  /** Throws where no table can have this number next. */
  set(number: number, name: string): void {
    if (number < 1) throw new Error('0 is nobody')
    this.#checkStep(number)
    this.#names.set(number, name)
    this.#numbers.set(name, number)
    this.#size = Math.max(this.#size, number + 1)
  }

  nameOf(number: number): string | null {
    return number === 0 ? null : (this.#names.get(number) ?? UNKNOWN)
  }

  /** The names from a number on. */
  from(number: number): string[] {
    const names: string[] = []
    for (let i = number; i < this.#size; i++) names.push(this.#names.get(i) ?? UNKNOWN)
    return names
  }

  /** Gives no number below `size` to a new name: a lost one may have it. Throws where `size` cannot be. */
  reserve(size: number): void {
    this.#checkStep(size)
    this.#size = Math.max(this.#size, size)
  }

  /** Throws where names before `number` cannot all be lost: the entry that has it is damaged. */
  #checkStep(number: number): void {
    if (number - this.#size > MOST_LOST) throw new Error('the number of a name is out of range')
  }
}

/** Names that can be lost together (count): more than one damaged entry has. */
const MOST_LOST = 65_536

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
