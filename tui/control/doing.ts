import type { FileKey } from '../../protocol/ids.ts'
import { commandNamed, type UiCommand } from '../model/commands.ts'
import type { UiFrame } from '../model/frame.ts'
import { shownNameOf } from '../model/snapshot.ts'
import {
  BROWSE,
  type Event,
  type Page,
  topPage,
  type UiState,
  VIEWS,
  type View,
} from '../model/state.ts'
import { EMPTY, lineOf } from '../terminal/line.ts'
import { knownCheckpoints } from '../views/checkpoints.ts'
import { feedList } from '../views/feed.ts'
import { pickedForMe } from '../views/for-me.ts'
import { whyNot } from '../views/parts/watching.ts'
import { aboutOf, pickedId, waitsForMe } from '../views/picked.ts'
import { listedSuggestions } from '../views/suggestions.ts'
import { onAuthorshipCommand } from './authorship.ts'
import { onBrowsingCommand } from './browsing.ts'
import { type Effect, event, NONE, type Steps } from './effect.ts'
import { type FormName, isForm, missingIn, openForm, runsOf } from './forms.ts'
import { moveEvents } from './moving.ts'
import { onPastCommand } from './past.ts'

/** The arguments of a command line, by the fields of the command's form. */
type Values = Readonly<Record<string, string>>

/** Carries out a command, or opens the form for its arguments. */
export const onCommand = (look: UiFrame, command: UiCommand, values: Values): Steps => {
  const { state } = look
  const { name } = command
  const refused = whyNot(look.snapshot, command)
  if (refused !== null) return [{ type: 'say', text: refused }]
  switch (name) {
    case 'me':
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
      return [event({ type: 'mode', mode: { kind: 'help', top: 0, line: null } })]
    case 'mark':
    case 'find':
    case 'preview':
    case 'sort':
    case 'focus':
    case 'copy':
    case 'copy-id':
      return onBrowsingCommand(look, name)
    case 'quit':
    case 'suspend':
      return [{ type: name }]
    case 'invite':
      return [{ type: 'invite' }]
    case 'take-part':
      return takePart(look)
    case 'open':
      return open(look)
    case 'back':
      return back(state)
    case 'first':
      return [...moveEvents(look, name).map(event), ...older(look)]
    case 'respond':
      return waitsForMe(look) ? answer(look, values) : form(look, command, name, values)
    case 'suggestions':
    case 'take-back':
    case 'accept':
    case 'accept-all':
    case 'reject':
    case 'reject-all':
      return onAuthorshipCommand(look, name, values)
    case 'history':
    case 'replay':
    case 'play':
    case 'faster':
    case 'slower':
    case 'back-ten':
    case 'on-ten':
    case 'seek':
    case 'whole':
    case 'checkpoints':
    case 'restore':
    case 'restore-one':
    case 'diff':
      return onPastCommand(look, name, values)
    case 'undo': {
      const last = state.removed.at(-1)
      if (last === undefined) return [{ type: 'say', text: 'you have removed no file here' }]
      return form(look, command, name, values, last)
    }
    default:
      return isForm(name) ? form(look, command, name, values) : moveEvents(look, name).map(event)
  }
}

const takePart = (look: UiFrame): Steps => {
  const { me, role } = look.snapshot
  if (me !== null) return [{ type: 'say', text: 'you take part already' }]
  if (role === 'read') {
    return [{ type: 'say', text: 'your link only reads; ask for one with the role write' }]
  }
  const opened = openForm('register', look.snapshot, '', '')
  return [event({ type: 'mode', mode: { kind: 'form', form: { ...opened, at: 0 } } })]
}

/** Marks the feed's entries as seen when the person leaves it. */
export const seen = ({ state, snapshot }: UiFrame, change: Event): Effect[] => {
  const leaves = change.type === 'view' && state.view === 'feed' && change.view !== 'feed'
  const newest = snapshot.feed.at(-1)?.at ?? 0
  return leaves ? [event({ type: 'seen', at: Math.max(newest, snapshot.now) })] : []
}

const goTo = (look: UiFrame, view: View): Steps => {
  const change = { type: 'view', view } as const
  return [event(change), ...seen(look, change)]
}

/** Home on the oldest entry loads older ones. */
const older = (look: UiFrame): Steps => {
  const { state, snapshot } = look
  const isOnFeed = state.view === 'feed' && state.pages.length === 0
  return isOnFeed && snapshot.hasOlder && feedList(look).at <= 0 ? [{ type: 'older' }] : NONE
}

const open = (look: UiFrame): Steps => {
  const { state } = look
  const page = topPage(state)
  if (page !== null) return openFrom(look, page)
  const id = pickedId(look)
  if (id === null) return [{ type: 'say', text: 'there is nothing here to open' }]
  if (state.view === 'feed') return openEntry(look, id)
  if (state.view === 'me') return openItem(look)
  if (state.view !== 'files') {
    const kind = ({ agents: 'agent', tasks: 'task' } as const)[state.view]
    return [event({ type: 'open', page: { kind, id, top: 0 } })]
  }
  if (id.endsWith('/') && state.filters.files !== '') {
    return [{ type: 'say', text: 'a filter shows what is in all folders' }]
  }
  return id.endsWith('/')
    ? [event({ type: 'fold', path: id })]
    : [event({ type: 'open', page: { kind: 'editor', path: id as FileKey } })]
}

/** Opens what waits for this person: its task, suggestion, message or file. */
const openItem = (look: UiFrame): Steps => {
  const page = pickedForMe(look)?.page
  return page === undefined ? NONE : [event({ type: 'open', page })]
}

/** Opens the task or file that an entry of the feed is about; a message itself. */
const openEntry = ({ snapshot }: UiFrame, id: string): Steps => {
  const entry = snapshot.feed.findLast((one) => one.id === id)
  const { task, file } = entry ?? {}
  if (file !== undefined) return [event({ type: 'open', page: { kind: 'editor', path: file } })]
  const isKnown = task !== undefined && snapshot.taskById.has(task)
  const page = isKnown
    ? ({ kind: 'task', id: task, top: 0 } as const)
    : ({ kind: 'entry', id, top: 0 } as const)
  return [event({ type: 'open', page })]
}

/** Opens an entry's task or file, an agent's current one, or what is picked in a list. */
const openFrom = (look: UiFrame, page: Page): Steps => {
  const { snapshot } = look
  if (page.kind === 'suggestions') {
    const id = page.at ?? listedSuggestions(look, page)?.[0]?.suggestion_id
    return id === undefined
      ? NONE
      : [event({ type: 'open', page: { kind: 'suggestion', id, top: 0 } })]
  }
  if (page.kind === 'checkpoints') {
    const id = page.at ?? knownCheckpoints(look)?.[0]?.name
    return id === undefined
      ? NONE
      : [event({ type: 'open', page: { kind: 'checkpoint', id, top: 0 } })]
  }
  if (page.kind !== 'entry' && page.kind !== 'agent') return NONE
  const entry = snapshot.feed.findLast(({ id }) => id === page.id)
  const line = snapshot.agents.find(({ agent }) => agent.agent_id === page.id)
  const { task, file } = (page.kind === 'entry' ? entry : line) ?? {}
  if (task != null) return [event({ type: 'open', page: { kind: 'task', id: task, top: 0 } })]
  if (file != null) return [event({ type: 'open', page: { kind: 'editor', path: file } })]
  return NONE
}

const back = (state: UiState): Steps => {
  if (state.pages.length > 0) return [event({ type: 'back' })]
  if (state.toasts.length > 0) {
    return state.toasts.map(({ id }) => event({ type: 'toast-gone', id }))
  }
  if (state.marked.size > 0) return [event({ type: 'unmark' })]
  if (state.filters[state.view] !== '') return [event({ type: 'filter', text: '' })]
  return state.view === 'feed' ? [event({ type: 'follow' })] : NONE
}

/** Opens a command's form, filled in as far as known; a complete command is carried out at once. */
const form = (
  look: UiFrame,
  { about, args = [] }: UiCommand,
  name: FormName,
  values: Values,
  thing = '',
): Steps => {
  const { snapshot } = look
  const marked = about === undefined ? [] : markedOf(look, about)
  const [first, ...others] = marked
  const subject = first ?? (about === undefined ? thing : aboutOf(look, about))
  if (subject === null) {
    const article = about === 'agent' || about === 'entry' ? 'an' : 'a'
    return [{ type: 'say', text: `pick ${article} ${about} first` }]
  }
  const known: Record<string, string> = { ...values }
  if (args[0]?.names === 'agent' && known.to === undefined) {
    const agents = markedOf(look, 'agent')
    if (agents.length === 0) agents.push(...[aboutOf(look, 'agent')].filter((id) => id !== null))
    const to = agents.filter((id) => id !== snapshot.me).map((id) => nameFor(look, id))
    if (to.length > 0) known.to = to.join(', ')
  }
  const label = labelOf(look, subject)
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const opened = { ...openForm(name, snapshot, subject, `${label}${more}`, known), others }
  const isGiven = args.length > 0 && args.every(({ field }) => values[field] !== undefined)
  const isWhole = opened.fields.length === 0 || (isGiven && missingIn(opened) === null)
  const runs = isWhole ? runsOf(opened, snapshot) : []
  if (runs.length > 0) {
    return [event({ type: 'mode', mode: BROWSE }), { type: 'run', runs, form: opened }]
  }
  return [event({ type: 'mode', mode: { kind: 'form', form: opened } })]
}

/** The marked things of a kind, in no order that means anything; none while a page is open. */
const markedOf = ({ state }: UiFrame, about: NonNullable<UiCommand['about']>): string[] => {
  const kind = ({ agents: 'agent', tasks: 'task', files: 'file' } as const)[state.view as 'tasks']
  return kind === about && state.pages.length === 0 ? [...state.marked] : []
}

const answer = (look: UiFrame, { result }: Values): Steps =>
  form(look, commandNamed('answer')!, 'answer', result === undefined ? {} : { text: result })

/** A name that says which agent is meant; its id where another has the same, as name or id. */
const nameFor = ({ snapshot }: UiFrame, id: string): string => {
  const name = shownNameOf(snapshot, id)
  const same = snapshot.agents.filter(
    ({ agent }) => agent.name === name || (agent.agent_id === name && agent.agent_id !== id),
  )
  return same.length === 1 ? name : id
}

const labelOf = ({ snapshot }: UiFrame, subject: string): string =>
  snapshot.names.get(subject) ?? snapshot.taskById.get(subject)?.task.slice(0, 60) ?? subject
