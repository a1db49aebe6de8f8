import type { LineRange } from '../../lib/merge/edits.ts'

/**
 * Tells which changes of two writers should be looked at together although they merged cleanly. A symbol is found by
 * indentation and patterns of common languages, a heading by `#`: a hint, not a parser. Text in an unknown form has none,
 * and then only nearness counts.
 */

/** Two changes with at most this many lines from one to the other are near. */
export const NEAR_LINES = 3
/** In one symbol two changes count up to this many lines from each other. */
const SYMBOL_LINES = 60
/** Pairs of changes that are told (count), and changes of each side that are looked at. */
const MAX_PAIRS = 4
const MAX_RANGES = 64
/** Lines looked at above a change, and units of each: a minified file costs no more. */
const MAX_ABOVE = 2_000
const MAX_UNITS = 200
const MAX_NAME = 60

/** Two changes: lines of the text as it is with both, and the symbol that has both; null: they are only near. */
export interface LookTogether {
  lines: LineRange
  others: LineRange
  symbol: string | null
}

interface Symbol {
  line: number
  name: string
}

/** The pairs of `mine` and `theirs` in `text`, which are apart, that are near each other or in one symbol. At most 4. */
export const lookTogether = (
  key: string,
  text: string,
  mine: readonly LineRange[],
  theirs: readonly LineRange[],
): LookTogether[] => {
  const lines = text.split('\n')
  const symbols = new Map<number, Symbol | null>()
  const symbolOf = ({ from_line }: LineRange): Symbol | null => {
    const known = symbols.get(from_line)
    if (known !== undefined) return known
    const found = symbolAt(key, lines, from_line)
    symbols.set(from_line, found)
    return found
  }
  const pairs: LookTogether[] = []
  for (const one of mine.slice(0, MAX_RANGES)) {
    for (const other of theirs.slice(0, MAX_RANGES)) {
      const gap = gapOf(one, other)
      if (gap > SYMBOL_LINES) continue
      const [a, b] = [symbolOf(one), symbolOf(other)]
      const symbol = a !== null && a.line === b?.line ? a.name : null
      if (gap > NEAR_LINES && symbol === null) continue
      pairs.push({ lines: one, others: other, symbol })
      if (pairs.length === MAX_PAIRS) return pairs
    }
  }
  return pairs
}

/** Lines from one range to the other: 1 for neighbours, 0 or less where they meet. */
const gapOf = (a: LineRange, b: LineRange): number =>
  Math.max(a.from_line - b.to_line, b.from_line - a.to_line)

/** The function, class or heading around a line (1-based); null: none is found. */
export const symbolAt = (key: string, lines: readonly string[], line: number): Symbol | null =>
  /\.(md|mdx|markdown)$/i.test(key) ? headingAt(lines, line) : definitionAt(lines, line)

const headingAt = (lines: readonly string[], line: number): Symbol | null => {
  for (let at = line; at > 0 && at > line - MAX_ABOVE; at--) {
    const [, name] = /^#{1,6}\s+(.+)/.exec(lines[at - 1]?.slice(0, MAX_UNITS) ?? '') ?? []
    if (name !== undefined) return { line: at, name: name.trim().slice(0, MAX_NAME) }
  }
  return null
}

const definitionAt = (lines: readonly string[], line: number): Symbol | null => {
  const own = nameIn(lines[line - 1] ?? '')
  if (own !== null) return { line, name: own }
  let indent: number | null = null
  for (let at = line; at > 0 && at > line - MAX_ABOVE; at--) {
    const text = (lines[at - 1] ?? '').slice(0, MAX_UNITS)
    const here = text.search(/\S/)
    if (here === -1) continue
    if (indent === null) indent = here
    else if (here < indent) {
      const name = nameIn(text)
      if (name !== null) return { line: at, name }
      // The end of a signature of several lines: its beginning is as far to the left.
      indent = text[here] === ')' ? here + 1 : here
    }
  }
  return null
}

const MODIFIERS =
  '(?:(?:export|default|public|private|protected|internal|static|abstract|async|pub(?:\\([^)]*\\))?|final|override|unsafe|inline|virtual)\\s+)*'
const DEFINITION = new RegExp(
  `^${MODIFIERS}(?:function\\*?|def|class|interface|struct|enum|trait|impl|fn|func|fun|module|namespace|record|object|sub|proc)\\s+([\\w$]+(?:(?:\\.|::)[\\w$]+)*)`,
)
const ASSIGNED = new RegExp(
  `^${MODIFIERS}(?:const|let|var)\\s+([\\w$]+)\\s*(?::[^=]+)?=\\s*(?:async\\s*)?(?:function\\b|\\(|<|[\\w$]+\\s*=>)`,
)
const METHOD = new RegExp(
  `^${MODIFIERS}(?:(?:get|set|readonly)\\s+)?([#\\w$]+)\\s*\\([^;]*[{:]\\s*$`,
)
const STATEMENTS = new Set(
  'if for while switch catch return elif else except do with match when until'.split(' '),
)

const nameIn = (line: string): string | null => {
  const text = line.slice(0, MAX_UNITS).trim()
  const [, name] = DEFINITION.exec(text) ?? ASSIGNED.exec(text) ?? METHOD.exec(text) ?? []
  return name === undefined || STATEMENTS.has(name) ? null : name.slice(0, MAX_NAME)
}

/** Ranges without the lines of others; all in order and apart. */
export const withoutLines = (
  ranges: readonly LineRange[],
  taken: readonly LineRange[],
): LineRange[] => {
  let left = [...ranges]
  for (const { from_line, to_line } of taken) {
    left = left.flatMap((range) => {
      if (to_line < range.from_line || from_line > range.to_line) return [range]
      return [
        ...(range.from_line < from_line ? [{ ...range, to_line: from_line - 1 }] : []),
        ...(range.to_line > to_line ? [{ ...range, from_line: to_line + 1 }] : []),
      ]
    })
  }
  return left
}
