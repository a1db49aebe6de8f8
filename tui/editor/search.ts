/** Half-open ranges of offsets. */
export type Range = readonly [from: number, to: number]

export interface SearchMatches {
  matches: readonly Range[]
  /** There are more than are listed. */
  isMore: boolean
  /** Why the pattern is none. */
  error: string | null
}

/** Matches that are looked for: beyond that the count says "10000+". */
const MAX_MATCHES = 10_000

/** `/…/` is a regular expression, anything else literal; an upper-case letter makes either heed case. */
export const findAll = (text: string, query: string): SearchMatches => {
  const inner = /^\/(.+)\/$/su.exec(query)?.[1]
  const source = inner ?? query.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  const hasUpper = /\p{Lu}/u.test(inner === undefined ? query : inner.replace(/\\./gsu, ''))
  let pattern: RegExp
  try {
    pattern = new RegExp(source, hasUpper ? 'gmu' : 'gimu')
  } catch (error) {
    return { matches: [], isMore: false, error: (error as Error).message }
  }
  const matches: Range[] = []
  if (query === '') return { matches, isMore: false, error: null }
  for (const match of text.matchAll(pattern)) {
    if (match[0] === '') continue
    if (matches.length === MAX_MATCHES) return { matches, isMore: true, error: null }
    matches.push([match.index, match.index + match[0].length])
  }
  return { matches, isMore: false, error: null }
}

/** The index of the first match at or after an offset, or of the last one before it; around the ends. */
export const matchFrom = (matches: readonly Range[], offset: number, by: 1 | -1): number => {
  if (by === 1) {
    const found = matches.findIndex(([from]) => from >= offset)
    return found === -1 ? (matches.length > 0 ? 0 : -1) : found
  }
  const found = matches.findLastIndex(([from]) => from < offset)
  return found === -1 ? matches.length - 1 : found
}
