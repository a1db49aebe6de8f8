import type { FileKey } from '../workspace/ids.ts'
import { type Command, commandFor, commandNamed } from './commands.ts'
import { type FormName, isForm, missingIn, openForm, type Run, runOf } from './forms.ts'
import { EMPTY, editBy, lineOf } from './line.ts'
import type { Look } from './look.ts'
import type { Mouse } from './mouse.ts'
import { move } from './moving.ts'
import { completionsOf, readTyped } from './palette.ts'
import { aboutOf, pickedId } from './picked.ts'
import type { Press } from './press.ts'
import { bodyHeight, screenRows } from './screen.ts'
import { nameOf } from './snapshot.ts'
import {
  BROWSE,
  type Event,
  type Form,
  type Page,
  type State,
  topPage,
  VIEWS,
  type View,
} from './state.ts'
import { clickAt } from './ui/rows.ts'

/** What follows from a key, a click or a command: a change of the state, a verb to carry out, or something outside. */
export type Step =
  | { type: 'event'; event: Event }
  | { type: 'run'; run: Run; form: Form | null }
  | { type: 'older' }
  | { type: 'invite' }
  | { type: 'quit' }

const event = (one: Event): Step => ({ type: 'event', event: one })
const none: readonly Step[] = []

/** What a key does, wherever the keys go at the moment. */
export const onPress = (look: Look, press: Press): readonly Step[] => {
  const { mode } = look.state
  if (press.name === 'ctrl-c') return [{ type: 'quit' }]
  switch (mode.kind) {
    case 'browse': {
      const command = commandFor(press.name, look.state.view)
      return command === null ? none : onCommand(look, command, {})
    }
    case 'help': {
      if (['esc', 'q', '?', 'enter'].includes(press.name)) {
        return [event({ type: 'mode', mode: BROWSE })]
      }
      const command = commandFor(press.name, look.state.view)
      return command === null ? none : move(look, command.name).map(event)
    }
    case 'filter':
      return onFilterPress(look, press, mode.before)
    case 'palette':
      return onPalettePress(look, press, mode)
    case 'form':
      return onFormPress(look, press, mode.form)
  }
}

/** What was pasted, as one text. */
export const onPaste = ({ state }: Look, text: string): readonly Step[] => {
  const isText =
    state.mode.kind === 'form' && state.mode.form.fields[state.mode.form.at]?.kind === 'text'
  const lines = text.replace(/\r\n?/g, '\n')
  if (state.mode.kind === 'browse' || state.mode.kind === 'help') return none
  if (state.mode.kind === 'form' && isChoice(state.mode.form)) return none
  const pasted = isText ? lines : lines.replaceAll('\n', ' ')
  return [event({ type: 'edit', edit: { edit: 'insert', text: pasted } })]
}

/** A click does what is said where it hits; the wheel moves. */
export const onMouse = (look: Look, { kind, x, y }: Mouse): readonly Step[] => {
  if (kind !== 'click') return move(look, kind, WHEEL_LINES).map(event)
  const { head, body, foot } = screenRows(look)
  const row = y === 0 ? head : y === bodyHeight(look) + 1 ? foot : body?.[y - 1]
  const hit = row === undefined ? null : clickAt(row, x)
  return hit === null ? none : onEvent(look, hit)
}

/** Lines that a notch of the wheel moves. */
const WHEEL_LINES = 3

const onEvent = (look: Look, hit: Event): readonly Step[] => {
  if (hit.type !== 'do') return [event(hit), ...seen(look, hit)]
  if (hit.command === 'complete') {
    return [event({ type: 'mode', mode: paletteWith(hit.args ?? '') })]
  }
  const command = commandNamed(hit.command)
  return command === null ? none : onCommand(look, command, {})
}

const paletteWith = (text: string): State['mode'] => ({
  ...{ kind: 'palette', line: lineOf(text), chosen: 0 },
})

/** Leaving the feed, or entering it, means to have seen what is in it. */
const seen = ({ state, snapshot }: Look, change: Event): Step[] => {
  const leaves = change.type === 'view' && state.view === 'feed' && change.view !== 'feed'
  return leaves ? [event({ type: 'seen', at: snapshot.now })] : []
}

const goTo = (look: Look, view: View): readonly Step[] =>
  [{ type: 'view', view } as const].flatMap((change) => [event(change), ...seen(look, change)])

/** Carries a command out, or asks for what it needs. */
export const onCommand = (
  look: Look,
  command: Command,
  values: Readonly<Record<string, string>>,
): readonly Step[] => {
  const { state } = look
  const { name } = command
  switch (name) {
    case 'agents':
    case 'tasks':
    case 'feed':
    case 'files':
      return goTo(look, name)
    case 'next':
    case 'previous': {
      const by = name === 'next' ? 1 : VIEWS.length - 1
      return goTo(look, VIEWS[(VIEWS.indexOf(state.view) + by) % VIEWS.length]!)
    }
    case 'filter': {
      if (values.text !== undefined) return [event({ type: 'filter', text: values.text })]
      const before = state.filters[state.view]
      return [event({ type: 'mode', mode: { kind: 'filter', line: lineOf(before), before } })]
    }
    case 'palette':
      return [event({ type: 'mode', mode: { kind: 'palette', line: EMPTY, chosen: 0 } })]
    case 'help':
      return [event({ type: 'mode', mode: { kind: 'help', top: 0 } })]
    case 'quit':
      return [{ type: 'quit' }]
    case 'invite':
      return [{ type: 'invite' }]
    case 'open':
      return open(look)
    case 'back':
      return back(state)
    case 'first':
      return [...move(look, name).map(event), ...older(look)]
    default:
      return isForm(name) ? form(look, command, name, values) : move(look, name).map(event)
  }
}

/** Who is at the oldest entry and goes to the first one wants older ones. */
const older = (look: Look): Step[] => {
  const { state, snapshot } = look
  const isAtFirst = state.view === 'feed' && state.pages.length === 0 && pickedIsFirst(look)
  return isAtFirst && snapshot.hasOlder ? [{ type: 'older' }] : []
}

const pickedIsFirst = ({ state, snapshot }: Look): boolean =>
  state.selected.feed !== null && snapshot.feed[0]?.id === state.selected.feed

const open = (look: Look): readonly Step[] => {
  const { state } = look
  const id = pickedId(look)
  if (id === null) return none
  const page = topPage(state)
  if (page !== null) return openFrom(look, page)
  switch (state.view) {
    case 'agents':
      return [event({ type: 'open', page: { kind: 'agent', id, top: 0 } })]
    case 'tasks':
      return [event({ type: 'open', page: { kind: 'task', id, top: 0 } })]
    case 'feed':
      return [event({ type: 'open', page: { kind: 'entry', id, top: 0 } })]
    case 'files':
      return id.endsWith('/')
        ? [event({ type: 'fold', path: id })]
        : [event({ type: 'open', page: { kind: 'editor', path: id as FileKey } })]
  }
}

/** From an entry to its task or file, from an agent to what it is at. */
const openFrom = ({ snapshot }: Look, page: Page): Step[] => {
  if (page.kind === 'editor' || page.kind === 'task') return []
  const entry = snapshot.feed.findLast(({ id }) => id === page.id)
  const line = snapshot.agents.find(({ agent }) => agent.agent_id === page.id)
  const { task, file } = (page.kind === 'entry' ? entry : line) ?? {}
  if (task != null) return [event({ type: 'open', page: { kind: 'task', id: task, top: 0 } })]
  if (file != null) return [event({ type: 'open', page: { kind: 'editor', path: file } })]
  return []
}

const back = (state: State): readonly Step[] => {
  if (state.pages.length > 0) return [event({ type: 'back' })]
  if (state.toasts.length > 0) {
    return state.toasts.map(({ id }) => event({ type: 'toast-gone', id }))
  }
  if (state.filters[state.view] !== '') return [event({ type: 'filter', text: '' })]
  return state.view === 'feed' ? [event({ type: 'follow' })] : none
}

/** Opens a command's form with what is known; one that needs nothing more is carried out at once. */
const form = (
  look: Look,
  { about, args = [] }: Command,
  name: FormName,
  values: Readonly<Record<string, string>>,
): readonly Step[] => {
  const { snapshot, state } = look
  const subject = about === undefined ? '' : aboutOf(look, about)
  if (subject === null)
    return [toast(state, `pick a${about === 'agent' ? 'n' : ''} ${about} first`)]
  const known: Record<string, string> = { ...values }
  const agent = aboutOf(look, 'agent')
  if (args[0]?.names === 'agent' && known.to === undefined && agent !== null) {
    known.to = nameFor(look, agent)
  }
  const opened = openForm(name, snapshot, subject, labelOf(look, subject), known)
  const isGiven = args.length > 0 && args.every(({ field }) => values[field] !== undefined)
  if (opened.fields.length === 0 || (isGiven && missingIn(opened) === null)) {
    return [
      event({ type: 'mode', mode: BROWSE }),
      { type: 'run', run: runOf(opened, snapshot), form: null },
    ]
  }
  return [event({ type: 'mode', mode: { kind: 'form', form: opened } })]
}

/** A name that says which agent is meant; its id where two have the same. */
const nameFor = ({ snapshot }: Look, id: string): string => {
  const name = nameOf(snapshot, id)
  const same = snapshot.agents.filter(({ agent }) => agent.name === name)
  return same.length === 1 ? name : id
}

const labelOf = ({ snapshot }: Look, subject: string): string =>
  snapshot.names.get(subject) ?? snapshot.taskById.get(subject)?.task.slice(0, 60) ?? subject

const toast = ({ toasts }: State, text: string): Step => {
  const id = (toasts.at(-1)?.id ?? 0) + 1
  return event({ type: 'toast', toast: { id, tone: 'bad', text, hint: '' } })
}

const editOf = (press: Press): readonly Step[] => {
  const edit = editBy(press)
  return edit === null ? none : [event({ type: 'edit', edit })]
}

const onFilterPress = (look: Look, press: Press, before: string): readonly Step[] => {
  switch (press.name) {
    case 'enter':
      return [event({ type: 'mode', mode: BROWSE })]
    case 'esc':
      return [event({ type: 'filter', text: before }), event({ type: 'mode', mode: BROWSE })]
    case 'up':
    case 'down':
      return move(look, press.name).map(event)
    default:
      return editOf(press)
  }
}

const onPalettePress = (
  look: Look,
  press: Press,
  { line, chosen }: Extract<State['mode'], { kind: 'palette' }>,
): readonly Step[] => {
  const found = completionsOf(look, line.text)
  const choose = (index: number) =>
    event({ type: 'choose', index: (index + found.length) % Math.max(1, found.length) })
  switch (press.name) {
    case 'esc':
      return [event({ type: 'mode', mode: BROWSE })]
    case 'up':
    case 'ctrl-p':
    case 'shift-tab':
      return [choose(chosen - 1)]
    case 'down':
    case 'ctrl-n':
      return [choose(chosen + 1)]
    case 'tab': {
      const taken = found[chosen]
      return taken === undefined ? none : [event({ type: 'mode', mode: paletteWith(taken.line) })]
    }
    case 'backspace':
      return line.text === '' ? [event({ type: 'mode', mode: BROWSE })] : editOf(press)
    case 'enter': {
      if (line.text.trim() === '') return [event({ type: 'mode', mode: BROWSE })]
      const typed = readTyped(line.text)
      // What was only begun is what is marked.
      const { command, values, name } =
        typed.command === null && found[chosen] !== undefined
          ? readTyped(found[chosen].line)
          : typed
      if (command === null) return [toast(look.state, `no command "${name}"; ? shows all`)]
      return [event({ type: 'mode', mode: BROWSE }), ...onCommand(look, command, values)]
    }
    default:
      return editOf(press)
  }
}

const isChoice = ({ fields, at }: Form): boolean => fields[at]?.kind === 'choice'

const onFormPress = (look: Look, press: Press, shown: Form): readonly Step[] => {
  const { fields, at } = shown
  const field = fields[at]
  const go = (index: number) =>
    event({ type: 'field', index: (index + fields.length) % fields.length })
  switch (press.name) {
    case 'esc':
      // Nobody works unregistered: that form is left with the program.
      return shown.name === 'register'
        ? [{ type: 'quit' }]
        : [event({ type: 'mode', mode: BROWSE })]
    case 'tab':
    case 'down':
      return [go(at + 1)]
    case 'shift-tab':
    case 'up':
      return [go(at - 1)]
    case 'ctrl-s':
    case 'enter': {
      const missing = missingIn(shown)
      if (missing !== null) return [event({ type: 'wrong', text: `${missing} is missing` })]
      return [{ type: 'run', run: runOf(shown, look.snapshot), form: shown }]
    }
    case 'ctrl-j':
    case 'alt-enter':
      return field?.kind === 'text'
        ? [event({ type: 'edit', edit: { edit: 'insert', text: '\n' } })]
        : none
  }
  if (field?.kind !== 'choice') return editOf(press)
  const { choices = [], line } = field
  const by = { left: choices.length - 1, right: 1, space: 1 }[press.name]
  if (by === undefined) return none
  const next = choices[(choices.indexOf(line.text) + by) % choices.length]!
  return [event({ type: 'value', text: next })]
}
