import { PRIORITIES, type TaskState } from '../../workspace/schema.ts'
import type { Task } from '../../workspace/tasks.ts'
import { type Fields, parseFilter, passes } from '../filter.ts'
import { ago, type Look, latest } from '../look.ts'
import { nameOf, type Snapshot } from '../snapshot.ts'
import { fitRow, type Row, said, seg } from '../ui/rows.ts'
import { type List, listRows } from './list.ts'
import { priorityMark, taskMark, taskWords } from './symbols.ts'

/** The columns, left to right; what failed in whatever way is one. */
const COLUMNS: readonly { name: string; states: readonly TaskState[] }[] = [
  { name: 'Open', states: ['submitted'] },
  { name: 'Working', states: ['working'] },
  { name: 'Needs input', states: ['input-required'] },
  { name: 'Done', states: ['completed'] },
  { name: 'Not done', states: ['failed', 'canceled', 'rejected'] },
]
/** Cells that a column needs to be read; with fewer there are fewer columns at a time. */
const COLUMN_CELLS = 24

const lower = (text: string) => text.toLowerCase()

const fieldsOf = (task: Task, names: ReadonlyMap<string, string>): Fields => {
  const name = (id: string | null) => lower(id === null ? 'anyone' : (names.get(id) ?? id))
  const [from, to] = [name(task.from_agent), name(task.owner ?? task.to_agent)]
  return {
    '': lower(`${task.task} ${task.message} ${task.task_id} ${from} ${to}`),
    ...{ from, to, agent: `${from} ${to}`, state: task.status, priority: task.priority },
    id: lower(task.task_id),
  }
}

export interface BoardColumn {
  name: string
  state: TaskState
  tasks: readonly Task[]
  ids: readonly string[]
}

/** In each column the most urgent first, then what moved last. A state that this version does not know counts as open. */
export const boardColumns = latest(
  (tasks: Snapshot['tasks'], names: Snapshot['names'], filter: string): readonly BoardColumn[] => {
    const wanted = parseFilter(filter)
    const isAll = wanted.words.length === 0
    const columns = COLUMNS.map(({ name, states }) => ({ name, states, tasks: [] as Task[] }))
    for (const task of tasks) {
      if (!isAll && !passes(wanted, fieldsOf(task, names))) continue
      const column = columns.find(({ states }) => states.includes(task.status)) ?? columns[0]!
      column.tasks.push(task)
    }
    return columns.map(({ name, states, tasks: found }) => {
      found.sort(byUrgency)
      return { name, state: states[0]!, tasks: found, ids: found.map(({ task_id }) => task_id) }
    })
  },
)

const byUrgency = (a: Task, b: Task): number =>
  PRIORITIES.indexOf(b.priority) - PRIORITIES.indexOf(a.priority) ||
  (a.updated_at < b.updated_at ? 1 : a.updated_at > b.updated_at ? -1 : 0) ||
  (a.task_id < b.task_id ? -1 : 1)

/** Where the picked task is, on the board as it is; a board with nothing picked has its first task picked. */
export const boardPlace = (columns: readonly BoardColumn[], id: string | null) => {
  for (const [column, { ids }] of columns.entries()) {
    const index = id === null ? -1 : ids.indexOf(id)
    if (index >= 0) return { column, index }
  }
  return {
    column: Math.max(
      0,
      columns.findIndex(({ ids }) => ids.length > 0),
    ),
    index: 0,
  }
}

export const columnsOf = ({ snapshot, state }: Look): readonly BoardColumn[] =>
  boardColumns(snapshot.tasks, snapshot.names, state.filters.tasks)

export const boardList = (look: Look, column: number): List => {
  const columns = columnsOf(look)
  const place = boardPlace(columns, look.state.selected.tasks)
  const { ids, name } = columns[column]!
  const at = place.column === column ? place.index : -1
  return { view: 'tasks', name: `tasks ${name}`, ids, each: look.plain ? 1 : 2, at }
}

/** Columns that are seen at a time. */
const columnsShown = ({ columns, plain }: Look): number =>
  plain ? 1 : Math.max(1, Math.min(COLUMNS.length, Math.floor((columns + 1) / (COLUMN_CELLS + 1))))

/** Lines above the tasks: the columns' heads, and what all columns have where not all are seen. */
export const boardTitles = (look: Look): number => (columnsShown(look) < COLUMNS.length ? 2 : 1)

export const boardRows = (look: Look, width: number, height: number): Row[] => {
  const columns = columnsOf(look)
  const place = boardPlace(columns, look.state.selected.tasks)
  const shown = columnsShown(look)
  const first = Math.min(Math.max(0, place.column - shown + 1), columns.length - shown)
  const each = Math.floor((width - shown + 1) / shown)
  const strips = columns.slice(first, first + shown).map((column, i) => {
    const cells = i === shown - 1 ? width - (each + 1) * (shown - 1) : each
    const at = first + i
    const head = headOf(look, column, at === place.column)
    const draw = (index: number) => cardRows(look, column.tasks[index]!, cells)
    return [
      fitRow(head, cells),
      ...listRows(look, boardList(look, at), cells, height - boardTitles(look), draw),
    ]
  })
  const rows: Row[] = []
  if (shown < columns.length) rows.push(overview(columns, place.column, first, shown, look.plain))
  for (const [y] of strips[0]!.entries()) {
    rows.push(strips.flatMap((strip, i) => (i === 0 ? strip[y]! : [seg(' '), ...strip[y]!])))
  }
  return rows
}

/** Where not all columns are seen: what is in each, and which are. */
const overview = (
  columns: readonly BoardColumn[],
  at: number,
  first: number,
  shown: number,
  plain: boolean,
): Row =>
  columns.flatMap(({ name, state, ids }, i): Row => {
    const isSeen = i >= first && i < first + shown
    const gap = i === 0 ? [] : [seg(plain ? ', ' : '  ')]
    const tone = i === at ? 'strong' : isSeen ? 'plain' : 'dim'
    const mark = plain ? [] : [taskMark(state, false), seg(' ')]
    return [...gap, ...mark, seg(`${name} ${ids.length}`, tone)]
  })

const headOf = ({ plain }: Look, { name, state, ids }: BoardColumn, isPicked: boolean): Row => [
  ...(plain ? [] : [taskMark(state, false), seg(' ')]),
  seg(name, isPicked ? 'strong' : 'plain'),
  seg(` ${ids.length}`, 'dim'),
]

const cardRows = (look: Look, task: Task, width: number): readonly Row[] => {
  const { snapshot, plain } = look
  const to = nameOf(snapshot, task.owner ?? task.to_agent)
  const from = nameOf(snapshot, task.from_agent)
  const isNew = snapshot.unreadIds.has(task.task_id)
  if (plain) {
    const parts = [task.status, task.priority, task.task, `from ${from} to ${to}`]
    return [[said(`${isNew ? 'new, ' : ''}${parts.join(', ')}`)]]
  }
  const isEnded = ['failed', 'rejected', 'canceled'].includes(task.status)
  const mark = isEnded ? [taskMark(task.status, false), seg(' ')] : []
  const title = [priorityMark(task.priority, false), seg(' '), ...mark, said(task.task)]
  const when = ago(task.updated_at, snapshot.now)
  return [
    isNew ? [seg('•', 'warn'), ...title.slice(0, 1), ...title.slice(2)] : title,
    fitRow([seg('   '), said(`${from} → ${to}`, 'dim'), seg(` ${when}`, 'dim')], width),
  ]
}

/** How a task stands, on one line. */
export const taskLine = (task: Task, plain: boolean): Row => [
  taskWords(task.status, plain),
  seg('  '),
  priorityMark(task.priority, true),
]
