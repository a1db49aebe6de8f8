import type { Task } from '../../workspace/tasks/tasks.ts'
import { latest, type UiFrame } from '../model/frame.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { shownNameOf } from '../model/snapshot.ts'
import { type Row, said, seg } from '../ui/rows.ts'
import { labelled, paragraph } from './parts/page.ts'
import { priorityMark, taskWords } from './parts/symbols.ts'

/** Fields of a task that have a place on the page already, or none; the rest is shown under its own name. */
const KNOWN: ReadonlySet<string> = new Set([
  ...['task_id', 'message_id', 'task', 'context', 'priority', 'from_agent', 'to_agent'],
  ...['created_at', 'status', 'owner', 'message', 'updated_at', 'revision', 'notes', 'trace'],
])

/** All that is known of a task: facts, brief, result, notes and history; null: there is none. */
export const taskPage = (look: UiFrame, id: string, width: number): Row[] | null => {
  const { taskById, names, historyOf } = look.snapshot
  const task = taskById.get(id)
  return task === undefined ? null : pageOf(task, names, historyOf, look.plain, width)
}

const pageOf = latest(
  (
    task: Task,
    names: Snapshot['names'],
    historyOf: Snapshot['historyOf'],
    plain: boolean,
    width: number,
  ): Row[] => {
    const name = (id: string | null) => shownNameOf({ names } as Snapshot, id)
    const time = (iso: string) => iso.replace('T', ' ').slice(0, 16)
    const result =
      task.message === '' ? [] : [[], head('Result'), ...paragraph(task.message, width)]
    return [
      ...paragraph(task.task, width, 'strong'),
      [],
      labelled('state', [taskWords(task.status, plain)]),
      labelled('priority', [priorityMark(task.priority, true)]),
      labelled('from', [said(name(task.from_agent))]),
      labelled('to', [said(name(task.to_agent))]),
      labelled('owner', [said(task.owner === null ? '–' : name(task.owner))]),
      labelled('created', [seg(time(task.created_at))]),
      labelled('updated', [seg(time(task.updated_at))]),
      ...moreFields(task),
      labelled('id', [said(task.task_id, 'dim')]),
      ...(task.context === null
        ? []
        : [[], head('Context'), ...paragraph(JSON.stringify(task.context, null, 2), width)]),
      ...result,
      ...(task.notes.length === 0 ? [] : [[], head('Notes')]),
      ...task.notes.flatMap(({ by, at, text }) => [
        [said(name(by), 'accent'), seg(`  ${time(at)}`, 'dim')],
        ...paragraph(text, width - 2).map((row) => [seg('  '), ...row]),
      ]),
      [],
      head('History'),
      [
        seg(`${time(task.created_at)}  `, 'dim'),
        said(name(task.from_agent)),
        seg('  delegated it'),
      ],
      ...historyOf(task.task_id).flatMap(({ state, by, message, at }) => [
        [seg(`${clockOf(at)}  `, 'dim'), said(name(by)), seg('  '), taskWords(state, plain)] as Row,
        ...(message === '' || message === task.message
          ? []
          : paragraph(message, width - 2).map((row) => [seg('  '), ...row])),
      ]),
    ]
  },
)

const clockOf = (at: number): string => {
  const iso = new Date(Math.min(Math.max(at, 0), 8.64e15)).toISOString()
  return iso.replace('T', ' ').slice(0, 16)
}

const head = (title: string): Row => [seg(title, 'strong')]

/** Fields of a newer version: shown, not hidden. */
const moreFields = (task: Task): Row[] =>
  Object.entries(task)
    .filter(([key, value]) => !KNOWN.has(key) && value !== null && value !== undefined)
    .map(([key, value]) =>
      labelled(key.replaceAll('_', ' ').slice(0, 11), [
        said(typeof value === 'string' ? value : JSON.stringify(value)),
      ]),
    )
