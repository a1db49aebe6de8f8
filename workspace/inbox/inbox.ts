import * as Y from 'yjs'
import {
  indexOfClock,
  isRootType,
  itemOfParent,
  structsByClient,
  valuesIn,
} from '../../lib/yjs/internals.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { type Here, hasAgent, listAgents } from '../agents/agents.ts'
import {
  agentsOf,
  type BroadcastEntry,
  broadcastsOf,
  EDITS_PREFIX,
  type EditCount,
  filesOf,
  isoTime,
  PRIORITIES,
  suggestionsOf,
  tasksOf,
} from '../document/schema.ts'
import {
  isBroadcast,
  isClientId,
  isEditCount,
  isSuggestionDecision,
  readFileEntry,
} from '../document/shape.ts'
import type { VersionOf } from '../files/edit-counts.ts'
import { findSuggestion } from '../files/suggestions.ts'
import { findLeaf } from '../files/tree.ts'
import { broadcastMessage, isFor } from '../messages/broadcasts.ts'
import type { Message } from '../messages/message.ts'
import { type SuggestionNews, suggestionMessages } from '../suggestions/news.ts'
import type { ArchivedTask, Placed } from '../tasks/task-archive.ts'
import { addNews, type TaskNews, taskMessages } from '../tasks/task-news.ts'
import { findEntry } from '../tasks/tasks.ts'
import { isTogether } from './together.ts'

/** A Yjs state vector: client id → covered operations (count). */
export type StateVector = ReadonlyMap<number, number>

/**
 * The findings of one pass over new operations: broadcasts, tasks and the like, before they become
 * messages.
 */
interface Found {
  broadcasts: Placed<BroadcastEntry>[]
  tasks: Map<TaskId, TaskNews>
  suggestions: Map<string, SuggestionNews>
  agents: Set<string>
  edits: Map<string, EditCount>
  /** Paths with a new entry. */
  paths: Set<string>
}

/**
 * A message with the Yjs id of its element, which no other agent can choose; authors choose the ids
 * of their messages. Null: it tells of a file or an agent, which have many elements.
 */
export interface Fresh {
  at: string | null
  message: Message
}

const fresh = ({ client, clock, value }: Placed<Message>): Fresh => ({
  at: `${client}:${clock}`,
  message: value,
})

/** The messages of `newsSince`, by time. */
export const messagesSince = (...what: Parameters<typeof newsSince>): Message[] =>
  newsSince(...what)
    .map(({ message }) => message)
    .sort(byTime)

const messageOf = (entry: BroadcastEntry): Message => {
  const message = broadcastMessage(entry)
  if (message.type !== 'direct_message' || !isTogether(entry)) return message
  const { reply_to: _, ...said } = message
  return { ...said, type: 'look_together' }
}

/** The messages for `me` among elements of the log. */
export const broadcastNews = (
  doc: Y.Doc,
  me: AgentId,
  entries: readonly Placed<BroadcastEntry>[],
): Fresh[] => {
  const isMine = isFor(doc, me)
  return entries
    .filter(({ value }) => isMine(value))
    .map((placed) => fresh({ ...placed, value: messageOf(placed.value) }))
}

/**
 * The messages for agent `me` among the operations of `doc` that `since` does not cover. Only a
 * state vector neither skips nor repeats: it names exactly the operations that a replica has
 * integrated, so it finds entries of an offline peer that merge in *before* others, which an index
 * into an array would miss. The cost grows with the new operations, not with the document.
 */
export const newsSince = (
  doc: Y.Doc,
  since: StateVector,
  me: AgentId,
  here: Here,
  versionOf: VersionOf,
): Fresh[] => {
  const found = collect(doc, since, me)
  const said = broadcastNews(doc, me, found.broadcasts)
  for (const [id, news] of found.tasks) {
    const entry = findEntry(doc, id)
    if (entry !== undefined) said.push(...taskMessages(entry, news, me).map(fresh))
  }
  for (const [id, news] of found.suggestions) {
    const entry = findSuggestion(doc, id)
    if (entry !== null) said.push(...suggestionMessages(entry, news, me).map(fresh))
  }
  const messages: Message[] = []
  for (const [file, { agent, at }] of found.edits) {
    const info = versionOf(file)
    if (info === null) continue
    messages.push({
      type: 'file_updated',
      message_id: `${info.file_key}@${info.version}`,
      from_agent: agent,
      to_agent: null,
      timestamp: isoTime(at),
      ...info,
      last_editor: agent,
    })
  }
  for (const path of found.paths) {
    const removed = readFileEntry(doc, path)?.removed
    if (removed === undefined || removed.by === me || findLeaf(doc, path) !== null) continue
    messages.push({
      type: 'file_removed',
      message_id: `${path}@${isoTime(removed.at)}`,
      from_agent: removed.by,
      to_agent: null,
      timestamp: isoTime(removed.at),
      file_key: path,
      moved_to: removed.movedTo ?? null,
    })
  }
  if (found.agents.size > 0) {
    for (const agent of listAgents(doc, here)) {
      if (agent.agent_id === me || !found.agents.has(agent.agent_id)) continue
      messages.push({
        type: 'agent_joined',
        message_id: `${agent.agent_id}@${agent.registered_at}`,
        from_agent: agent.agent_id,
        to_agent: null,
        timestamp: agent.registered_at,
        agent,
      })
    }
  }
  return [...said, ...messages.map((message) => ({ at: null, message }))]
}

/**
 * The messages for `me` of a task that was archived between two views, `before` and `now`, as far
 * as they were not derived while it was live. Null: `now` does not cover its end yet, so it is
 * still to come.
 */
export const archivedTaskMessages = (
  task: ArchivedTask,
  before: StateVector,
  now: StateVector,
  me: AgentId,
): Fresh[] | null => {
  const all = [...task.history, ...task.notes, ...task.offers]
  if (all.some((one) => one.clock > 0 && !covers(now, one))) return null
  const unseen = <T>(list: readonly Placed<T>[]): Placed<T>[] =>
    list.filter((one) => !covers(before, one) && one.client > 0)
  const news = {
    offers: unseen(task.offers),
    transitions: unseen(task.history),
    notes: unseen(task.notes),
  }
  return taskMessages(task, news, me).map(fresh)
}

/**
 * More files than this that one agent changed at once are one message: a checkout, the first pass
 * of a mirror.
 */
export const MANY_FILES = 20

/**
 * Replaces the messages about many files of one agent by one, which is as new as the newest of
 * them.
 */
export const groupFiles = (messages: readonly Message[]): Message[] => {
  const byAgent = new Map<string, (Message & { file_key: string })[]>()
  for (const message of messages) {
    if (message.type !== 'file_updated' && message.type !== 'file_removed') continue
    const known = byAgent.get(message.from_agent)
    if (known === undefined) byAgent.set(message.from_agent, [message])
    else known.push(message)
  }
  const groups: Message[] = []
  const grouped = new Set<Message>()
  for (const [from_agent, all] of byAgent) {
    if (all.length <= MANY_FILES) continue
    for (const message of all) grouped.add(message)
    const timestamp = all.map((message) => message.timestamp).reduce((a, b) => (a > b ? a : b))
    const removed = all.filter(({ type }) => type === 'file_removed').length
    groups.push({
      type: 'files_changed',
      message_id: `${from_agent}@${timestamp}`,
      from_agent,
      to_agent: null,
      timestamp,
      updated: all.length - removed,
      removed,
      file_keys: all
        .map(({ file_key }) => file_key)
        .sort()
        .slice(0, MANY_FILES),
      hint: 'file-list --changed shows what you have not read',
    })
  }
  if (groups.length === 0) return [...messages]
  return [...messages.filter((message) => !grouped.has(message)), ...groups].sort(byTime)
}

/** An archived broadcast with the Yjs id of its element and its position in the archive. */
export interface ArchivedBroadcast {
  seq: number
  client: number
  clock: number
  entry: BroadcastEntry
}

const covers = (
  vector: StateVector,
  { client, clock }: { client: number; clock: number },
): boolean => clock < (vector.get(client) ?? 0)

/**
 * The entries that came into the document and left it for the archive between two views, `before`
 * and `now`: no view saw them live. `live` has the places of the entries that `now` found live,
 * which may have been archived since. `upTo` is the position to continue from: entries that `now`
 * did not cover are still to come, the rest of the page is done.
 */
export const archivedMeanwhile = (
  page: readonly ArchivedBroadcast[],
  before: StateVector,
  now: StateVector,
  live: ReadonlySet<string>,
): { missed: Placed<BroadcastEntry>[]; upTo: number | null } => {
  const missed: Placed<BroadcastEntry>[] = []
  let upTo: number | null = null
  for (const { seq, client, clock, entry } of page) {
    const id = { client, clock }
    if (!covers(now, id)) upTo ??= seq - 1
    else if (!covers(before, id) && !live.has(`${client}:${clock}`)) {
      missed.push({ ...id, value: entry })
    }
  }
  return { missed, upTo }
}

/** Requests for approval and suggestions come first: others wait for them. */
const APPROVAL_RANK = PRIORITIES.length

/** The urgency of a message: above 0 for an urgent or high task or what is to be approved, below 0 for a low task. */
export const rankOf = (message: Message): number => {
  if (message.type === 'file_suggestion') return APPROVAL_RANK
  if (message.type === 'task_update' && message.event === 'approval-asked') return APPROVAL_RANK
  return message.type === 'task_delegation'
    ? PRIORITIES.indexOf(message.priority) - PRIORITIES.indexOf('normal')
    : 0
}

/** Orders tasks by priority after what is to be approved, other messages as normal ones; the sort is stable. */
export const byPriority = <T extends { message: Message }>(waiting: readonly T[]): T[] =>
  [...waiting].sort((a, b) => rankOf(b.message) - rankOf(a.message))

export const byTime = (a: Message, b: Message): number => {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1
  return a.message_id < b.message_id ? -1 : a.message_id > b.message_id ? 1 : 0
}

const collect = (doc: Y.Doc, since: StateVector, me: AgentId): Found => {
  const found: Found = {
    broadcasts: [],
    tasks: new Map(),
    suggestions: new Map(),
    agents: new Set(),
    edits: new Map(),
    paths: new Set(),
  }
  const roots = { agents: agentsOf(doc), tasks: tasksOf(doc), broadcasts: broadcastsOf(doc) }
  const suggestions = suggestionsOf(doc)
  const files = filesOf(doc)
  for (const [client, structs] of structsByClient(doc)) {
    const from = since.get(client) ?? 0
    const last = structs[structs.length - 1]
    if (last === undefined || last.id.clock + last.length <= from) continue
    for (let i = indexOfClock(structs, from); i < structs.length; i++) {
      const item = structs[i]
      if (!(item instanceof Y.Item) || item.deleted) continue
      const key = item.parentSub
      if (item.parent === roots.broadcasts) {
        // Yjs joins neighbouring elements of one client into one item; `since` may cover a part of
        // it.
        for (const { value, ...id } of elementsFrom(item, from)) {
          if (isBroadcast(value)) found.broadcasts.push({ ...id, value })
        }
      } else if (item.parent === roots.agents) {
        if (key !== null && hasAgent(doc, key) && item.origin === null) found.agents.add(key)
      } else if (item.parent === files) {
        if (key !== null) found.paths.add(key)
      } else if (isRoot(item.parent)) {
        const name = rootName(doc, item.parent)
        if (!name.startsWith(EDITS_PREFIX) || key === null || !isClientId(key)) continue
        const edit = elementsFrom(item, from)[0]?.value
        if (!isEditCount(edit) || edit.agent === me) continue // my own edit must not hide another's before it
        const file = name.slice(EDITS_PREFIX.length)
        const known = found.edits.get(file)
        if (known === undefined || known.at < edit.at) found.edits.set(file, edit)
      } else {
        const list = listIn(item.parent, roots.tasks)
        if (list === null) {
          addSuggestion(found.suggestions, suggestions, item, from)
          continue
        }
        const news = found.tasks.get(list.entry as TaskId) ?? {
          offers: [],
          transitions: [],
          notes: [],
        }
        found.tasks.set(list.entry as TaskId, news)
        for (const element of elementsFrom(item, from)) addNews(news, list.field, element)
      }
    }
  }
  return found
}

const isRoot = (parent: Y.Item['parent']): parent is Y.AbstractType<unknown> =>
  parent instanceof Y.AbstractType && isRootType(parent)

/** Names of root types, each looked up once: there is at least one per file. */
const rootNames = new WeakMap<object, string>()

const rootName = (doc: Y.Doc, type: object): string => {
  if (!rootNames.has(type)) for (const [name, root] of doc.share) rootNames.set(root, name)
  return rootNames.get(type) ?? ''
}

const elementsFrom = (item: Y.Item, from: number): Placed<unknown>[] => {
  const { client, clock } = item.id
  const skipped = Math.max(0, from - clock)
  const values = valuesIn(item).slice(skipped)
  return values.map((value, i) => ({ client, clock: clock + skipped + i, value }))
}

/** The entry of a bucket of `root` and its field whose array `parent` is; null: it is another type. */
const listIn = (
  parent: Y.Item['parent'],
  root: unknown,
): { entry: string; field: string | null } | null => {
  const array = itemOfParent(parent)
  const entry = itemOfParent(array?.parent)
  const bucket = itemOfParent(entry?.parent)
  if (array == null || entry == null || bucket?.parent !== root || entry.deleted) return null
  return entry.parentSub === null ? null : { entry: entry.parentSub, field: array.parentSub }
}

/** Adds what an item says of a suggestion, if it is of one: its facts are new, or a decision. */
const addSuggestion = (
  found: Found['suggestions'],
  root: unknown,
  item: Y.Item,
  from: number,
): void => {
  const newsOf = (id: string): SuggestionNews => {
    const news = found.get(id) ?? { filed: null, decisions: [] }
    found.set(id, news)
    return news
  }
  const entry = itemOfParent(item.parent)
  const isEntry = itemOfParent(entry?.parent)?.parent === root && entry?.deleted === false
  if (isEntry && entry.parentSub !== null && item.parentSub === 'facts') {
    newsOf(entry.parentSub).filed = { ...item.id, value: null }
    return
  }
  const list = listIn(item.parent, root)
  if (list?.field !== 'decisions') return
  for (const placed of elementsFrom(item, from)) {
    const { value } = placed
    if (isSuggestionDecision(value)) newsOf(list.entry).decisions.push({ ...placed, value })
  }
}
