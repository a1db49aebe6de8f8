import type { FileKey } from '../../protocol/ids.ts'
import { type Edit, EMPTY, editLine, type Line, lineOf } from '../terminal/line.ts'
import { keepVisible } from '../text/scroll.ts'

export const VIEWS = ['me', 'agents', 'tasks', 'feed', 'files'] as const
export type View = (typeof VIEWS)[number]

/** The places whose keys differ: the views, and the pages that are no thing of a view. */
export const PLACES = [...VIEWS, 'suggestions', 'past', 'undo'] as const
export type Place = (typeof PLACES)[number]

const PLACE_OF = {
  ...({ agent: 'agents', task: 'tasks', entry: 'feed', editor: 'files' } as const),
  ...({ suggestions: 'suggestions', suggestion: 'suggestions' } as const),
  ...({ history: 'past', replay: 'past' } as const),
  ...({ checkpoints: 'past', checkpoint: 'past', undo: 'undo' } as const),
} satisfies Record<string, Place>

/** A page of rows that are read, not typed in. */
export interface ReadPage {
  kind: Exclude<keyof typeof PLACE_OF, 'editor'>
  /** Its subject: an id, a path or a name; '' for the whole workspace. */
  id: string
  /** The first line shown of those that scroll. */
  top: number
  /** The item that is picked on it; absent: the one that it begins with. */
  at?: string
  /** True while it goes from item to item by itself. */
  isPlaying?: boolean
  /** The index of its speed in `SPEEDS`. */
  speed?: number
  /** Shows a text whole rather than its change. */
  isWhole?: boolean
  /** Of a message that was found by words: these. */
  query?: string
}

/** A page open on top of a view. */
export type Page =
  | ReadPage
  /** `line`: where the caret begins, from 1. */
  | { kind: 'editor'; path: FileKey; line?: number }

export interface FormField {
  name: string
  label: string
  /** `text` may have several lines; of a `choice` one of `choices` is taken. */
  kind: 'line' | 'text' | 'choice'
  choices?: readonly string[]
  needed?: boolean
  line: Line
}

export interface Form {
  /** The form in tui/control/forms.ts. */
  name: string
  title: string
  /** Shown before the form is sent; '' for nothing. */
  note: string
  /** The subject: an id of an agent, a task or a message, or a path; '' for none. */
  subject: string
  /** Further subjects: the form is sent for each. */
  others: readonly string[]
  fields: readonly FormField[]
  /** The field that has the keys. */
  at: number
  /** The error of the last attempt; '' for none. */
  wrong: string
  /** True while it is being sent: its fields cannot change until there is an answer. */
  isSending: boolean
}

/** The receiver of keys. */
export type Mode =
  | { kind: 'browse' }
  | { kind: 'filter'; line: Line; before: string }
  | { kind: 'palette'; line: Line; chosen: number }
  | { kind: 'form'; form: Form }
  /** Searched for words while `line` is there. */
  | { kind: 'help'; top: number; line: Line | null }
  /** Looks for agents, tasks, files and messages by letters of their names. */
  | { kind: 'finder'; line: Line; chosen: number }
  /** Until there was contact with the server once. */
  | { kind: 'connect' }

export interface Toast {
  id: number
  tone: 'good' | 'warn' | 'bad' | 'plain'
  text: string
  hint: string
}

/** The state of the screen. It holds nothing of the document. */
export interface UiState {
  view: View
  /** Null selects the first item, in the feed always the newest. */
  selected: Readonly<Record<View, string | null>>
  filters: Readonly<Record<View, string>>
  /** Ids of the things in the view that the next command is about. */
  marked: ReadonlySet<string>
  /** The first line shown of each list; the board has one a column. */
  tops: Readonly<Record<string, number>>
  /** Folders that are closed. */
  folded: ReadonlySet<string>
  pages: readonly Page[]
  /** The files that were removed here and can be brought back, the last one last. */
  removed: readonly FileKey[]
  mode: Mode
  toasts: readonly Toast[]
  /** True: a preview of the picked item stands beside the list where there is room. */
  hasPreview: boolean
  /** Messages that came while this person wants no toasts (count); null: they want them. */
  held: number | null
  /** The order of each view's list, by its index. */
  orders: Readonly<Record<View, number>>
  /** Forms that were left half-written, by name and subject. */
  drafts: Readonly<Record<string, Form>>
  /** Entries of the feed after this time (milliseconds since the epoch) are new to whoever looks. */
  seenAt: number
}

export type Event =
  | { type: 'view'; view: View }
  | {
      type: 'select'
      view: View
      list: string
      id: string
      /** The place of it in its list, for the list to scroll there. */
      index: number
      height: number
      count: number
    }
  | { type: 'follow' }
  | { type: 'open'; page: Page }
  | { type: 'back' }
  | { type: 'scroll'; top: number }
  /** Changes the page on top. */
  | { type: 'page'; change: Partial<Omit<ReadPage, 'kind' | 'id'>> }
  /** Marks a thing, or takes the mark from it. */
  | { type: 'mark'; id: string }
  | { type: 'unmark' }
  | { type: 'fold'; path: string }
  /** A file was made: it is picked, and open. */
  | { type: 'made'; path: FileKey }
  | { type: 'removed'; path: FileKey }
  | { type: 'brought-back'; path: string }
  | { type: 'filter'; text: string }
  | { type: 'mode'; mode: Mode }
  | { type: 'edit'; edit: Edit }
  | { type: 'choose'; index: number }
  | { type: 'field'; index: number }
  | { type: 'value'; text: string }
  | { type: 'sending' }
  | { type: 'wrong'; text: string }
  | { type: 'toast'; toast: Toast }
  | { type: 'toast-gone'; id: number }
  | { type: 'preview' }
  /** Turns toasts of messages off or on; `held`: this number of messages came meanwhile. */
  | { type: 'focus' }
  | { type: 'held'; count: number }
  | { type: 'order'; order: number }
  /** Keeps a half-written form; a form without a word in it is forgotten. */
  | { type: 'keep'; form: Form }
  | { type: 'forget'; form: Form }
  | { type: 'seen'; at: number }
  /** A key's command; tui/control/control.ts turns it into other events. */
  | { type: 'do'; command: string; args?: string }

/** Toasts shown at a time (count); older ones are removed. */
const MAX_TOASTS = 4
/** Pages on top of each other: an agent, its task, the file of that, and so on. */
const MAX_PAGES = 16
/** Removed files that can be brought back with a key (count); `file-restore` has no such limit. */
const MAX_REMOVED = 50

const NONE_MARKED: ReadonlySet<string> = new Set()

export const BROWSE: Mode = { kind: 'browse' }

export const initialState = (now: number): UiState => ({
  view: 'agents',
  selected: { me: null, agents: null, tasks: null, feed: null, files: null },
  filters: { me: '', agents: '', tasks: '', feed: '', files: '' },
  marked: new Set(),
  tops: {},
  folded: new Set(),
  pages: [],
  removed: [],
  mode: BROWSE,
  toasts: [],
  hasPreview: true,
  held: null,
  orders: { me: 0, agents: 0, tasks: 0, feed: 0, files: 0 },
  drafts: {},
  seenAt: now,
})

export const topPage = ({ pages }: UiState): Page | null => pages.at(-1) ?? null

/** The page on top; null: none, or the editor. */
export const readPage = (state: UiState): ReadPage | null => {
  const page = topPage(state)
  return page === null || page.kind === 'editor' ? null : page
}

/** The place whose keys a page has. */
export const placeOfPage = (page: Page): Place => PLACE_OF[page.kind]

export const reduce = (state: UiState, event: Event): UiState => {
  switch (event.type) {
    case 'view':
      return { ...state, view: event.view, pages: [], marked: NONE_MARKED, mode: BROWSE }
    case 'select': {
      const { view, list, id, index, height, count } = event
      const top = keepVisible(state.tops[list] ?? 0, index, height, count)
      return {
        ...state,
        selected: { ...state.selected, [view]: id },
        tops: { ...state.tops, [list]: top },
      }
    }
    case 'follow':
      return { ...state, selected: { ...state.selected, feed: null } }
    case 'open':
      return { ...state, pages: [...state.pages, event.page].slice(-MAX_PAGES), mode: BROWSE }
    case 'back':
      return { ...state, pages: state.pages.slice(0, -1) }
    case 'scroll':
      return scrolled(state, event.top)
    case 'page':
      return withPage(state, event.change)
    case 'mark': {
      const marked = new Set(state.marked)
      if (!marked.delete(event.id)) marked.add(event.id)
      return { ...state, marked }
    }
    case 'unmark':
      return state.marked.size === 0 ? state : { ...state, marked: NONE_MARKED }
    case 'fold': {
      const folded = new Set(state.folded)
      if (!folded.delete(event.path)) folded.add(event.path)
      return { ...state, folded }
    }
    case 'made':
      return made(state, event.path)
    case 'removed':
      return { ...state, removed: [...state.removed, event.path].slice(-MAX_REMOVED) }
    case 'brought-back':
      return { ...state, removed: state.removed.filter((path) => path !== event.path) }
    case 'filter':
      return { ...state, filters: { ...state.filters, [state.view]: event.text } }
    case 'mode':
      return { ...state, mode: withDraft(state, event.mode) }
    case 'preview':
    case 'focus':
    case 'held':
    case 'order':
    case 'keep':
    case 'forget':
      return settled(state, event)
    case 'edit':
      return edited(state, event.edit)
    case 'choose':
      return state.mode.kind === 'palette' || state.mode.kind === 'finder'
        ? { ...state, mode: { ...state.mode, chosen: event.index } }
        : state
    case 'field':
      return withForm(state, (form) => ({ ...form, at: event.index }))
    case 'value':
      return withForm(state, (form) => setLine(form, lineOf(event.text)))
    case 'sending':
      return withForm(state, (form) => ({ ...form, wrong: '', isSending: true }))
    case 'wrong':
      return withForm(state, (form) => ({ ...form, wrong: event.text, isSending: false }))
    case 'toast':
      return { ...state, toasts: [...state.toasts, event.toast].slice(-MAX_TOASTS) }
    case 'toast-gone':
      return { ...state, toasts: state.toasts.filter(({ id }) => id !== event.id) }
    case 'seen':
      return { ...state, seenAt: event.at }
    case 'do':
      return state
  }
}

/** Changes of what the screen keeps for this person. */
const settled = (
  state: UiState,
  event: Extract<Event, { type: 'preview' | 'focus' | 'held' | 'order' | 'keep' | 'forget' }>,
): UiState => {
  switch (event.type) {
    case 'preview':
      return { ...state, hasPreview: !state.hasPreview }
    case 'focus':
      return { ...state, held: state.held === null ? 0 : null }
    case 'held':
      return state.held === null ? state : { ...state, held: state.held + event.count }
    case 'order':
      return { ...state, orders: { ...state.orders, [state.view]: event.order } }
    case 'keep':
      return {
        ...state,
        drafts: { ...withoutDraft(state, event.form), [draftName(event.form)]: event.form },
      }
    case 'forget':
      return { ...state, drafts: withoutDraft(state, event.form) }
  }
}

/** Whatever is closed or filtered over it: it is seen when one comes back from it. */
const made = (state: UiState, path: FileKey): UiState => ({
  ...state,
  view: 'files',
  selected: { ...state.selected, files: path },
  filters: { ...state.filters, files: '' },
  folded: new Set([...state.folded].filter((folder) => !path.startsWith(folder))),
  pages: [{ kind: 'editor', path }],
  mode: BROWSE,
})

const scrolled = (state: UiState, top: number): UiState => {
  if (state.mode.kind === 'help') return { ...state, mode: { ...state.mode, top } }
  return withPage(state, { top })
}

const withPage = (state: UiState, change: Partial<ReadPage>): UiState => {
  const page = readPage(state)
  if (page === null) return state
  return { ...state, pages: [...state.pages.slice(0, -1), { ...page, ...change }] }
}

const withForm = (state: UiState, change: (form: Form) => Form): UiState =>
  state.mode.kind === 'form'
    ? { ...state, mode: { kind: 'form', form: change(state.mode.form) } }
    : state

const setLine = (form: Form, line: Line): Form => {
  if (form.isSending) return form
  const fields = form.fields.map((field, i) => (i === form.at ? { ...field, line } : field))
  return { ...form, wrong: '', fields }
}

const edited = (state: UiState, edit: Edit): UiState => {
  const { mode } = state
  switch (mode.kind) {
    case 'filter': {
      const line = editLine(mode.line, edit)
      return {
        ...state,
        mode: { ...mode, line },
        filters: { ...state.filters, [state.view]: line.text },
      }
    }
    case 'help': {
      const line = editLine(mode.line ?? EMPTY, edit)
      return { ...state, mode: { ...mode, line, top: 0 } }
    }
    case 'finder':
    case 'palette':
      return { ...state, mode: { ...mode, line: editLine(mode.line, edit), chosen: 0 } }
    case 'form':
      return withForm(state, (form) =>
        setLine(form, editLine(form.fields[form.at]?.line ?? EMPTY, edit)),
      )
    case 'browse':
    case 'connect':
      return state
  }
}

const draftName = ({ name, subject }: Form): string => `${name} ${subject}`

const withoutDraft = ({ drafts }: UiState, form: Form): UiState['drafts'] => {
  const { [draftName(form)]: _, ...rest } = drafts
  return rest
}

/** A form that is opened again has what was written in it, unless it is given something else. */
const withDraft = ({ drafts }: UiState, mode: Mode): Mode => {
  if (mode.kind !== 'form' || mode.form.wrong !== '' || mode.form.isSending) return mode
  const draft = drafts[draftName(mode.form)]
  if (draft === undefined) return mode
  const fields = mode.form.fields.map((field, i) => {
    const line = draft.fields[i]?.line ?? field.line
    return field.line.text === '' || field.kind === 'choice' ? { ...field, line } : field
  })
  return { ...mode, form: { ...mode.form, fields, at: draft.at } }
}
