import * as Y from 'yjs'
import type { Here } from '../agents.ts'
import { broadcastsFor } from '../broadcasts.ts'
import { welcomeMessages } from '../digest.ts'
import { ClawError } from '../errors.ts'
import { fileVersions } from '../files.ts'
import type { AgentId, TaskId } from '../ids.ts'
import {
  archivedMeanwhile,
  archivedTaskMessages,
  byTime,
  groupFiles,
  type Message,
  messagesSince,
} from '../inbox.ts'
import { findBroadcast } from '../live-log.ts'
import { markDelivered, markRead } from '../receipts.ts'
import {
  archivedBroadcasts,
  type BroadcastEntry,
  archivedTasks as countArchivedTasks,
  type Json,
} from '../schema.ts'
import { taskRecords } from '../shape.ts'
import type { ArchivedTask } from '../task-archive.ts'
import { findEntry } from '../tasks.ts'
import { hear, SILENCE, speak, type Talk, type Trace, traceIn } from '../trace.ts'
import type { ArchivePage, getTaskArchive } from './commands.ts'
import type { Replica } from './replica.ts'

/** The server's archives after a position, a page at a time: `getArchive`, `getTaskArchive`. */
export interface Archives {
  broadcasts: (after: number) => Promise<ArchivePage>
  tasks: (after: number) => ReturnType<typeof getTaskArchive>
}

/** What an inbox needs of a replica. */
export type InboxReplica = Pick<Replica, 'doc' | 'cursor' | 'archivePosition' | 'receive'>

/** Whoever calls while another call waits for the archive waits for that: two would derive the same twice. */
const turns = new WeakMap<InboxReplica, Promise<unknown>>()

/**
 * Stages the messages for `me` that the replica's new operations hold, and those that came and left for the archive
 * while it was away. False: the archive cannot be reached now, and everything is left for the next time.
 */
export const receive = (
  replica: InboxReplica,
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
  replica: InboxReplica,
  me: AgentId,
  here: Here,
  archives: Archives,
): Promise<boolean> => {
  const { doc } = replica
  const since = replica.cursor(me)
  if (since === null) {
    welcome(replica, me, here.now)
    return true
  }
  const vector = Y.encodeStateVector(doc)
  const live = messagesSince(doc, since, me, here, fileVersions(doc))
  const liveTasks = new Set([...taskRecords(doc)].map(([id]) => id))
  let { archived, archivedTasks } = replica.archivePosition(me)
  let missed: BroadcastEntry[] = []
  let missedTasks: Message[] = []
  const now = Y.decodeStateVector(vector)
  try {
    if (archivedBroadcasts(doc) > archived) {
      const ids = new Set(live.map(({ message_id }) => message_id))
      ;({ missed, archived } = await readArchive(archived, archives.broadcasts, (page) =>
        archivedMeanwhile(page, since, now, ids),
      ))
    }
    if (countArchivedTasks(doc) > archivedTasks) {
      const look = (task: ArchivedTask) => archivedTaskMessages(task, since, now, me)
      const read = await readTaskArchive(archivedTasks, archives.tasks, liveTasks, look)
      missedTasks = read.missed
      archivedTasks = read.archived
    }
  } catch (error) {
    if (error instanceof ClawError && error.toBody().retryable) return false
    throw error
  }
  const all = [...broadcastsFor(doc, me, missed), ...missedTasks, ...live].sort(byTime)
  replica.receive(me, groupFiles(all), { vector, archived, archivedTasks })
  markDelivered(doc, me, live, here.now)
  return true
}

/** As `readArchive`. A task that was live when the second look was taken has had its messages from there. */
const readTaskArchive = async (
  from: number,
  fetchArchive: Archives['tasks'],
  live: ReadonlySet<TaskId>,
  look: (task: ArchivedTask) => Message[] | null,
): Promise<{ missed: Message[]; archived: number }> => {
  const missed: Message[] = []
  // A task that was noted on when it was archived is there again.
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
 * Reads the archive to its end. All that was archived before the second look is behind the position it starts from;
 * the position it returns is before the first entry that is still to come.
 */
const readArchive = async (
  from: number,
  fetchArchive: Archives['broadcasts'],
  look: (page: ArchivePage['entries']) => ReturnType<typeof archivedMeanwhile>,
): Promise<{ missed: BroadcastEntry[]; archived: number }> => {
  const missed: BroadcastEntry[] = []
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

/** Stages a newcomer's first messages; its inbox starts at the present. Does nothing for anyone else. */
export const welcome = (replica: InboxReplica, me: AgentId, now: number): void => {
  if (replica.cursor(me) !== null) return
  const { doc } = replica
  const messages = welcomeMessages(doc, me, now)
  const vector = Y.encodeStateVector(doc)
  replica.receive(me, messages, {
    vector,
    archived: archivedBroadcasts(doc),
    archivedTasks: countArchivedTasks(doc),
  })
  markDelivered(doc, me, messages, now)
}

/** Stages that these were handed out to `me` and need not be again, and tells their senders. */
export const acknowledge = (
  replica: Replica,
  me: AgentId,
  handedOut: readonly { key: string; message: Message }[],
  now: number,
): void => {
  const messages = handedOut.map(({ message }) => message)
  markRead(replica.doc, me, messages, now)
  keepTalk(replica, hear(talkOf(replica), messages, now))
  replica.acknowledge(handedOut.map(({ key }) => key))
}

/** What is not in the live document any more counts as a chain's first message. */
const traceOfId = (doc: Y.Doc, id: string): Trace => {
  const entry = findBroadcast(doc, id) ?? findEntry(doc, id)?.facts ?? {}
  return traceIn(entry).trace ?? { id, hops: 0 }
}

const talkOf = (replica: Replica): Talk =>
  (replica.record('talk') as unknown as Talk | undefined) ?? SILENCE

const keepTalk = (replica: Replica, talk: Talk): void =>
  replica.keepRecord('talk', talk as unknown as Json)

/**
 * The trace for what is sent now, in answer to `replyTo` or to what was handed out last; `reset` begins anew. Stages
 * that it was sent. Throws `storm`.
 */
export const nextTrace = (
  replica: Replica,
  replyTo: string | undefined,
  reset: boolean,
  now: number,
): Trace | null => {
  const answered = replyTo === undefined ? null : traceOfId(replica.doc, replyTo)
  const { talk, trace } = reset ? speak(SILENCE, null, now) : speak(talkOf(replica), answered, now)
  keepTalk(replica, talk)
  return trace
}
