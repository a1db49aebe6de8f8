import { graphemeAt } from '../text/cells.ts'

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

const before = ({ text, at }: Line): number => (at === 0 ? 0 : graphemeAt(text, at - 1).from)

const after = ({ text, at }: Line): number => (at >= text.length ? at : graphemeAt(text, at).to)

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
      return { text, at: at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1 }
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
