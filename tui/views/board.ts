import { PRIORITIES, type TaskState } from '../../workspace/document/schema.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { type FilterFields, parseFilter, passes } from '../model/filter.ts'
import { ago, latest, type UiFrame } from '../model/frame.ts'
import { ORDERS } from '../model/orders.ts'
import { type Snapshot, shownNameOf } from '../model/snapshot.ts'
import { type Order, withAdded } from '../model/sorted.ts'
import { fitRow, type Row, said, seg } from '../ui/rows.ts'
import { emptyRows, type List, listRows, moreText } from './parts/list.ts'
import { listColumns } from './parts/split.ts'
import { priorityMark, taskMark } from './parts/symbols.ts'

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

const fieldsOf =
  (task: Task, names: Snapshot['names']): FilterFields =>
  (key) => {
    const name = (id: string | null) =>
      (id === null ? 'anyone' : (names.get(id) ?? id)).toLowerCase()
    const from = () => name(task.from_agent)
    const to = () => name(task.owner ?? task.to_agent)
    switch (key) {
      case '':
        return [task.task.toLowerCase(), task.message.toLowerCase(), task.task_id, from(), to()]
      case 'from':
        return [from()]
      case 'to':
        return [to()]
      case 'agent':
        return [from(), to()]
      case 'state':
        return [task.status]
      case 'priority':
        return [task.priority]
      case 'id':
        return [task.task_id.toLowerCase()]
      default:
        return null
    }
  }

export interface BoardColumn {
  name: string
  state: TaskState
  tasks: readonly Task[]
}

/** A state that this version does not know counts as open. */
const columnOf = ({ status }: Task): number =>
  Math.max(
    0,
    COLUMNS.findIndex(({ states }) => states.includes(status)),
  )

/** In each column the most urgent first, then what moved last. Of thousands of tasks only those that changed are placed. */
class Board {
  #tasks: readonly Task[] = []
  #names: Snapshot['names'] = new Map()
  #filter = ''
  #columns: readonly BoardColumn[] = EMPTY
  #order = 0

  of(
    tasks: Snapshot['tasks'],
    names: Snapshot['names'],
    filter: string,
    order: number,
  ): readonly BoardColumn[] {
    const isSame =
      order === this.#order && filter === this.#filter && (filter === '' || names === this.#names)
    if (isSame && tasks === this.#tasks) return this.#columns
    const old = isSame ? this.#tasks : []
    const gone = new Set(old.filter((task, i) => task !== tasks[i]))
    const fresh = tasks.filter((task, i) => task !== old[i])
    this.#order = order
    const columns = isSame ? this.#columns : EMPTY
    this.#columns = replaced(columns, gone, passing(fresh, names, filter), BY[order])
    this.#tasks = tasks
    this.#names = names
    this.#filter = filter
    return this.#columns
  }
}

/** The columns with these tasks. */
export const columnsWith = (tasks: readonly Task[]): readonly BoardColumn[] =>
  replaced(EMPTY, new Set(), tasks)

const EMPTY: readonly BoardColumn[] = COLUMNS.map(({ name, states }) => ({
  ...{ name, state: states[0]!, tasks: [] },
}))

const passing = (
  tasks: readonly Task[],
  names: Snapshot['names'],
  filter: string,
): readonly Task[] => {
  const wanted = parseFilter(filter)
  return wanted.words.length === 0
    ? tasks
    : tasks.filter((task) => passes(wanted, fieldsOf(task, names)))
}

/** The columns without those that are gone, and with those that came. */
const replaced = (
  columns: readonly BoardColumn[],
  gone: ReadonlySet<Task>,
  fresh: readonly Task[],
  order: Order<Task> = byUrgency,
): readonly BoardColumn[] => {
  const came = COLUMNS.map((): Task[] => [])
  for (const task of fresh) came[columnOf(task)]!.push(task)
  const left = COLUMNS.map(() => 0)
  for (const task of gone) left[columnOf(task)]!++
  return columns.map((column, i) => {
    if (left[i] === 0 && came[i]!.length === 0) return column
    const kept = left[i] === 0 ? column.tasks : column.tasks.filter((task) => !gone.has(task))
    return { ...column, tasks: withAdded(kept, came[i]!, order) }
  })
}

const byUrgency = (a: Task, b: Task): number =>
  PRIORITIES.indexOf(b.priority) - PRIORITIES.indexOf(a.priority) ||
  (a.updated_at < b.updated_at ? 1 : a.updated_at > b.updated_at ? -1 : 0) ||
  (a.task_id < b.task_id ? -1 : a.task_id > b.task_id ? 1 : 0)

const byAge = (a: Task, b: Task): number =>
  (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0) ||
  (a.task_id < b.task_id ? -1 : a.task_id > b.task_id ? 1 : 0)

/** The orders of `ORDERS.tasks`. */
const BY: readonly Order<Task>[] = [byUrgency, (a, b) => byAge(b, a), byAge]

const board = new Board()

/** The picked task's position on the board; without a pick, the first task's. */
export const boardPlace = latest(
  (columns: readonly BoardColumn[], id: string | null): { column: number; index: number } => {
    for (const [column, { tasks }] of columns.entries()) {
      const index = id === null ? -1 : tasks.findIndex(({ task_id }) => task_id === id)
      if (index >= 0) return { column, index }
    }
    const first = columns.findIndex(({ tasks }) => tasks.length > 0)
    return { column: Math.max(0, first), index: 0 }
  },
)

export const columnsOf = ({ snapshot, state }: UiFrame): readonly BoardColumn[] =>
  board.of(snapshot.tasks, snapshot.names, state.filters.tasks, state.orders.tasks)

export const boardList = (look: UiFrame, column: number): List => {
  const columns = columnsOf(look)
  const place = boardPlace(columns, look.state.selected.tasks)
  const { tasks, name } = columns[column]!
  const at = place.column === column ? place.index : -1
  return {
    ...{ view: 'tasks', name: `tasks ${name}`, count: tasks.length, at },
    ...{ idAt: (index) => tasks[index]!.task_id, each: look.plain ? 1 : 2 },
  }
}

/** Columns that are seen at a time. */
const columnsShown = (look: UiFrame): number => {
  const fit = Math.floor((listColumns(look) + 1) / (COLUMN_CELLS + 1))
  return look.plain ? 1 : Math.max(1, Math.min(COLUMNS.length, fit))
}

/** Lines above the tasks: the columns' heads, and what all columns have where not all are seen. */
export const boardTitles = (look: UiFrame): number => (columnsShown(look) < COLUMNS.length ? 2 : 1)

export const boardRows = (look: UiFrame, width: number, height: number): Row[] => {
  const columns = columnsOf(look)
  const place = boardPlace(columns, look.state.selected.tasks)
  const isEmpty = columns.every(({ tasks }) => tasks.length === 0)
  const words = isEmpty ? emptyRows(look, 'tasks', width) : []
  const rows = columnRows(
    ...([look, columns, place.column, width, height - words.length] as const),
    (at, cells, lines) => {
      const draw = (index: number) => cardRows(look, columns[at]!.tasks[index]!)
      return listRows(look, boardList(look, at), cells, lines, draw)
    },
    (at, lines) => moreText(look, boardList(look, at), lines),
  )
  const titles = boardTitles(look)
  return [
    ...rows.slice(0, titles),
    ...words.map((row) => fitRow(row, width)),
    ...rows.slice(titles),
  ]
}

/** As many of the columns side by side as fit, the picked one among them; `draw` fills one. */
export const columnRows = (
  look: UiFrame,
  columns: readonly BoardColumn[],
  picked: number,
  width: number,
  height: number,
  draw: (column: number, cells: number, lines: number) => readonly Row[],
  moreIn?: (column: number, lines: number) => string,
): Row[] => {
  const shown = columnsShown(look)
  const first = Math.min(Math.max(0, picked - shown + 1), columns.length - shown)
  const each = Math.floor((width - shown + 1) / shown)
  const strips = columns.slice(first, first + shown).map((column, i) => {
    const cells = i === shown - 1 ? width - (each + 1) * (shown - 1) : each
    const at = first + i
    const more = moreIn?.(at, height - boardTitles(look)) ?? ''
    const head = headOf(look, column, at === picked, more)
    return [fitRow(head, cells), ...draw(at, cells, height - boardTitles(look))]
  })
  const rows: Row[] = []
  if (shown < columns.length) {
    rows.push(fitRow(overview(columns, picked, first, shown, look.plain), width))
  }
  for (const [y] of strips[0]!.entries()) {
    rows.push(strips.flatMap((strip, i) => (i === 0 ? strip[y]! : [seg(' '), ...strip[y]!])))
  }
  return rows
}

/** If not all columns fit: the count of each, and the visible ones. */
const overview = (
  columns: readonly BoardColumn[],
  at: number,
  first: number,
  shown: number,
  plain: boolean,
): Row =>
  columns.flatMap(({ name, state, tasks }, i): Row => {
    const isSeen = i >= first && i < first + shown
    const gap = i === 0 ? [] : [seg(plain ? ', ' : '  ')]
    const tone = i === at ? 'strong' : isSeen ? 'plain' : 'dim'
    const mark = plain ? [] : [taskMark(state, false), seg(' ')]
    return [...gap, ...mark, seg(`${name} ${tasks.length}`, tone)]
  })

const headOf = (
  { plain, state: { orders } }: UiFrame,
  { name, state, tasks }: BoardColumn,
  isPicked: boolean,
  more: string,
): Row => [
  ...(plain ? [] : [taskMark(state, false), seg(' ')]),
  seg(name, isPicked ? 'strong' : 'plain'),
  seg(` ${tasks.length}`, 'dim'),
  seg(more === '' ? '' : ` ${more}`, 'accent'),
  seg(isPicked && orders.tasks > 0 ? ` by ${ORDERS.tasks[orders.tasks]}` : '', 'accent'),
]

export const cardRows = (look: UiFrame, task: Task): readonly Row[] => {
  const { snapshot, plain } = look
  const to = shownNameOf(snapshot, task.owner ?? task.to_agent)
  const from = shownNameOf(snapshot, task.from_agent)
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
    [
      seg('   '),
      seg(task.percent === undefined ? '' : `${task.percent} % `, 'accent'),
      said(`${from} → ${to}`, 'dim'),
      seg(` ${when}`, 'dim'),
    ],
  ]
}
