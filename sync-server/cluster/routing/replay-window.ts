/** Numbers below the highest one of their series that are still accepted (count): requests overtake each other. */
const WIDTH = 65_536

interface Series {
  highest: number
  /** One bit per number, at the number modulo WIDTH. */
  bits: Uint8Array
  /** The time of its newest number, in milliseconds. */
  at: number
}

/**
 * Tells numbers that were seen before, in memory that does not grow with them: 8 KiB per series, as in RFC 4303, 3.4.3.
 * Only numbers of authenticated series may get in.
 */
export class ReplayWindow {
  readonly #keptMs: number
  readonly #series = new Map<string, Series>()

  /** `keptMs`: a series without a new number for this long is forgotten; its messages must be too old by then. */
  constructor(keptMs: number) {
    this.#keptMs = keptMs
  }

  /** True for the first time that a number of a series is seen; false if it is too far behind to be known. */
  isNew(name: string, number: number, now: number): boolean {
    if (!Number.isSafeInteger(number) || number < 0) return false
    const series = this.#of(name, now)
    const { highest, bits } = series
    if (number <= highest - WIDTH) return false
    if (number > highest) {
      clear(bits, highest + 1, number)
      series.highest = number
    } else if (has(bits, number)) return false
    bits[(number % WIDTH) >> 3]! |= 1 << (number & 7)
    series.at = now
    return true
  }

  #of(name: string, now: number): Series {
    const known = this.#series.get(name)
    if (known !== undefined) return known
    for (const [other, { at }] of this.#series) {
      if (now - at > this.#keptMs) this.#series.delete(other)
    }
    const fresh = { highest: -1, bits: new Uint8Array(WIDTH / 8), at: now }
    this.#series.set(name, fresh)
    return fresh
  }
}

const has = (bits: Uint8Array, number: number): boolean =>
  (bits[(number % WIDTH) >> 3]! & (1 << (number & 7))) !== 0

/** Forgets the numbers whose bits the ones from `from` to `to` take over. */
const clear = (bits: Uint8Array, from: number, to: number): void => {
  if (to - from >= WIDTH) bits.fill(0)
  else {
    for (let number = from; number <= to; number++) {
      bits[(number % WIDTH) >> 3]! &= ~(1 << (number & 7))
    }
  }
}
