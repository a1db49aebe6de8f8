/** A line of fewer characters, like `}`, stands in many texts: that it is in two of them says nothing. */
const TELLING_CHARACTERS = 3

const linesOf = (text: string): Map<string, number> => {
  const found = new Map<string, number>()
  for (const line of text.split('\n')) found.set(line, (found.get(line) ?? 0) + 1)
  return found
}

/** Telling lines of one text that the other lacks (count). */
const surplus = (of: Map<string, number>, over: Map<string, number>): number => {
  let sum = 0
  for (const [line, count] of of) {
    if (line.trim().length < TELLING_CHARACTERS) continue
    sum += Math.max(0, count - (over.get(line) ?? 0))
  }
  return sum
}

/**
 * Index of the text (oldest first) that `content` most likely started from: the one with the fewest
 * added lines, then the fewest removed lines, then the newest. A text equal to `content` counts
 * only if it is the newest: an older one means that the writer reverts later changes.
 */
export const likelyBase = (content: string, texts: readonly string[]): number => {
  const newest = texts.length - 1
  if (texts[newest] === content) return newest
  const lines = linesOf(content)
  let best = newest
  let least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as const
  for (let i = newest; i >= 0; i--) {
    const text = texts[i]!
    if (text === content) continue
    const of = linesOf(text)
    const cost = [surplus(lines, of), surplus(of, lines)] as const
    if (cost[0] > least[0] || (cost[0] === least[0] && cost[1] >= least[1])) continue
    best = i
    least = cost
  }
  return best
}
