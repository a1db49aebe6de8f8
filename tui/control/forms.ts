import type { FileKey } from '../../protocol/ids.ts'
import { PRIORITIES } from '../../workspace/document/schema.ts'
import type { FeedEntry } from '../model/feed.ts'
import { ago } from '../model/frame.ts'
import { type Snapshot, shownNameOf } from '../model/snapshot.ts'
import type { Form } from '../model/state.ts'
import { lineOf } from '../terminal/line.ts'
import { cut, harmless } from '../text/display.ts'
import { AUTHORSHIP_FORMS } from './authorship-forms.ts'
import {
  body,
  choice,
  type FormSpec,
  flag,
  line,
  NO_YES,
  none,
  type Run,
  text,
  type Values,
  withBody,
} from './form-spec.ts'
import { PAST_FORMS } from './past-forms.ts'

/** The readers of a reply. */
const EVERYBODY = 'everybody'
const SENDER = 'the sender'
const INVOLVED = 'all in the task'

const readersOf = ({ kind, task }: FeedEntry): string[] => {
  if (kind === 'broadcast') return [EVERYBODY, SENDER]
  return task === undefined ? [SENDER] : [INVOLVED, SENDER]
}

/** The statuses of a response, by the words for them. */
const STATUSES = {
  completed: 'completed',
  'at work': 'in_progress',
  'a question': 'input-required',
  failed: 'failed',
  declined: 'rejected',
} as const

/** Characters of a task that a line about it shows. */
const TITLE = 48

/** The task, shortened; its id where it is not in the document. */
const titleOf = ({ taskById }: Snapshot, id: string): string =>
  cut(harmless(taskById.get(id)?.task ?? id), TITLE)

export const FORMS = {
  register: {
    title: () => 'Who are you? Others see you by this name',
    fields: ({ where }) => [
      line('name', 'Name', { needed: true, line: lineOf(where.name) }),
      line('description', 'About you'),
    ],
    run: ({ name, description }) => ({
      argv: ['register', ...flag('name', name), '--person', ...flag('description', description)],
      done: `welcome, ${name?.trim()}`,
    }),
  },
  delegate: {
    title: () => 'Delegate a task',
    fields: () => [
      line('to', 'To (empty: anyone)'),
      text('task', 'Task', { needed: true }),
      choice('priority', 'Priority', PRIORITIES, 'normal'),
      line('caps', 'Needs skills'),
      line('context', 'Context (JSON)'),
      line('deadline', 'Deadline'),
      line('after', 'Starts after'),
      line('approve-by', 'Approved by'),
    ],
    run: ({ to, caps, task, priority, context, deadline, after, ...more }) => {
      const named = [...flag('to', to), ...flag('caps', caps)]
      const whom = named.length === 0 ? ['--anyone'] : named
      const rest = [
        ...flag('priority', priority),
        ...flag('context', context),
        ...flag('deadline', deadline),
        ...flag('after', after),
        ...flag('approve-by', more['approve-by']),
      ]
      return withBody(['delegate', ...whom, ...rest], body('task', task), 'task delegated')
    },
  },
  claim: {
    title: (about) => `Claim ${about}`,
    fields: none,
    run: (_, task, snapshot) => ({
      argv: ['claim', `--task=${task}`],
      done: `yours: ${titleOf(snapshot, task)}`,
    }),
  },
  release: {
    title: (about) => `Release ${about}`,
    fields: none,
    run: (_, task, snapshot) => ({
      argv: ['release', `--task=${task}`],
      done: `released: ${titleOf(snapshot, task)}`,
    }),
  },
  approve: {
    title: (about) => `Approve ${about}`,
    fields: none,
    run: (_, task, snapshot) => ({
      argv: ['approve', `--task=${task}`],
      done: `approved: ${titleOf(snapshot, task)}`,
    }),
  },
  decline: {
    title: (about) => `Decline ${about}`,
    fields: () => [text('reason', 'Reason', { needed: true })],
    run: ({ reason }, task, snapshot) =>
      withBody(
        ['decline', `--task=${task}`],
        body('reason', reason),
        `declined: ${titleOf(snapshot, task)}`,
      ),
  },
  respond: {
    title: (about) => `Respond to ${about}`,
    fields: () => [
      text('result', 'Result', { needed: true }),
      choice('status', 'Status', Object.keys(STATUSES)),
    ],
    run: ({ result, status = '' }, task, snapshot) => {
      const to = snapshot.taskById.get(task)?.from_agent ?? ''
      const state = STATUSES[status as keyof typeof STATUSES]
      const argv = ['respond', `--to=${to}`, `--msg-id=${task}`, ...flag('status', state)]
      return withBody(argv, body('result', result), `${status}: ${titleOf(snapshot, task)}`)
    },
  },
  answer: {
    title: (about) => `Answer ${about}`,
    note: ({ taskById, names }, task) => {
      const { owner = null, message = '' } = taskById.get(task) ?? {}
      return `${owner === null ? 'its owner' : (names.get(owner) ?? owner)} asks: ${message}`
    },
    fields: () => [text('text', 'Answer', { needed: true })],
    run: ({ text }, task, snapshot) =>
      withBody(
        ['answer', `--task=${task}`],
        body('text', text),
        `answered: ${titleOf(snapshot, task)}`,
      ),
  },
  note: {
    title: (about) => `Note on ${about}`,
    fields: () => [text('text', 'Note', { needed: true })],
    run: ({ text }, task, snapshot) =>
      withBody(['note', `--task=${task}`], body('text', text), `noted: ${titleOf(snapshot, task)}`),
  },
  cancel: {
    title: (about) => `Cancel ${about}`,
    fields: () => [text('reason', 'Reason')],
    run: ({ reason }, task, snapshot) =>
      withBody(
        ['cancel', `--task=${task}`],
        body('reason', reason),
        `canceled: ${titleOf(snapshot, task)}`,
      ),
  },
  broadcast: {
    title: () => 'Tell everybody',
    fields: () => [
      text('content', 'Text', { needed: true }),
      line('topic', 'Topic'),
      line('tags', 'Tags'),
    ],
    run: ({ content, topic, tags }) =>
      withBody(
        ['broadcast', ...flag('topic', topic), ...flag('tags', tags)],
        body('content', content),
        'broadcast',
      ),
  },
  send: {
    title: () => 'Send a message',
    note: () => 'To several: their names with commas between.',
    fields: () => [line('to', 'To', { needed: true }), text('content', 'Text', { needed: true })],
    run: ({ to, content }) =>
      withBody(['send', ...flag('to', to)], body('content', content), `sent to ${to?.trim()}`),
  },
  reply: {
    title: (about) => `Reply to ${about}`,
    fields: ({ feed }, subject) => {
      const entry = feed.findLast(({ id }) => id === subject)
      return [
        text('content', 'Text', { needed: true }),
        choice('whom', 'Who reads it', entry === undefined ? [SENDER] : readersOf(entry)),
      ]
    },
    run: ({ content, whom }, subject, { feed }) => {
      const entry = feed.findLast(({ id }) => id === subject)
      if (whom === INVOLVED) {
        return withBody(['note', `--task=${entry?.task}`], body('text', content), 'noted')
      }
      const argv =
        whom === EVERYBODY
          ? ['broadcast', ...flag('topic', entry?.topic)]
          : ['send', `--to=${entry?.from ?? ''}`]
      // An event has no message id, so a reply cannot refer to it.
      const isSaid = entry?.kind === 'broadcast' || entry?.kind === 'direct'
      const reply = isSaid ? [`--reply-to=${subject}`] : []
      return withBody([...argv, ...reply], body('content', content), 'replied')
    },
  },
  status: {
    title: () => 'What are you doing?',
    fields: () => [line('text', 'Activity', { needed: true })],
    run: ({ text }) => ({
      argv: ['status', ...flag('set', text)],
      done: 'status set: others see it',
    }),
  },
  pause: {
    title: (about) => `Pause ${about}`,
    fields: () => [line('note', 'Why')],
    run: ({ note }, agent, snapshot) => ({
      argv: ['pause', `--name=${agent}`, ...flag('note', note)],
      done: `${shownNameOf(snapshot, agent)} is asked to pause`,
    }),
  },
  resume: {
    title: (about) => `Resume ${about}`,
    fields: none,
    run: (_, agent, snapshot) => ({
      argv: ['resume', `--name=${agent}`],
      done: `${shownNameOf(snapshot, agent)} may go on`,
    }),
  },
  new: {
    title: () => 'New file',
    fields: () => [line('path', 'Path', { needed: true }), text('content', 'Text')],
    run: ({ path, content = '' }) => ({
      argv: ['file-put', ...flag('key', path), '--file', '-', '--new'],
      stdin: content,
      done: `${path?.trim()} made`,
      opens: true,
    }),
  },
  rename: {
    title: (about) => `Rename ${about}`,
    fields: (_, path) => [line('to', 'New path', { needed: true, line: lineOf(path) })],
    run: ({ to }, path) => ({
      argv: ['file-mv', `--key=${path}`, ...flag('to', to)],
      done: `${path} is now ${to?.trim()}`,
    }),
  },
  remove: {
    title: (about) => `Remove ${about}?`,
    note: (snapshot, path) => {
      const line = snapshot.files.find(({ info }) => info.file_key === path)
      if (line === undefined) return ''
      const { version, last_editor, updated_at } = line.info
      const age = ago(updated_at, snapshot.now)
      const newest = `Version ${version} is by ${shownNameOf(snapshot, last_editor)}, ${age}${age === 'now' ? '' : ' ago'}.`
      const inIt = line.editors.filter((id) => id !== snapshot.me)
      const names = inIt.map((id) => shownNameOf(snapshot, id)).join(', ')
      return names === '' ? newest : `Open now: ${names}. ${newest}`
    },
    fields: () => [choice('sure', 'Remove it?', NO_YES)],
    // The question has named the author of the version.
    run: ({ sure }, path) =>
      sure !== 'yes'
        ? null
        : {
            argv: ['file-rm', `--key=${path}`, '--force'],
            done: `${path} removed`,
            hint: 'U in the files brings it back',
            removes: path as FileKey,
          },
  },
  undo: {
    title: (about) => `Bring ${about} back`,
    fields: none,
    run: (_, path) => ({ argv: ['file-restore', `--key=${path}`], done: `${path} is back` }),
  },
  read: {
    title: () => 'Mark all as read',
    fields: none,
    run: () => ({ argv: ['poll'], done: 'all read' }),
  },
  ...PAST_FORMS,
  ...AUTHORSHIP_FORMS,
} as const satisfies Record<string, FormSpec>

export type FormName = keyof typeof FORMS

export const isForm = (name: string): name is FormName => Object.hasOwn(FORMS, name)

const spec = (name: FormName): FormSpec => FORMS[name]

/** The form, filled in as far as known; its first empty field has the focus. */
export const openForm = (
  name: FormName,
  snapshot: Snapshot,
  subject: string,
  about: string,
  known: Values = {},
): Form => {
  const fields = spec(name)
    .fields(snapshot, subject)
    .map((field) => {
      const value = known[field.name]
      return value === undefined ? field : { ...field, line: lineOf(value) }
    })
  const at = fields.findIndex(({ line: { text } }) => text === '')
  return {
    name,
    title: spec(name).title(about),
    note: spec(name).note?.(snapshot, subject) ?? '',
    subject,
    others: [],
    fields,
    at: Math.max(0, at),
    wrong: '',
    isSending: false,
  }
}

/** The missing field of the form; null if the form can be sent. */
export const missingIn = ({ fields }: Form): string | null =>
  fields.find(({ needed, line: { text } }) => needed === true && text.trim() === '')?.label ?? null

/** A run, and the form as it stands again if that run is refused. */
export interface RunStep extends Run {
  rest: Form
}

/** The commands of a form: one per subject, and per recipient where it has several. */
export const runsOf = (form: Form, snapshot: Snapshot): RunStep[] => {
  const steps: RunStep[] = []
  const subjects = [form.subject, ...form.others]
  for (const [i, subject] of subjects.entries()) {
    const others = subjects.slice(i + 1)
    const names = recipientsOf(form, snapshot)
    if (names.length < 2) {
      const one = { ...form, subject, others }
      const run = runOf(one, snapshot)
      if (run !== null) steps.push({ ...run, rest: one })
      continue
    }
    for (const [k, name] of names.entries()) {
      const run = runOf(withTo(form, name), snapshot)
      if (run !== null) steps.push({ ...run, rest: withTo(form, names.slice(k).join(', ')) })
    }
  }
  return steps
}

/** The names in the field `to`, which may be several with commas between; none where it has one, or is absent. */
const recipientsOf = ({ name: form, fields }: Form, { agents }: Snapshot): string[] => {
  if (form !== 'send' && form !== 'delegate') return []
  const to = fields.find(({ name }) => name === 'to')?.line.text.trim() ?? ''
  const isName = agents.some(({ agent }) => agent.name === to)
  const names = to.split(',').map((name) => name.trim())
  return isName ? [] : [...new Set(names.filter((name) => name !== ''))]
}

const withTo = (form: Form, to: string): Form => ({
  ...form,
  fields: form.fields.map((field) =>
    field.name === 'to' ? { ...field, line: lineOf(to) } : field,
  ),
})

/** Null: there is nothing to do. */
export const runOf = ({ name, fields, subject }: Form, snapshot: Snapshot): Run | null => {
  const values = Object.fromEntries(fields.map((field) => [field.name, field.line.text]))
  return spec(name as FormName).run(values, subject, snapshot)
}
