import type { EditorAction } from '../model/editor-keys.ts'
import { columnOf, offsetIn, rowAt, rowsAway } from './rows.ts'
import type { EditorSession } from './session.ts'
import type { TextChange } from './shared-text.ts'
import { lineAround, snap, stepLeft, stepRight, wordLeft, wordRight } from './steps.ts'

/** Deepest indentation, in lines from the beginning, that is looked at for how a file indents. */
const LOOKED_AT_LINES = 200

type Do = (session: EditorSession, selects: boolean) => void

const to = ({ text }: EditorSession, offset: number, selects: boolean): void =>
  text.select(selects ? text.anchor : offset, offset)

/** Left and right leave a selection at its end. */
const sideways =
  (step: typeof stepLeft, side: 0 | 1): Do =>
  (session, selects) => {
    const { text } = session
    const [from, end] = text.selection
    const leaves = !selects && from !== end
    to(session, leaves ? text.selection[side] : step(text.lines, text.head), selects)
  }

const byRows = (session: EditorSession, by: number, selects: boolean): void => {
  const { text, width } = session
  const { lines } = text
  const row = rowAt(lines, text.head, width)
  session.goal ??= columnOf(row, text.head)
  const target = rowsAway(lines, row, by, width)
  const isEdge = target.from === row.from
  const edge = by < 0 ? 0 : lines.length
  to(session, isEdge ? edge : offsetIn(target, session.goal, width, lines), selects)
}

const remove = (session: EditorSession, step: (session: EditorSession) => number): void => {
  const { text } = session
  const [from, end] = text.selection
  if (from !== end) {
    session.change([{ from, to: end, insert: '' }])
    return
  }
  const other = step(session)
  const head = snap(text.lines, text.head)
  session.change([{ from: Math.min(head, other), to: Math.max(head, other), insert: '' }])
}

/** The selected text, or the caret's whole line with its end. */
const taken = ({ text }: EditorSession): { from: number; to: number } => {
  const [from, end] = text.selection
  if (from !== end) return { from, to: end }
  const line = lineAround(text.lines, text.head)
  return { from: line.start, to: stepRight(text.lines, line.end) }
}

const copy: Do = (session) => {
  const { from, to: end } = taken(session)
  session.copy(session.text.lines.slice(from, end))
  session.message = 'copied'
}

const cutTo = (session: EditorSession, from: number, end: number): void => {
  if (from === end) return
  session.copy(session.text.lines.slice(from, end))
  session.text.part()
  session.change([{ from, to: end, insert: '' }])
  session.text.part()
}

/**
 * One step of indentation in this file: a tab, or the fewest spaces (at least two) that a line
 * begins with.
 */
const unitOf = ({ text: { lines } }: EditorSession): string => {
  let least = 0
  let place: ReturnType<typeof lines.next> = lines.line(0)
  for (let i = 0; i < LOOKED_AT_LINES && place !== null; i++) {
    const [indent] = /^(?:\t| {2,8})(?=[^ ])/.exec(place.piece.text) ?? []
    if (indent === '\t') return '\t'
    if (indent !== undefined && (least === 0 || indent.length < least)) least = indent.length
    place = lines.next(place)
  }
  return ' '.repeat(least || 2)
}

/**
 * Offsets at which the lines of the selection begin. A selection that ends at the start of a line
 * excludes that line.
 */
const lineStarts = ({ text }: EditorSession): number[] => {
  const { lines } = text
  const [from, end] = text.selection
  const starts: number[] = []
  const last = lines.at(end > from ? end - 1 : end).line
  for (let line = lines.at(from).line; line <= last; line++) starts.push(lines.line(line).start)
  return starts
}

/** Changes the selected lines, and selects them again whole. */
const eachLine = (session: EditorSession, change: (start: number) => TextChange | null): void => {
  const { text } = session
  const starts = lineStarts(session)
  const wasOne = text.anchor === text.head
  const head = text.head
  text.part()
  const before = text.lines.length
  session.change(starts.flatMap((start) => change(start) ?? []))
  const growth = text.lines.length - before
  if (wasOne) {
    const at = Math.max(starts[0]!, head + growth)
    text.select(at, at)
  } else {
    const lastLine = lineAround(
      text.lines,
      text.lines.line(text.lines.at(starts[0]!).line + starts.length - 1).start,
    )
    text.select(starts[0]!, lastLine.end)
  }
}

const indent: Do = (session) => {
  const { text } = session
  const unit = unitOf(session)
  const [from, end] = text.selection
  if (text.lines.at(from).line === text.lines.at(end).line) return session.type(unit)
  eachLine(session, (start) => ({ from: start, to: start, insert: unit }))
}

const outdent: Do = (session) => {
  const { lines } = session.text
  const unit = unitOf(session)
  eachLine(session, (start) => {
    const lead = lines.slice(start, start + unit.length)
    const [blank = ''] = /^(?:\t| +)/.exec(lead) ?? []
    return blank === '' ? null : { from: start, to: start + blank.length, insert: '' }
  })
}

const enter: Do = (session) => {
  const { lines, selection } = session.text
  const { start, text } = lineAround(lines, selection[0])
  session.type(session.lineEnd + lines.slice(start, Math.min(text, selection[0])))
}

const leave: Do = (session) => {
  const { text } = session
  if (text.anchor !== text.head) text.select(text.head, text.head)
  else session.leave()
}

/** The action of each key of `EDITOR_KEYS`. */
export const ACTIONS: Readonly<Record<EditorAction, Do>> = {
  left: sideways(stepLeft, 0),
  right: sideways(stepRight, 1),
  'word-left': sideways(wordLeft, 0),
  'word-right': sideways(wordRight, 1),
  up: (session, selects) => byRows(session, -1, selects),
  down: (session, selects) => byRows(session, 1, selects),
  'page-up': (session, selects) => byRows(session, 1 - session.height, selects),
  'page-down': (session, selects) => byRows(session, session.height - 1, selects),
  home: (session, selects) => {
    const { start, text } = lineAround(session.text.lines, session.text.head)
    to(session, session.text.head === text ? start : text, selects)
  },
  end: (session, selects) =>
    to(session, lineAround(session.text.lines, session.text.head).end, selects),
  first: (session, selects) => to(session, 0, selects),
  last: (session, selects) => to(session, session.text.lines.length, selects),
  'go-to-line': (session) => session.prompt.ask('line'),

  'select-all': ({ text }) => text.select(0, text.lines.length),
  copy,
  cut: (session) => {
    const { from, to: end } = taken(session)
    cutTo(session, from, end)
  },
  paste: (session) => session.paste(session.clipboard),
  undo: (session) => {
    if (session.refusal !== null) session.message = session.refusal
    else if (!session.text.undo()) session.message = 'nothing of yours is left to take back'
  },
  redo: (session) => {
    if (session.refusal !== null) session.message = session.refusal
    else if (!session.text.redo()) session.message = 'nothing to do again'
  },

  enter,
  indent,
  outdent,
  'delete-left': (session) => remove(session, ({ text }) => stepLeft(text.lines, text.head)),
  'delete-right': (session) => remove(session, ({ text }) => stepRight(text.lines, text.head)),
  'delete-word-left': (session) => remove(session, ({ text }) => wordLeft(text.lines, text.head)),
  'delete-word-right': (session) => remove(session, ({ text }) => wordRight(text.lines, text.head)),
  'cut-to-start': (session) => {
    const { head, lines } = session.text
    cutTo(session, lineAround(lines, head).start, head)
  },
  'cut-to-end': (session) => {
    const { head, lines } = session.text
    const { end } = lineAround(lines, head)
    cutTo(session, head, head === end ? stepRight(lines, end) : end)
  },

  find: (session) => session.prompt.ask('find'),
  replace: (session) => session.prompt.ask('replace'),
  'go-to-other': (session) => {
    const { others, text } = session
    const next = others.find(({ head }) => head > text.head) ?? others[0]
    if (next === undefined) session.message = 'nobody else is in this file'
    else {
      to(session, next.head, false)
      session.message = `here is ${next.name}`
    }
  },
  sent: (session) => {
    const { hasUnsent, contact } = session.attached
    const later = contact.code === 'revoked' ? 'but your access was revoked' : 'and sent'
    session.message =
      session.refusal ??
      (hasUnsent
        ? `not on the server yet: it is kept here, ${later}`
        : 'nothing to save: the server has all of it')
  },
  'find-next': (session) => session.prompt.find(1),
  'find-previous': (session) => session.prompt.find(-1),
  authors: (session) => {
    session.isShowingAuthors = !session.isShowingAuthors
  },
  keys: (session) => {
    session.isShowingKeys = true
  },
  leave,
}
