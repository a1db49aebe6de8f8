import type * as Y from 'yjs'
import { shorten } from '../../lib/text/shorten.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { agentName, type Here, listAgents } from '../agents/agents.ts'
import type { AgentStatus } from '../agents/presence.ts'
import { pathField, word } from '../document/names.ts'
import { PRIORITIES } from '../document/schema.ts'
import { fileVersions } from '../files/edit-counts.ts'
import { listFiles } from '../files/file-info.ts'
import { isFor } from '../messages/broadcasts.ts'
import { newestBroadcasts } from '../messages/live-log.ts'
import type { Message } from '../messages/message.ts'
import { isTakeable } from '../tasks/task-routing.ts'
import { isTerminal } from '../tasks/task-states.ts'
import { entries, findEntry, listTasks, type Task } from '../tasks/tasks.ts'
import { messagesSince, type StateVector } from './inbox.ts'

/** Characters of what was said that are shown to a newcomer. */
const SAID = 120
/** Characters of a task, a name or a path that are shown. */
const SHORT = 60

/** The first entries of a list, and the count of the rest. */
interface Some<T> {
  items: T[]
  more: number
}

const some = <T>(all: readonly T[], most: number): Some<T> => ({
  items: all.slice(0, most),
  more: Math.max(0, all.length - most),
})

/** The newest broadcasts, completed tasks and files, for a newcomer. */
const foundBy = (doc: Y.Doc, me: AgentId, now: number, most: number) => {
  const name = (id: string) => shorten(agentName(doc, id), SHORT)
  const said = [...newestBroadcasts(doc, now)]
    .filter((one) => one.to === undefined && one.from !== me)
    .filter(isFor(doc, me))
    .map(({ id, from, topic, content }) => {
      const text = shorten(content, SAID)
      return { message_id: id, from: name(from), topic: shorten(topic, SHORT), content: text }
    })
  const done = listTasks(doc)
    .filter(({ status }) => status === 'completed')
    .sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))
    .map(({ task_id, owner, task }) => ({
      ...{ task_id, by: owner === null ? null : name(owner), task: shorten(task, SHORT) },
    }))
  const files = listFiles(doc)
    .sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))
    .map(({ file_key, version }) => `${pathField(shorten(file_key, SHORT))} version ${version}`)
  return { said: some(said, most), completed: some(done, most), files: some(files, most) }
}

/**
 * The state of an agent's work; every list has at most `most` entries and the count of the rest. `since`: what the agent
 * saw; null: nothing yet, and it is shown what is here.
 */
export const primeOf = (
  doc: Y.Doc,
  me: AgentId,
  here: Here,
  unread: readonly Message[],
  since: StateVector | null,
  most: number,
) => {
  const name = (id: string) => shorten(agentName(doc, id), SHORT)
  const task = ({ task_id, status, priority, from_agent, to_agent, task: text }: Task) => ({
    ...{ task_id, status, priority, from: name(from_agent) },
    to: to_agent === null ? null : name(to_agent),
    task: shorten(text, SHORT),
  })
  const rank = ({ priority }: Task) => -PRIORITIES.indexOf(priority)
  const open = listTasks(doc)
    .filter(({ status }) => !isTerminal(status))
    .sort((a, b) => rank(a) - rank(b))
  const offered = [...entries(doc)].filter((entry) =>
    isTakeable(doc, entry, me, (id) => findEntry(doc, id)),
  )
  const toTake = offered.filter(({ facts }) => facts.to === null).length
  const mine = open.filter(({ owner, to_agent }) => (owner ?? to_agent) === me)
  const delegated = open.filter(({ from_agent }) => from_agent === me)
  const kinds: Record<string, number> = {}
  for (const message of unread) {
    const kind =
      message.type === 'task_delegation' ? `task_delegation ${message.priority}` : message.type
    kinds[kind] = (kinds[kind] ?? 0) + 1
  }
  const changes = since === null ? [] : messagesSince(doc, since, me, here, fileVersions(doc))
  const files = changes.flatMap((message) => {
    if (message.type === 'file_removed')
      return `${pathField(shorten(message.file_key, SHORT))} is gone`
    if (message.type !== 'file_updated') return []
    return `${pathField(shorten(message.file_key, SHORT))} version ${message.version}`
  })
  const joined = changes.flatMap((message) =>
    message.type === 'agent_joined' ? shorten(message.agent.name, SHORT) : [],
  )
  const others = listAgents(doc, here).filter(({ agent_id }) => agent_id !== me)
  const order: AgentStatus[] = ['online', 'idle', 'stale', 'offline']
  others.sort((a, b) => order.indexOf(a.status) - order.indexOf(b.status))
  return {
    me: { agent_id: me, name: name(me) },
    tasks: some(mine.map(task), most),
    delegated: some(delegated.map(task), most),
    ...(toTake > 0 && { open_to_you: toTake }),
    unread: { total: unread.length, kinds },
    agents: some(
      others.map(({ name, status, activity: { note, task } = {} }) => {
        const doing = [note, task].filter((part) => part !== undefined).join(' ')
        const who = { name: shorten(name, SHORT), status }
        return doing === '' ? who : { ...who, doing: shorten(doing, SHORT) }
      }),
      most,
    ),
    files_changed: some(files, most),
    agents_joined: some(joined, most),
    ...(since === null && { here: foundBy(doc, me, here.now, most) }),
  }
}

export type Prime = ReturnType<typeof primeOf>

/** The same for reading. */
export const primeLines = (prime: Prime, where: string, next: readonly string[]): string[] => {
  const {
    me,
    tasks,
    delegated,
    open_to_you = 0,
    unread,
    agents,
    files_changed,
    agents_joined,
    here: found,
  } = prime
  const list = <T>(title: string, { items, more }: Some<T>, line: (item: T) => string) => {
    const rest = more === 0 ? [] : [`  … ${more} more`]
    return items.length + more === 0
      ? []
      : [`${title}: ${items.length + more}`, ...items.map((item) => `  ${line(item)}`), ...rest]
  }
  const kinds = Object.entries(unread.kinds).map(([kind, count]) => `${count} ${kind}`)
  return [
    `you: ${me.agent_id} (${word(me.name)}) in ${where}`,
    ...list('your open tasks', tasks, (t) => `${t.task_id} ${t.status} ${t.priority} ${t.task}`),
    ...list(
      'delegated and open',
      delegated,
      (t) => `${t.task_id} ${t.status} to ${t.to === null ? 'anyone' : word(t.to)}: ${t.task}`,
    ),
    ...(open_to_you === 0 ? [] : [`open to whoever claims first: ${open_to_you} (claim --next)`]),
    `unread: ${unread.total}${kinds.length === 0 ? '' : ` (${kinds.join(', ')})`}`,
    ...list('others', agents, (a) =>
      [word(a.name), a.status, ...('doing' in a ? [a.doing] : [])].join(' '),
    ),
    ...list('files changed since you looked', files_changed, (file) => file),
    ...list('joined since you looked', agents_joined, word),
    ...(found === undefined
      ? []
      : [
          ...list('said before', found.said, (one) => {
            const topic = one.topic === 'general' ? '' : ` on ${word(one.topic)}`
            return `${word(one.from)}${topic}: ${one.content}`
          }),
          ...list(
            'tasks completed',
            found.completed,
            (t) => `${t.task_id}${t.by === null ? '' : ` by ${word(t.by)}`}: ${t.task}`,
          ),
          ...list('files', found.files, (file) => file),
        ]),
    `next: ${next.join(' | ')}`,
  ]
}
