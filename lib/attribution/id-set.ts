import type { IdRange } from './runs.ts'

interface Span {
  from: number
  end: number
}

/** Operations by Yjs client id and clock; they can only be taken out. */
export class IdSet {
  readonly #spans = new Map<number, Span[]>()
  #left = 0

  /** `ranges` do not overlap. */
  constructor(ranges: readonly IdRange[]) {
    for (const { client, clock, length } of ranges) {
      const span = { from: clock, end: clock + length }
      const spans = this.#spans.get(client)
      if (spans === undefined) this.#spans.set(client, [span])
      else spans.push(span)
      this.#left += length
    }
    for (const spans of this.#spans.values()) spans.sort((a, b) => a.from - b.from)
  }

  /** Operations that are left (count). */
  get left(): number {
    return this.#left
  }

  /** Takes out the operations of a range; returns those that were there. */
  take({ client, clock, length }: IdRange): IdRange[] {
    const spans = this.#spans.get(client)
    if (spans === undefined) return []
    const taken: IdRange[] = []
    const end = clock + length
    for (let i = firstAfter(spans, clock); i < spans.length && spans[i]!.from < end; i++) {
      const span = spans[i]!
      const [low, high] = [Math.max(span.from, clock), Math.min(span.end, end)]
      if (low >= high) continue
      taken.push({ client, clock: low, length: high - low })
      this.#left -= high - low
      // An empty span stays, so that taking many does not move the rest each time.
      if (low > span.from && high < span.end) {
        spans.splice(i + 1, 0, { from: high, end: span.end })
        span.end = low
      } else if (low > span.from) span.end = low
      else span.from = high
    }
    return taken
  }
}

/** Index of the first span that ends after `clock`. */
const firstAfter = (spans: readonly Span[], clock: number): number => {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (spans[middle]!.end <= clock) low = middle + 1
    else high = middle
  }
  return low
}
