import { findThings } from '../model/finder.ts'
import type { UiFrame } from '../model/frame.ts'
import { completionsOf, readTyped } from '../model/palette.ts'
import { BROWSE, type Form, type Mode } from '../model/state.ts'
import { lineOf } from '../terminal/line.ts'
import type { Press } from '../terminal/press.ts'
import { fileTreeList, linesOf } from '../views/files.ts'
import { selectIn } from '../views/parts/list.ts'
import { onCommand } from './doing.ts'
import { event, NONE, type Steps } from './effect.ts'
import { NO_YES } from './form-spec.ts'
import { isForm, missingIn, openForm, runsOf } from './forms.ts'
import { editOf as lineEditOf } from './line-keys.ts'
import { moveEvents } from './moving.ts'

/** The effect of keys in a filter, a command line or a form. */

const editOf = (press: Press): Steps => {
  const edit = lineEditOf(press)
  return edit === null ? NONE : [event({ type: 'edit', edit })]
}

const toBrowse = event({ type: 'mode', mode: BROWSE })

export const onFilterPress = (look: UiFrame, press: Press, before: string): Steps => {
  switch (press.name) {
    case 'enter':
      return [toBrowse, ...firstFile(look)]
    case 'esc':
      return [event({ type: 'filter', text: before }), toBrowse]
    case 'up':
    case 'down':
      return moveEvents(look, press.name).map(event)
    default:
      return editOf(press)
  }
}

/** Picks the first file that a filter of the files has found, rather than a folder above it. */
const firstFile = (look: UiFrame): Steps => {
  if (look.state.view !== 'files' || look.state.filters.files === '') return NONE
  const lines = linesOf(look)
  const at = lines.findIndex(({ id }) => id === look.state.selected.files)
  const index = lines.findIndex(({ file }) => file !== null)
  if (index < 0 || (lines[at] !== undefined && lines[at].file !== null)) return NONE
  return [event(selectIn(fileTreeList(look), index, lines.length))]
}

export const onFinderPress = (
  look: UiFrame,
  press: Press,
  { line, chosen }: Extract<Mode, { kind: 'finder' }>,
): Steps => {
  const found = findThings(look, line.text)
  const choose = (index: number) =>
    event({ type: 'choose', index: (index + found.length) % Math.max(1, found.length) })
  switch (press.name) {
    case 'esc':
      return [toBrowse]
    case 'up':
    case 'ctrl-p':
    case 'shift-tab':
      return [choose(chosen - 1)]
    case 'down':
    case 'ctrl-n':
    case 'tab':
      return [choose(chosen + 1)]
    case 'enter': {
      const page = found[chosen]?.page
      return page === undefined ? NONE : [event({ type: 'open', page })]
    }
    default:
      return editOf(press)
  }
}

/** While words are looked for in the help. */
export const onHelpSearch = (look: UiFrame, press: Press): Steps => {
  const { mode } = look.state
  if (mode.kind !== 'help') return NONE
  if (press.name === 'esc') return [event({ type: 'mode', mode: { ...mode, line: null, top: 0 } })]
  if (press.name === 'enter') return [toBrowse]
  if (['up', 'down', 'pageup', 'pagedown'].includes(press.name)) {
    const by = { pageup: 'page-up', pagedown: 'page-down' }[press.name] ?? press.name
    return moveEvents(look, by).map(event)
  }
  return editOf(press)
}

export const paletteWith = (text: string): Mode => ({
  ...{ kind: 'palette', line: lineOf(text), chosen: 0 },
})

export const onPalettePress = (
  look: UiFrame,
  press: Press,
  { line, chosen }: Extract<Mode, { kind: 'palette' }>,
): Steps => {
  const found = completionsOf(look, line.text)
  const choose = (index: number) =>
    event({ type: 'choose', index: (index + found.length) % Math.max(1, found.length) })
  switch (press.name) {
    case 'esc':
      return [toBrowse]
    case 'up':
    case 'ctrl-p':
    case 'shift-tab':
      return [choose(chosen - 1)]
    case 'down':
    case 'ctrl-n':
      return [choose(chosen + 1)]
    case 'tab': {
      const taken = found[chosen]
      return taken === undefined ? NONE : [event({ type: 'mode', mode: paletteWith(taken.line) })]
    }
    case 'backspace':
      return line.text === '' ? [toBrowse] : editOf(press)
    case 'enter': {
      if (line.text.trim() === '') return [toBrowse]
      const typed = readTyped(line.text)
      // An unfinished word means the marked completion.
      const begun = typed.command === null ? found[chosen] : undefined
      const { command, values, name } = begun === undefined ? typed : readTyped(begun.line)
      if (command === null) return [{ type: 'say', text: `no command "${name}"; ? shows all` }]
      return [toBrowse, ...onCommand(look, command, values)]
    }
    default:
      return editOf(press)
  }
}

export const onFormPress = (look: UiFrame, press: Press, form: Form): Steps => {
  const { fields, at } = form
  const field = fields[at]
  const go = (index: number) =>
    event({ type: 'field', index: (index + fields.length) % fields.length })
  switch (press.name) {
    case 'esc':
      return leaveForm(look, form)
    case 'tab':
    case 'down':
      return [go(at + 1)]
    case 'shift-tab':
    case 'up':
      return [go(at - 1)]
    case 'ctrl-s':
    case 'enter':
      return send(look, form)
    case 'ctrl-j':
    case 'alt-enter':
      return field?.kind === 'text'
        ? [event({ type: 'edit', edit: { edit: 'insert', text: '\n' } })]
        : NONE
  }
  if (field?.kind !== 'choice') return editOf(press)
  const { choices = [], line } = field
  // A question is answered by its letter, too; enter sends it.
  const said = choices === NO_YES && { n: 'no', y: 'yes' }[press.name]
  if (said) return [event({ type: 'value', text: said })]
  const by = { left: choices.length - 1, right: 1 }[press.name]
  if (by === undefined) return NONE
  const next = choices[(choices.indexOf(line.text) + by) % choices.length]!
  return [event({ type: 'value', text: next })]
}

/** Leaves a form; what was written in it is there when it is opened again. */
const leaveForm = (look: UiFrame, form: Form): Steps => {
  const { name, subject, title, fields, isSending } = form
  if (isSending || !isForm(name) || fields.some((field) => field.choices === NO_YES)) {
    return [toBrowse]
  }
  const fresh = openForm(name, look.snapshot, subject, title).fields
  const isWritten = fields.some(
    ({ line, kind }, i) =>
      kind !== 'choice' && line.text !== '' && line.text !== fresh[i]?.line.text,
  )
  if (!isWritten) return [event({ type: 'forget', form }), toBrowse]
  return [
    event({ type: 'keep', form }),
    toBrowse,
    { type: 'tell', text: 'kept: the same key has it again' },
  ]
}

/** Once: a form that is on its way is not sent again. */
const send = (look: UiFrame, form: Form): Steps => {
  if (form.isSending) return NONE
  const missing = missingIn(form)
  if (missing !== null) return [event({ type: 'wrong', text: `${missing} is missing` })]
  const runs = runsOf(form, look.snapshot)
  return runs.length === 0 ? [toBrowse] : [event({ type: 'sending' }), { type: 'run', runs, form }]
}
