import type { WordedLine } from '../../highlight/tokens.ts'
import { MAX_SAID, type Row, type Segment, said, type Tone } from '../../ui/rows.ts'

/** The lines of a change that have colours: of the text before it, and of the one after it. */
export interface Sides<T> {
  before: T
  after: T
}
export type WordedSides = Sides<readonly WordedLine[]>

export const NO_SIDES: WordedSides = { before: [], after: [] }

const withoutTabs = (line: string): string => line.replaceAll('\t', '  ')

/** A line of a text with the colours of its words. Where green and red say what was added and removed, no word has them. */
export const wordedRow = (
  line: string,
  worded: WordedLine | undefined,
  tone: Tone = 'plain',
): Row => {
  // Other line ends may have been counted otherwise.
  const isKnown = worded?.text === line || worded?.text === line.slice(0, -1)
  if (!isKnown || line.length > MAX_SAID) return [said(withoutTabs(line), tone)]
  const row: Segment[] = []
  let at = 0
  const add = (to: number, segment: (text: string) => Segment): void => {
    if (to > at) row.push(segment(withoutTabs(line.slice(at, to))))
    at = to
  }
  for (const { from, to, look } of worded!.tokens) {
    const isOfChange = look.word === 'string' || look.word === 'taken'
    if (tone !== 'plain' && isOfChange) continue
    add(from, (text) => said(text, tone))
    add(to, (text) => ({ ...said(text, tone), look }))
  }
  add(line.length, (text) => said(text, tone))
  return row.length > 0 ? row : [said('', tone)]
}

/** The texts of a unified diff, of all its hunks one below the other. */
export const sidesOf = (diff: string): Sides<string> => {
  const before: string[] = []
  const after: string[] = []
  for (const line of diff.split('\n')) {
    const isName = line.startsWith('--- ') || line.startsWith('+++ ')
    if (isName && before.length === 0 && after.length === 0) continue
    if (line[0] === '-' || line[0] === ' ') before.push(line.slice(1))
    if (line[0] === '+' || line[0] === ' ') after.push(line.slice(1))
  }
  return { before: before.join('\n'), after: after.join('\n') }
}
