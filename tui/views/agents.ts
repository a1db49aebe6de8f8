import type { AgentStatus } from '../../workspace/agents/presence.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { type FilterFields, parseFilter, passes } from '../model/filter.ts'
import { ago, latest, localTime, type UiFrame } from '../model/frame.ts'
import { ORDERS } from '../model/orders.ts'
import { type AgentLine, type Snapshot, shownNameOf } from '../model/snapshot.ts'
import { finder } from '../model/sorted.ts'
import type { ReadPage } from '../model/state.ts'
import { type Column, columnWidths, type Row, said, seg, tableRow } from '../ui/rows.ts'
import { type List, listHead, listRows } from './parts/list.ts'
import { labelled, paragraph } from './parts/page.ts'
import { agentMark, agentWords, priorityMark, taskMark } from './parts/symbols.ts'

const ORDER: readonly AgentStatus[] = ['online', 'idle', 'stale', 'offline']

const lower = (text: string) => text.toLowerCase()

const fieldsOf =
  ({ agent, file, task }: AgentLine): FilterFields =>
  (key) => {
    const { name, machine, capabilities, status, description, activity, agent_id } = agent
    const caps = capabilities.map(lower)
    switch (key) {
      case '': {
        const note = activity?.note ?? ''
        const all = [name, machine, status, description, note, file ?? '', task ?? '', agent_id]
        return [...all.map(lower), ...caps]
      }
      case 'agent':
      case 'from':
        return [lower(name)]
      case 'state':
        return [status]
      case 'machine':
        return [lower(machine)]
      case 'caps':
        return caps
      case 'file':
        return [lower(file ?? '')]
      default:
        return null
    }
  }

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const rank = ({ agent }: AgentLine): number => ORDER.indexOf(agent.status)

/** The agents come by name. */
const BY: Readonly<Record<string, (a: AgentLine, b: AgentLine) => number>> = {
  state: (a, b) => rank(a) - rank(b),
  name: (a, b) => byText(lower(a.agent.name), lower(b.agent.name)),
  'last seen': (a, b) => byText(b.agent.last_heartbeat, a.agent.last_heartbeat),
  machine: (a, b) => byText(a.agent.machine, b.agent.machine),
}

/** Those that are here first, by name, if no other order is chosen. */
export const agentItems = latest(
  (agents: Snapshot['agents'], filter: string, order: number): readonly AgentLine[] => {
    const wanted = parseFilter(filter)
    const found = agents.filter((line) => passes(wanted, fieldsOf(line)))
    return found.sort(BY[ORDERS.agents[order] ?? 'state'])
  },
)

const COLUMNS: readonly Column[] = [
  { title: 'AGENT', min: 16, grow: 2 },
  { title: 'NOW', min: 20, grow: 6 },
  { title: 'SEEN', min: 5, grow: 0 },
  { title: 'FILE', min: 14, grow: 3 },
  { title: 'MACHINE', min: 10, grow: 2 },
  { title: 'CAN', min: 12, grow: 3 },
]

export const agentList = ({ snapshot, state }: UiFrame): List => {
  const items = agentItems(snapshot.agents, state.filters.agents, state.orders.agents)
  const idAt = (index: number) => items[index]!.agent.agent_id
  const at = Math.max(0, placeOf(items, state.selected.agents ?? ''))
  return { view: 'agents', name: 'agents', count: items.length, idAt, each: 1, at }
}

const placeOf = finder<AgentLine>(({ agent }) => agent.agent_id)

export const agentRows = (look: UiFrame, width: number, height: number): Row[] => {
  const { snapshot, state, plain } = look
  const items = agentItems(snapshot.agents, state.filters.agents, state.orders.agents)
  const widths = columnWidths(COLUMNS, width)
  const head = tableRow(
    COLUMNS.map(({ title }) => [seg(title, 'dim')]),
    widths,
  )
  const draw = (i: number): Row[] => [
    plain ? plainRow(look, items[i]!) : tableRow(cellsOf(look, items[i]!), widths),
  ]
  if (plain) return listRows(look, agentList(look), width, height, draw)
  return [
    listHead(look, agentList(look), head, width, height - 1),
    ...listRows(look, agentList(look), width, height - 1, draw),
  ]
}

const cellsOf = ({ snapshot, plain }: UiFrame, line: AgentLine): Row[] => {
  const { agent, file } = line
  const { status, name, kind, machine, capabilities, last_heartbeat } = agent
  const isHere = status === 'online' || status === 'idle'
  const you = agent.agent_id === snapshot.me ? [seg(' (you)', 'dim')] : []
  const person = kind === 'person' && you.length === 0 ? [seg(' ☺', 'dim')] : []
  return [
    [
      agentMark(status, plain),
      seg(' '),
      said(name, isHere ? 'strong' : 'plain'),
      ...you,
      ...person,
    ],
    nowOf(snapshot, line),
    [seg(isHere ? 'now' : ago(last_heartbeat, snapshot.now), 'dim')],
    [said(file ?? '', 'accent')],
    [said(machine, 'dim')],
    [said(capabilities.join(' '), 'dim')],
  ]
}

/** Its pause, its task, and its own status. */
const nowOf = (snapshot: Snapshot, { agent, task }: AgentLine): Row => {
  const known = task === null ? undefined : snapshot.taskById.get(task)
  const doing = [agent.activity?.note, known?.task ?? task].filter((part) => part != null)
  const paused = agent.paused === undefined ? [] : [seg('‖ paused ', 'warn')]
  return [...paused, said(doing.join(' · '))]
}

const plainRow = ({ snapshot }: UiFrame, line: AgentLine): Row => {
  const { agent, file } = line
  const now = nowOf(snapshot, line).map(({ text }) => text)
  const parts = [agent.name, agent.status, now.join(''), file === null ? '' : `in ${file}`]
  return [said(parts.filter((part) => part !== '').join(', '))]
}

/** Tasks listed on an agent's page; the board filtered by `to:` has them all. */
const MAX_TASKS = 200

/** The tasks that have not ended, by whose they are. */
const openTasks = latest((tasks: Snapshot['tasks']): ReadonlyMap<string | null, Task[]> => {
  const open = new Map<string | null, Task[]>()
  for (const task of tasks) {
    if (isTerminal(task.status)) continue
    const id = task.owner ?? task.to_agent
    const known = open.get(id)
    if (known === undefined) open.set(id, [task])
    else known.push(task)
  }
  return open
})

/** All that is known of one agent; null: there is none. */
export const agentPage = (
  { snapshot, plain }: UiFrame,
  { id }: Pick<ReadPage, 'id'>,
  width: number,
): Row[] | null => {
  const line = snapshot.agents.find(({ agent }) => agent.agent_id === id)
  if (line === undefined) return null
  const { agent, file } = line
  const { paused } = agent
  const mine = openTasks(snapshot.tasks).get(id) ?? []
  return [
    [said(agent.name, 'strong'), seg(`  ${agent.kind}`, 'dim')],
    [],
    labelled('status', [agentWords(agent.status, plain)]),
    ...(paused === undefined
      ? []
      : [
          labelled('paused', [
            said(`by ${shownNameOf(snapshot, paused.by)}, ${ago(paused.at, snapshot.now)}`, 'warn'),
            said(paused.note === '' ? '' : `: ${paused.note}`),
          ]),
        ]),
    labelled('now', nowOf(snapshot, line)),
    labelled('file', [said(file ?? '–', 'accent')]),
    labelled('machine', [said(agent.machine)]),
    labelled('can', [said(agent.capabilities.join(', '))]),
    labelled('hears', [said(agent.topics.length === 0 ? 'all topics' : agent.topics.join(', '))]),
    labelled('seen', [seg(localTime(agent.last_heartbeat))]),
    labelled('here since', [seg(localTime(agent.registered_at))]),
    labelled('id', [said(agent.agent_id, 'dim')]),
    ...(agent.description === '' ? [] : [[], ...paragraph(agent.description, width)]),
    [],
    [seg(`Open tasks: ${mine.length}`, 'strong')],
    ...mine.slice(0, MAX_TASKS).map(({ task_id, task, status, priority }): Row => {
      const page = { kind: 'task', id: task_id, top: 0 } as const
      const click = { type: 'open', page } as const
      return [
        { ...taskMark(status, plain), click },
        seg(' '),
        priorityMark(priority, plain),
        seg(' '),
        { ...said(task), click },
      ]
    }),
    ...(mine.length > MAX_TASKS ? [[seg(`… ${mine.length - MAX_TASKS} more`, 'dim')]] : []),
  ]
}
