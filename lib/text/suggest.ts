import { shellWord } from './quote.ts'

/** Candidates whose distance is computed (count): those with the most similar beginning and end. */
const MOST = 200
/** A candidate that is farther than the nearest one by more than this (edits) is not meant. */
const SPREAD = 1
/** Longer strings (characters, without their common ends) are too different. */
const LONGEST = 48

/**
 * Edit distance between two short strings; swapped neighbours count once (optimal string
 * alignment).
 */
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

/** Two strings without their common beginning and end. */
const middles = (a: string, b: string): [string, string] => {
  const most = Math.min(a.length, b.length)
  let head = 0
  while (head < most && a.charCodeAt(head) === b.charCodeAt(head)) head++
  let tail = 0
  while (tail < most - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  return [a.slice(head, a.length - tail), b.slice(head, b.length - tail)]
}

/**
 * At most `most` candidates that `typed` may stand for, nearest first. Of many candidates only
 * those with the most similar ends are compared fully, so the cost per candidate is small.
 */
export const nearestWord = (typed: string, candidates: Iterable<string>, most = 3): string[] => {
  const wanted = typed.toLowerCase().slice(0, 200)
  const limit = Math.max(1, Math.ceil(wanted.length / 3))
  const scored: { candidate: string; score: number }[] = []
  const unlike: { candidate: string; left: [string, string]; size: number }[] = []
  for (const candidate of new Set(candidates)) {
    const lower = candidate.slice(0, 200).toLowerCase()
    if (wanted.length >= 2 && (lower.includes(wanted) || wanted.includes(lower))) {
      scored.push({ candidate, score: 0.5 })
    } else if (Math.abs(lower.length - wanted.length) <= limit) {
      const left = middles(wanted, lower)
      const size = Math.max(left[0].length, left[1].length)
      if (size <= LONGEST) unlike.push({ candidate, left, size })
    }
  }
  unlike.sort((a, b) => a.size - b.size)
  for (const { candidate, left } of unlike.slice(0, MOST)) {
    const score = distance(...left)
    if (score <= limit) scored.push({ candidate, score })
  }
  scored.sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
  const farthest = (scored[0]?.score ?? 0) + SPREAD
  const near = scored.filter(({ score }) => score <= farthest)
  return near.slice(0, most).map(({ candidate }) => candidate)
}

/** `did you mean x, y?`, or the empty string where nothing is near. */
export const didYouMean = (typed: string, candidates: Iterable<string>): string => {
  const near = nearestWord(typed, candidates)
  return near.length === 0 ? '' : `did you mean ${near.map(shellWord).join(', ')}?`
}
