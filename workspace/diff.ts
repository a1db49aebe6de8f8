/** `a[a0..a1)` became `b[b0..b1)`; either range may be empty, never both. */
export interface Hunk {
  a0: number
  a1: number
  b0: number
  b1: number
}

/**
 * Bounds the work of one diff to about this many token comparisons, some 0.3 s. Steps and not a clock, so that the
 * same texts give the same diff on a busy machine.
 */
const MAX_STEPS = 50_000_000

/** A search that is given up after fewer edits than this would miss ordinary changes. */
const LEAST_EDITS = 64

/**
 * What changed from `a` to `b`: hunks in order, with at least one kept token between any two. Shortest for all but
 * very large changes, where it is coarser, but right.
 *
 * Myers' O(ND) algorithm in linear space, searching from both ends (as in "An O(ND) Difference Algorithm and Its
 * Variations", 1986). A search that reaches `maxEdits` splits the box where it got farthest, as GNU diff does.
 * `among`: how many tokens the caller diffs in all, where this is one diff of many.
 */
export const diffTokens = (
  a: readonly string[],
  b: readonly string[],
  among = a.length + b.length,
): Hunk[] => {
  const ids = new Map<string, number>()
  const intern = (token: string): number => {
    const known = ids.get(token)
    if (known !== undefined) return known
    ids.set(token, ids.size)
    return ids.size - 1
  }
  const x = Int32Array.from(a, intern)
  const y = Int32Array.from(b, intern)
  const removed = new Uint8Array(x.length)
  const inserted = new Uint8Array(y.length)

  const maxEdits = Math.max(LEAST_EDITS, Math.floor(MAX_STEPS / among))
  const diagonals = x.length + y.length + 3
  const ahead = new Int32Array(diagonals)
  const back = new Int32Array(diagonals)
  const boxes: Hunk[] = [{ a0: 0, a1: x.length, b0: 0, b1: y.length }]
  for (let box = boxes.pop(); box !== undefined; box = boxes.pop()) {
    let { a0, a1, b0, b1 } = box
    while (a0 < a1 && b0 < b1 && x[a0] === y[b0]) a0++, b0++
    while (a0 < a1 && b0 < b1 && x[a1 - 1] === y[b1 - 1]) a1--, b1--
    if (a0 === a1) inserted.fill(1, b0, b1)
    else if (b0 === b1) removed.fill(1, a0, a1)
    else {
      const [a, b] = split(x, y, { a0, a1, b0, b1 }, ahead, back, maxEdits)
      boxes.push({ a0, a1: a, b0, b1: b }, { a0: a, a1, b0: b, b1 })
    }
  }
  return slideDown(x, y, hunksOf(removed, inserted))
}

/** A point that a shortest way through the box goes through; only a good one after `maxEdits`. */
const split = (
  x: Int32Array,
  y: Int32Array,
  { a0, a1, b0, b1 }: Hunk,
  ahead: Int32Array,
  back: Int32Array,
  maxEdits: number,
): [number, number] => {
  // Diagonal d holds the points with i - j = d; arrays are indexed d + zero. `ahead[d]` is the farthest i reached
  // from the start of the box, `back[d]` the nearest reached from its end.
  const zero = y.length + 1
  const lowest = a0 - b1
  const highest = a1 - b0
  const start = a0 - b0
  const end = a1 - b1
  const odd = ((start - end) & 1) !== 0
  let aLow = start
  let aHigh = start
  let bLow = end
  let bHigh = end
  ahead[start + zero] = a0
  back[end + zero] = a1

  for (let edits = 1; ; edits++) {
    if (aLow > lowest) ahead[--aLow - 1 + zero] = -1
    else aLow++
    if (aHigh < highest) ahead[++aHigh + 1 + zero] = -1
    else aHigh--
    for (let d = aHigh; d >= aLow; d -= 2) {
      let i = Math.max(ahead[d - 1 + zero]! + 1, ahead[d + 1 + zero]!)
      let j = i - d
      while (i < a1 && j < b1 && x[i] === y[j]) i++, j++
      ahead[d + zero] = i
      if (odd && d >= bLow && d <= bHigh && back[d + zero]! <= i) return [i, j]
    }

    if (bLow > lowest) back[--bLow - 1 + zero] = 0x7fffffff
    else bLow++
    if (bHigh < highest) back[++bHigh + 1 + zero] = 0x7fffffff
    else bHigh--
    for (let d = bHigh; d >= bLow; d -= 2) {
      let i = Math.min(back[d - 1 + zero]!, back[d + 1 + zero]! - 1)
      let j = i - d
      while (i > a0 && j > b0 && x[i - 1] === y[j - 1]) i--, j--
      back[d + zero] = i
      if (!odd && d >= aLow && d <= aHigh && i <= ahead[d + zero]!) return [i, j]
    }

    if (edits < maxEdits) continue
    let far = a0 + b0
    let at: [number, number] = [a0, b0]
    for (let d = aHigh; d >= aLow; d -= 2) {
      const i = Math.min(ahead[d + zero]!, a1, b1 + d)
      if (2 * i - d > far) {
        far = 2 * i - d
        at = [i, i - d]
      }
    }
    return at
  }
}

const hunksOf = (removed: Uint8Array, inserted: Uint8Array): Hunk[] => {
  const hunks: Hunk[] = []
  let a = 0
  let b = 0
  while (a < removed.length || b < inserted.length) {
    if (removed[a] !== 1 && inserted[b] !== 1) {
      a++
      b++
      continue
    }
    const hunk = { a0: a, a1: a, b0: b, b1: b }
    while (removed[a] === 1) hunk.a1 = ++a
    while (inserted[b] === 1) hunk.b1 = ++b
    hunks.push(hunk)
  }
  return hunks
}

/**
 * Moves each pure insertion or removal as far down as it can go (a blank line added to a run of blank lines is the
 * last one), so that two diffs that hold the same change hold it at the same place.
 */
const slideDown = (x: Int32Array, y: Int32Array, hunks: Hunk[]): Hunk[] => {
  const slid: Hunk[] = []
  for (const hunk of hunks.reverse()) {
    const next = slid[slid.length - 1]
    const limit = next?.a0 ?? x.length
    const [text, low, high] =
      hunk.a0 === hunk.a1 ? ([y, 'b0', 'b1'] as const) : ([x, 'a0', 'a1'] as const)
    if (hunk.a0 === hunk.a1 || hunk.b0 === hunk.b1) {
      while (hunk.a1 < limit && text[hunk[low]] === text[hunk[high]]) {
        hunk.a0++
        hunk.a1++
        hunk.b0++
        hunk.b1++
      }
    }
    if (next !== undefined && hunk.a1 === next.a0) {
      next.a0 = hunk.a0
      next.b0 = hunk.b0
    } else slid.push(hunk)
  }
  return slid.reverse()
}
