/** `a[a0..a1)` became `b[b0..b1)`; either range may be empty, never both. */
export interface Hunk {
  a0: number
  a1: number
  b0: number
  b1: number
}

/**
 * Bounds one diff to about this many token comparisons (0.3 s). Steps instead of time: the same
 * texts give the same diff on a busy machine.
 */
const MAX_STEPS = 50_000_000

/** A search that stops after fewer edits than this would miss ordinary changes. */
const LEAST_EDITS = 64

/**
 * Token comparisons that several diffs have left together. Without any left they stay correct and
 * become coarse.
 */
export interface Effort {
  left: number
  /** Called in place of a merge that cannot look at lines, because that needs more than is left. */
  giveUp?: () => never
}

/** Cost of interning one token, in token comparisons. */
const TOKEN_STEPS = 10

/** The effort of one diff by itself. */
export const newEffort = (steps = 2 * MAX_STEPS): Effort => ({ left: steps })

/**
 * Returns the hunks that turn `a` into `b`: in order, with at least one kept token between any two.
 * They are the shortest for all but very large changes, where they are coarser and still correct.
 *
 * Myers' O(ND) algorithm in linear space, which searches from both ends ("An O(ND) Difference
 * Algorithm and Its Variations", 1986). A search that reaches `maxEdits` splits the box at its
 * farthest point, as GNU diff does. `among`: tokens (count) of all diffs of the caller, where this
 * is one of many. When `effort` runs out, the rest that differs is one hunk.
 */
export const diffTokens = (
  a: readonly string[],
  b: readonly string[],
  among = a.length + b.length,
  effort = newEffort(),
): Hunk[] => {
  let start = 0
  let [aEnd, bEnd] = [a.length, b.length]
  while (start < aEnd && start < bEnd && a[start] === b[start]) start++
  for (; start < aEnd && start < bEnd && a[aEnd - 1] === b[bEnd - 1]; bEnd--) aEnd--

  effort.left -= TOKEN_STEPS * (aEnd + bEnd - 2 * start)
  if (start === aEnd && start === bEnd) return []
  if (effort.left <= 0) return [{ a0: start, a1: aEnd, b0: start, b1: bEnd }]
  const ids = new Map<string, number>()
  const intern = (token: string): number => {
    const known = ids.get(token)
    if (known !== undefined) return known
    ids.set(token, ids.size)
    return ids.size - 1
  }
  const x = Int32Array.from(a.slice(start, aEnd), intern)
  const y = Int32Array.from(b.slice(start, bEnd), intern)
  const removed = new Uint8Array(x.length)
  const inserted = new Uint8Array(y.length)

  const maxEdits = Math.max(LEAST_EDITS, Math.floor(MAX_STEPS / among))
  const ahead = new Int32Array(x.length + y.length + 3)
  const back = new Int32Array(x.length + y.length + 3)
  const boxes: Hunk[] = [{ a0: 0, a1: x.length, b0: 0, b1: y.length }]
  for (let box = boxes.pop(); box !== undefined; box = boxes.pop()) {
    let { a0, a1, b0, b1 } = box
    for (; a0 < a1 && b0 < b1 && x[a0] === y[b0]; b0++) a0++
    for (; a0 < a1 && b0 < b1 && x[a1 - 1] === y[b1 - 1]; b1--) a1--
    if (a0 === a1) inserted.fill(1, b0, b1)
    else if (b0 === b1) removed.fill(1, a0, a1)
    else if (effort.left <= 0) {
      removed.fill(1, a0, a1)
      inserted.fill(1, b0, b1)
    } else {
      const [i, j] = split(x, y, { a0, a1, b0, b1 }, ahead, back, maxEdits, effort)
      boxes.push({ a0, a1: i, b0, b1: j }, { a0: i, a1, b0: j, b1 })
    }
  }
  return slideDown(a, b, hunksOf(removed, inserted, start))
}

/**
 * A point on a shortest path through the box. After `maxEdits`, or without `effort`, it is only a
 * good point.
 */
const split = (
  x: Int32Array,
  y: Int32Array,
  { a0, a1, b0, b1 }: Hunk,
  ahead: Int32Array,
  back: Int32Array,
  maxEdits: number,
  effort: Effort,
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
    effort.left -= edits + 1
    if (aLow > lowest) ahead[--aLow - 1 + zero] = -1
    else aLow++
    if (aHigh < highest) ahead[++aHigh + 1 + zero] = -1
    else aHigh--
    for (let d = aHigh; d >= aLow; d -= 2) {
      let i = Math.max(ahead[d - 1 + zero]! + 1, ahead[d + 1 + zero]!)
      const from = i
      while (i < a1 && i - d < b1 && x[i] === y[i - d]) i++
      effort.left -= i - from
      ahead[d + zero] = i
      if (odd && d >= bLow && d <= bHigh && back[d + zero]! <= i) return [i, i - d]
    }

    if (bLow > lowest) back[--bLow - 1 + zero] = 0x7fffffff
    else bLow++
    if (bHigh < highest) back[++bHigh + 1 + zero] = 0x7fffffff
    else bHigh--
    for (let d = bHigh; d >= bLow; d -= 2) {
      let i = Math.min(back[d - 1 + zero]!, back[d + 1 + zero]! - 1)
      const from = i
      while (i > a0 && i - d > b0 && x[i - 1] === y[i - d - 1]) i--
      effort.left -= from - i
      back[d + zero] = i
      if (!odd && d >= aLow && d <= aHigh && i <= ahead[d + zero]!) return [i, i - d]
    }

    if (edits < maxEdits && effort.left > 0) continue
    return farthest(ahead, zero, [aLow, aHigh], { a0, a1, b0, b1 })
  }
}

/** The point on the diagonals `low` … `high` that the search from the start of the box has taken farthest. */
const farthest = (
  ahead: Int32Array,
  zero: number,
  [low, high]: [number, number],
  { a0, a1, b0, b1 }: Hunk,
): [number, number] => {
  let far = a0 + b0
  let at: [number, number] = [a0, b0]
  for (let d = high; d >= low; d -= 2) {
    const i = Math.min(ahead[d + zero]!, a1, b1 + d)
    if (2 * i - d > far) {
      far = 2 * i - d
      at = [i, i - d]
    }
  }
  return at
}

/** Collects the marks into hunks; `start` is their offset in both texts. */
const hunksOf = (removed: Uint8Array, inserted: Uint8Array, start: number): Hunk[] => {
  const hunks: Hunk[] = []
  let a = 0
  let b = 0
  while (a < removed.length || b < inserted.length) {
    if (removed[a] !== 1 && inserted[b] !== 1) {
      a++
      b++
      continue
    }
    const [a0, b0] = [start + a, start + b]
    while (removed[a] === 1) a++
    while (inserted[b] === 1) b++
    hunks.push({ a0, a1: start + a, b0, b1: start + b })
  }
  return hunks
}

/**
 * Moves each pure insertion or removal down as far as possible (a blank line added to several is
 * the last one), so that two diffs with the same change have it at the same place.
 */
const slideDown = (a: readonly string[], b: readonly string[], hunks: Hunk[]): Hunk[] => {
  const slid: Hunk[] = []
  for (const hunk of hunks.reverse()) {
    const next = slid[slid.length - 1]
    const limit = next?.a0 ?? a.length
    const [text, low, high] =
      hunk.a0 === hunk.a1 ? ([b, 'b0', 'b1'] as const) : ([a, 'a0', 'a1'] as const)
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
