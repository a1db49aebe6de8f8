import type * as Y from 'yjs'
import { isAt, stateVectorOf } from '../../lib/yjs/internals.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import type { Here } from '../agents/agents.ts'
import {
  archivedBroadcasts,
  type BroadcastEntry,
  archivedTasks as countArchivedTasks,
  type Json,
} from '../document/schema.ts'
import { isSpokenId, taskRecord, taskRecords } from '../document/shape.ts'
import { fileVersions } from '../files/edit-counts.ts'
import { findBroadcasts, someBroadcasts } from '../messages/live-log.ts'
import type { Message } from '../messages/message.ts'
import {
  hear,
  readTalk,
  SILENCE,
  speak,
  type Talk,
  type Trace,
  traceIn,
} from '../messages/trace.ts'
import { markDelivered, markRead } from '../tasks/receipts.ts'
import type { ArchivedTask, Placed } from '../tasks/task-archive.ts'
import { entries, findEntry, isOpen } from '../tasks/tasks.ts'
import { welcomeMessages } from './digest.ts'
import {
  type ArchivedBroadcast,
  archivedMeanwhile,
  archivedTaskMessages,
  broadcastNews,
  byTime,
  type Fresh,
  groupFiles,
  newsSince,
  type StateVector,
} from './inbox.ts'

/**
 * A page of the archive of broadcasts. At the end of the archive `next` is the position that was
 * asked for.
 */
export interface ArchivePage {
  entries: ArchivedBroadcast[]
  next: number
}

/** The same for the archive of tasks. */
export interface TaskArchivePage {
  entries: { seq: number; task: ArchivedTask }[]
  next: number
}

/** The server's archives after a position, page by page. */
export interface Archives {
  broadcasts: (after: number) => Promise<ArchivePage>
  tasks: (after: number) => Promise<TaskArchivePage>
}

/** The position of an inbox in the document and in the archives. */
export interface InboxPosition {
  /** Covers the operations whose messages have been derived. */
  vector: StateVector
  /** Positions in the archives of broadcasts and of tasks; earlier entries need no look. */
  archived: number
  archivedTasks: number
}

/** Stores messages until they are acknowledged, next to the document that they come from. */
export interface Mailbox {
  readonly doc: Y.Doc
  /** True where its agent may write nothing into the document: no receipts either. */
  readonly onlyReads?: boolean
  /** The state vector that the messages of `agent` cover; null: it has no messages here yet. */
  cursor(agent: string): StateVector | null
  archivePosition(agent: string): Omit<InboxPosition, 'vector'>
  /** Stages messages for `agent` and moves its cursor. */
  receive(agent: string, messages: readonly Message[], to?: InboxPosition): void
  /** Tells whether the element at this place (`Fresh.at`) was delivered before its turn. */
  isAhead?(at: string): boolean
}

/** The messages that an agent received and sent, as far as loops are recognized by them. */
export interface Talker {
  readonly doc: Y.Doc
  /** As of a mailbox. */
  readonly onlyReads?: boolean
  record<T extends Json>(name: string): T | undefined
  keepRecord(name: string, value: Json): void
}

/**
 * One call at a time reads the archive; concurrent calls wait for it, since both would derive the
 * same messages.
 */
const turns = new WeakMap<Mailbox, Promise<unknown>>()

/**
 * Stages the messages for `me` among the new operations of the replica, and those that came and
 * were archived while it was away. False: the archive cannot be reached, and nothing was staged.
 */
export const receive = (
  replica: Mailbox,
  me: AgentId,
  here: Here,
  archives: Archives,
): Promise<boolean> => {
  const before = turns.get(replica) ?? Promise.resolve()
  const turn = before.catch(() => {}).then(() => receiveNow(replica, me, here, archives))
  turns.set(replica, turn)
  return turn
}

const receiveNow = async (
  replica: Mailbox,
  me: AgentId,
  here: Here,
  archives: Archives,
): Promise<boolean> => {
  const { doc } = replica
  const look = viewInbox(replica, me, here)
  if (look === null) {
    welcome(replica, me, here.now)
    return true
  }
  try {
    take(replica, me, look, await archivedSince(doc, look, me, archives), here.now)
    return true
  } catch (error) {
    if (error instanceof ClawError && error.toBody().retryable) return false
    throw error
  }
}

/** The news of a document for one agent, and which archives may have more of it. */
export interface InboxView extends InboxPosition {
  since: StateVector
  live: readonly Fresh[]
  /** The live tasks, where tasks were archived since the view before. */
  liveTasks: ReadonlySet<TaskId>
  /** The archives that have grown since the view before. */
  lacks: { broadcasts: boolean; tasks: boolean }
}

/** The news of the document now; null: the inbox has not begun. */
export const viewInbox = (mailbox: Mailbox, me: AgentId, here: Here): InboxView | null => {
  const { doc } = mailbox
  const since = mailbox.cursor(me)
  if (since === null) return null
  const position = mailbox.archivePosition(me)
  const isOld = isAt(doc, since)
  const lacks = {
    broadcasts: archivedBroadcasts(doc) > position.archived,
    tasks: countArchivedTasks(doc) > position.archivedTasks,
  }
  return {
    ...{ ...position, since, lacks },
    vector: isOld ? since : stateVectorOf(doc),
    live: isOld ? [] : newsSince(doc, since, me, here, fileVersions(doc)),
    liveTasks: new Set(lacks.tasks ? [...taskRecords(doc)].map(([id]) => id) : []),
  }
}

/**
 * The archived entries that came and went between two views, and the positions up to which the
 * archives were read.
 */
export interface Missed extends Omit<InboxPosition, 'vector'> {
  messages: readonly Fresh[]
}

/** Reads the archives as far as a view lacks entries. Passes on the errors of `archives`. */
export const archivedSince = async (
  doc: Y.Doc,
  look: InboxView,
  me: AgentId,
  archives: Archives,
): Promise<Missed> => {
  const { since, live, liveTasks, lacks } = look
  let { archived, archivedTasks } = look
  let missed: Placed<BroadcastEntry>[] = []
  let missedTasks: Fresh[] = []
  const now = look.vector
  if (lacks.broadcasts) {
    const places = new Set(live.flatMap(({ at }) => at ?? []))
    ;({ missed, archived } = await readArchive(archived, archives.broadcasts, (page) =>
      archivedMeanwhile(page, since, now, places),
    ))
  }
  if (lacks.tasks) {
    const seen = (task: ArchivedTask) => archivedTaskMessages(task, since, now, me)
    const read = await readTaskArchive(archivedTasks, archives.tasks, liveTasks, seen)
    missedTasks = read.missed
    archivedTasks = read.archived
  }
  return { messages: [...broadcastNews(doc, me, missed), ...missedTasks], archived, archivedTasks }
}

/** Stages the messages of a view, and notes that its agent has them. */
export const take = (
  mailbox: Mailbox,
  me: AgentId,
  { vector, live }: InboxView,
  { messages, ...position }: Missed,
  now: number,
): void => {
  const news = (found: readonly Fresh[]): Message[] =>
    found.filter(({ at }) => at === null || !mailbox.isAhead?.(at)).map(({ message }) => message)
  const fresh = news(live)
  mailbox.receive(me, groupFiles([...news(messages), ...fresh].sort(byTime)), {
    vector,
    ...position,
  })
  if (mailbox.onlyReads !== true) markDelivered(mailbox.doc, me, fresh, now)
}

/** As `readArchive`. A task that was live in the second view got its messages there. */
const readTaskArchive = async (
  from: number,
  fetchArchive: Archives['tasks'],
  live: ReadonlySet<TaskId>,
  look: (task: ArchivedTask) => Fresh[] | null,
): Promise<{ missed: Fresh[]; archived: number }> => {
  const missed: Fresh[] = []
  // A task that got a note after it was archived is in the archive twice.
  const looked = new Set(live)
  let upTo: number | null = null
  for (let after = from; ; ) {
    const { entries, next } = await fetchArchive(after)
    for (const { seq, task } of entries) {
      const found = look(task)
      if (found === null) upTo ??= seq - 1
      else if (!looked.has(task.id)) missed.push(...found)
      looked.add(task.id)
    }
    if (next <= after) return { missed, archived: upTo ?? after }
    after = next
  }
}

/**
 * Reads the archive to its end. All entries archived before the second view follow the start
 * position; the returned position precedes the first entry that is still to come.
 */
const readArchive = async (
  from: number,
  fetchArchive: Archives['broadcasts'],
  look: (page: ArchivePage['entries']) => ReturnType<typeof archivedMeanwhile>,
): Promise<{ missed: Placed<BroadcastEntry>[]; archived: number }> => {
  const missed: Placed<BroadcastEntry>[] = []
  let upTo: number | null = null
  for (let after = from; ; ) {
    const { entries, next } = await fetchArchive(after)
    const found = look(entries)
    missed.push(...found.missed)
    upTo ??= found.upTo
    if (next <= after) return { missed, archived: upTo ?? after }
    after = next
  }
}

/** The position of an inbox that has all there is. */
export const presentOf = (doc: Y.Doc): InboxPosition => ({
  vector: stateVectorOf(doc),
  archived: archivedBroadcasts(doc),
  archivedTasks: countArchivedTasks(doc),
})

/**
 * Stages the first messages of a new agent; its inbox starts at the present. Does nothing for other
 * agents.
 */
export const welcome = (replica: Mailbox, me: AgentId, now: number): void => {
  if (replica.cursor(me) !== null) return
  const { doc } = replica
  const messages = welcomeMessages(doc, me, now)
  replica.receive(me, messages, presentOf(doc))
  if (replica.onlyReads !== true) markDelivered(doc, me, messages, now)
}

/** Stages the acknowledgement of these messages by `me`, and tells their senders. */
export const acknowledge = (
  replica: Talker & { acknowledge(keys: readonly string[]): void },
  me: AgentId,
  handedOut: readonly { key: string; message: Message }[],
  now: number,
): void => {
  const messages = handedOut.map(({ message }) => message)
  if (replica.onlyReads !== true) markRead(replica.doc, me, messages, now)
  keepTalk(replica, hear(talkOf(replica), messages, now))
  replica.acknowledge(handedOut.map(({ key }) => key))
}

/** A message that is archived, or whose id occurs twice, counts as the first of a chain. */
const traceOfId = (doc: Y.Doc, id: string): Trace | null => {
  if (!isSpokenId(id)) return null
  const [said, second] = findBroadcasts(doc, id)
  const entry = second === undefined ? (said ?? findEntry(doc, id)?.facts ?? {}) : {}
  return traceIn(entry).trace ?? { id, hops: 0 }
}

/**
 * Tells whether an agent has sent a message or a task in a chain, as far as the live document
 * shows.
 */
const hasSpokenIn = (doc: Y.Doc, agent: AgentId, chain: string): boolean => {
  for (const { from, id, trace = id } of someBroadcasts(doc)) {
    if (from === agent && trace === chain) return true
  }
  for (const { id, facts } of entries(doc)) {
    if (facts.from === agent && (facts.trace ?? id) === chain) return true
  }
  return false
}

const talkOf = (replica: Talker): Talk => readTalk(replica.record('talk'))

const keepTalk = (replica: Talker, talk: Talk): void =>
  replica.keepRecord('talk', talk as unknown as Json)

/**
 * The trace of a message that is sent now to `to` (null: everybody), in answer to `replyTo` or to
 * the message received last; `reset` begins a chain. Stages the sending. Throws `storm`.
 */
export const nextTrace = (
  replica: Talker,
  {
    to,
    replyTo,
    reset,
    now,
  }: { to: AgentId | null; replyTo?: string; reset: boolean; now: number },
): Trace | null => {
  const { doc } = replica
  const { talk, trace } = speak(reset ? SILENCE : talkOf(replica), {
    answered: reset || replyTo === undefined ? null : traceOfId(doc, replyTo),
    ...{ to, now, isIn: (chain) => to !== null && hasSpokenIn(doc, to, chain) },
    hasEnded: (id) => taskRecord(doc, id) !== undefined && !isOpen(doc, id),
  })
  keepTalk(replica, talk)
  return trace
}
