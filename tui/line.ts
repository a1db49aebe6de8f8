import type { Press } from './press.ts'

/** A text being typed, and where in it: an offset in UTF-16 units, never inside a character. */
export interface Line {
  text: string
  at: number
}

export type Edit =
  | { edit: 'insert'; text: string }
  | {
      edit:
        | 'left'
        | 'right'
        | 'home'
        | 'end'
        | 'back'
        | 'delete'
        | 'word-back'
        | 'kill-start'
        | 'kill-end'
        | 'word-left'
        | 'word-right'
    }

export const EMPTY: Line = { text: '', at: 0 }

export const lineOf = (text: string): Line => ({ text, at: text.length })

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

const before = ({ text, at }: Line): number => {
  let start = 0
  for (const { index } of graphemes.segment(text.slice(0, at))) start = index
  return start
}

const after = ({ text, at }: Line): number => {
  for (const { segment } of graphemes.segment(text.slice(at))) return at + segment.length
  return at
}

const wordBefore = ({ text, at }: Line): number => text.slice(0, at).search(/\S+\s*$|\s+$/)

const wordAfter = ({ text, at }: Line): number => {
  const [skipped = ''] = /^\s*\S*/.exec(text.slice(at)) ?? []
  return at + skipped.length
}

const without = ({ text }: Line, from: number, to: number): Line => ({
  text: text.slice(0, from) + text.slice(to),
  at: from,
})

export const editLine = (line: Line, edit: Edit): Line => {
  const { text, at } = line
  switch (edit.edit) {
    case 'insert':
      return { text: text.slice(0, at) + edit.text + text.slice(at), at: at + edit.text.length }
    case 'left':
      return { text, at: before(line) }
    case 'right':
      return { text, at: after(line) }
    case 'home':
      return { text, at: text.lastIndexOf('\n', at - 1) + 1 }
    case 'end': {
      const end = text.indexOf('\n', at)
      return { text, at: end === -1 ? text.length : end }
    }
    case 'back':
      return without(line, before(line), at)
    case 'delete':
      return without(line, at, after(line))
    case 'word-left':
      return { text, at: Math.max(0, wordBefore(line)) }
    case 'word-right':
      return { text, at: wordAfter(line) }
    case 'word-back':
      return without(line, Math.max(0, wordBefore(line)), at)
    case 'kill-start':
      return without(line, 0, at)
    case 'kill-end':
      return without(line, at, text.length)
  }
}

const EDITS: Readonly<Record<string, Edit>> = {
  left: { edit: 'left' },
  right: { edit: 'right' },
  'ctrl-b': { edit: 'left' },
  'ctrl-f': { edit: 'right' },
  home: { edit: 'home' },
  end: { edit: 'end' },
  'ctrl-a': { edit: 'home' },
  'ctrl-e': { edit: 'end' },
  backspace: { edit: 'back' },
  'ctrl-h': { edit: 'back' },
  delete: { edit: 'delete' },
  'ctrl-d': { edit: 'delete' },
  'ctrl-w': { edit: 'word-back' },
  'alt-backspace': { edit: 'word-back' },
  'ctrl-u': { edit: 'kill-start' },
  'ctrl-k': { edit: 'kill-end' },
  'alt-b': { edit: 'word-left' },
  'alt-f': { edit: 'word-right' },
  'alt-left': { edit: 'word-left' },
  'alt-right': { edit: 'word-right' },
}

/** What a key does to a line that is being typed; null: nothing. */
export const editBy = ({ name, text }: Press): Edit | null =>
  text === '' ? (EDITS[name] ?? null) : { edit: 'insert', text }
