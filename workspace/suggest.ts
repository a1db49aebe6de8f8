import { shellWord } from './quote.ts'

/** Edit distance between two short strings, swapped neighbours counting once (optimal string alignment). */
const distance = (a: string, b: string): number => {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1, swap))
    }
    before = row
    row = next
  }
  return row[b.length]!
}

/** The up to `most` candidates that someone who typed `typed` may have meant, nearest first. */
export const nearest = (typed: string, candidates: Iterable<string>, most = 3): string[] => {
  const wanted = typed.toLowerCase()
  const scored: { candidate: string; score: number }[] = []
  for (const candidate of new Set(candidates)) {
    const lower = candidate.toLowerCase()
    const part = wanted.length >= 2 && (lower.includes(wanted) || wanted.includes(lower))
    const score = part ? 0.5 : distance(wanted, lower.slice(0, 200))
    if (score <= Math.max(1, Math.ceil(wanted.length / 3))) scored.push({ candidate, score })
  }
  scored.sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
  return scored.slice(0, most).map(({ candidate }) => candidate)
}

/** `did you mean x, y?`, or the empty string where nothing is near. */
export const didYouMean = (typed: string, candidates: Iterable<string>): string => {
  const near = nearest(typed.slice(0, 200), candidates)
  return near.length === 0 ? '' : `did you mean ${near.map(shellWord).join(', ')}?`
}
