import type { TaskWithHistory } from '../../client/http/api.ts'
import type { Transition } from '../../workspace/document/schema.ts'
import type { TaskWait } from '../../workspace/tasks/task-offers.ts'
import type { Task, TaskStep } from '../../workspace/tasks/tasks.ts'
import { latest, localTime, type UiFrame } from '../model/frame.ts'
import { type Need, nameOfNeed } from '../model/reads.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { shownNameOf, waitFor } from '../model/snapshot.ts'
import type { Page, ReadPage } from '../model/state.ts'
import { stepWords } from '../text/task-words.ts'
import { type Row, said, seg, type Tone } from '../ui/rows.ts'
import { labelled, paragraph } from './parts/page.ts'
import { failedRows, waitingRows } from './parts/read-rows.ts'
import { priorityMark, taskMark, taskWords } from './parts/symbols.ts'

/** Fields of a task that have a place on the page already, or none; the rest is shown under its own name. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['task_id', 'message_id', 'task', 'context', 'priority', 'from_agent', 'to_agent'],
  ...['created_at', 'status', 'owner', 'message', 'updated_at', 'revision', 'notes', 'trace'],
  ...['token', 'requires', 'after', 'blocked_by', 'deadline', 'parent', 'ref', 'approve_by'],
  ...['awaits_approval', 'percent', 'result_json', 'artifacts', 'cancel_asked', 'fresh'],
])

/** The reasons for a task to wait for its reader, and the keys for it. */
const WAITS: Readonly<Record<TaskWait, string>> = {
  answer: 'waits for your answer (r)',
  approval: 'waits for your approval (a approves, x sends it back)',
  claim: 'is given to you (c claims it, x declines it)',
  open: 'is open to whoever can do it, you too (c claims it)',
}

/** All that is known of a task: what it waits for, its result, facts, notes and history; null: there is none. */
export const taskPage = (
  look: UiFrame,
  { id }: Pick<ReadPage, 'id'>,
  width: number,
): Row[] | null => {
  const { taskById, names, historyOf } = look.snapshot
  const task = taskById.get(id)
  if (task !== undefined) {
    return pageOf(task, waitFor(look.snapshot, task), names, taskById, historyOf, look.plain, width)
  }
  const [need] = taskNeeds(look, id)
  const read = look.reads.get(nameOfNeed(need!.argv))
  if (read === undefined) return [...waitingRows]
  if (read.error !== null) return failedRows(read.error)
  const { task: archived } = (read.data ?? {}) as { task?: TaskWithHistory }
  if (archived === undefined) return null
  return pageOf(archived, null, names, taskById, () => archived.history, look.plain, width)
}

/** The task from the server's archive, if it is not in the document. */
export const taskNeeds = ({ snapshot }: UiFrame, id: string): readonly Need[] =>
  snapshot.taskById.has(id) ? [] : [{ argv: ['task', `--task=${id}`] }]

const pageOf = latest(
  (
    task: Task,
    wait: TaskWait | null,
    names: Snapshot['names'],
    taskById: Snapshot['taskById'],
    historyOf: (task: string) => readonly (Transition | TaskStep)[],
    plain: boolean,
    width: number,
  ): Row[] => {
    const name = (id: string | null) => shownNameOf({ names } as Snapshot, id)
    const steps = historyOf(task.task_id)
    const result =
      task.message === ''
        ? []
        : [[], head(saidIn(task, steps.at(-1))), ...paragraph(task.message, width)]
    const percent = task.percent === undefined ? '' : `  ${task.percent} %`
    return [
      ...paragraph(task.task, width, 'strong'),
      ...waitRows(task, wait, name, width),
      [],
      labelled('state', [taskWords(task.status, plain), seg(percent)]),
      ...result,
      ...(result.length > 0 ? [[]] : []),
      labelled('priority', [priorityMark(task.priority, true)]),
      labelled('from', [link(name(task.from_agent), 'agent', task.from_agent)]),
      labelled('to', [said(name(task.to_agent))]),
      labelled('owner', [said(task.owner === null ? '–' : name(task.owner))]),
      ...facts(task, name, taskById),
      labelled('created', [seg(localTime(task.created_at))]),
      labelled('updated', [seg(localTime(task.updated_at))]),
      ...moreFields(task),
      labelled('id', [said(task.task_id, 'dim')]),
      ...dataRows('Context', task.context, width),
      ...dataRows('Data of the result', task.result_json ?? null, width),
      ...(task.notes.length === 0 ? [] : [[], head('Notes')]),
      ...task.notes.flatMap(({ by, at, text }) => [
        [said(name(by), 'accent'), seg(`  ${localTime(at)}`, 'dim')],
        ...paragraph(text, width - 2).map((row) => [seg('  '), ...row]),
      ]),
      [],
      head('History'),
      [
        seg(`${localTime(task.created_at)}  `, 'dim'),
        said(name(task.from_agent)),
        seg('  delegated it'),
      ],
      ...steps.flatMap(({ state, event, by, message, at }) => [
        [
          seg(`${localTime(at)}  `, 'dim'),
          said(name(by)),
          seg('  '),
          ...(plain ? [] : [taskMark(state, plain), seg(' ')]),
          said(stepWords(state, event)),
        ] as Row,
        ...(message === '' || message === task.message
          ? []
          : paragraph(message, width - 2).map((row) => [seg('  '), ...row])),
      ]),
    ]
  },
)

/** The title of the text that a task has now. */
const saidIn = (task: Task, last: Pick<Transition, 'event'> | undefined): string => {
  if (isAsking(task)) return 'Question'
  if (last?.event === 'answered') return 'Answer'
  if (last?.event === 'sent-back') return 'Sent back'
  return task.status === 'working' ? 'Progress' : 'Result'
}

const isAsking = ({ status, awaits_approval }: Task): boolean =>
  status === 'input-required' && awaits_approval !== true

/** The person, agent or tasks that the task waits for. */
const waitRows = (
  task: Task,
  wait: TaskWait | null,
  name: (id: string | null) => string,
  width: number,
): Row[] => {
  if (wait !== null) return paragraph(`It ${WAITS[wait]}.`, width, 'warn')
  if (task.awaits_approval === true) {
    return paragraph(`It waits for the approval of ${name(task.approve_by ?? null)}.`, width, 'dim')
  }
  if (isAsking(task)) {
    return paragraph(`It waits for an answer of ${name(task.from_agent)}.`, width, 'dim')
  }
  const blocked = task.blocked_by ?? []
  if (blocked.length === 0) return []
  return paragraph(`It waits for ${blocked.length} other tasks to end.`, width, 'dim')
}

/** Conditions and relations of the task, in words. */
const facts = (
  task: Task,
  name: (id: string | null) => string,
  taskById: Snapshot['taskById'],
): Row[] => {
  const tasks = (label: string, ids: readonly string[]) =>
    ids.map((id, i) =>
      labelled(i === 0 ? label : '', [link(taskById.get(id)?.task ?? id, 'task', id)]),
    )
  const { requires = [], after = [], artifacts = [], approve_by, deadline, cancel_asked } = task
  return [
    ...(requires.length === 0 ? [] : [labelled('needs', [said(requires.join(', '))])]),
    ...tasks('after', after),
    ...(approve_by === undefined ? [] : [labelled('approver', [said(name(approve_by))])]),
    ...(deadline === undefined ? [] : [labelled('deadline', [seg(localTime(deadline))])]),
    ...(cancel_asked === undefined ? [] : [labelled('stop asked', [said(cancel_asked || 'yes')])]),
    ...tasks('part of', task.parent === undefined ? [] : [task.parent]),
    ...tasks('refers to', task.ref === undefined ? [] : [task.ref]),
    ...(task.fresh === true
      ? [labelled('result', [seg('has to be made from the newest files')])]
      : []),
    ...artifacts.map(({ file_key: key, version }, i) =>
      labelled(i === 0 ? 'files' : '', [
        link(key, 'editor', key),
        seg(version === undefined ? '' : ` v${version}`, 'dim'),
      ]),
    ),
  ]
}

/** A text that opens what it names when it is clicked. */
const link = (text: string, kind: 'agent' | 'task' | 'editor', id: string) => {
  const page = (kind === 'editor' ? { kind, path: id } : { kind, id, top: 0 }) as Page
  const tone: Tone = kind === 'agent' ? 'plain' : 'accent'
  return { ...said(text, tone), click: { type: 'open', page } as const }
}

const dataRows = (title: string, data: Task['context'], width: number): Row[] =>
  data === null ? [] : [[], head(title), ...paragraph(JSON.stringify(data, null, 2), width)]

const head = (title: string): Row => [seg(title, 'strong')]

/** Fields of a newer version: shown, not hidden. */
const moreFields = (task: Task): Row[] =>
  Object.entries(task)
    .filter(([key, value]) => !KNOWN.has(key) && value !== null && value !== undefined)
    .map(([key, value]) =>
      labelled(`${key.replaceAll('_', ' ')} `, [
        said(typeof value === 'string' ? value : JSON.stringify(value)),
      ]),
    )
