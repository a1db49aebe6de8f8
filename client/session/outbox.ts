import { ClawError } from '../../protocol/errors.ts'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { tellOthers } from '../../workspace/inbox/conflicts.ts'
import { tellTogether, togetherMessage } from '../../workspace/inbox/together.ts'
import { addNote } from '../../workspace/tasks/tasks.ts'
import { postTask } from '../http/api.ts'
import type { Target } from '../http/target.ts'
import { type EditConflicts, splitOverlaps } from '../replica/edit-conflicts.ts'
import type { QueuedCommand, Replica } from '../replica/replica.ts'
import type { Session } from './session.ts'

const BARRIER_TIMEOUT_MS = 15_000

/**
 * True if the server cannot be reached now, or something else answers in its place; false for a
 * rejection or another server.
 */
export const isAway = (error: unknown): error is ClawError =>
  error instanceof ClawError && error.exit === 6 && error.code !== 'other_server'

/** True if the same call may succeed later. */
export const mayDoLater = (error: unknown): error is ClawError =>
  isAway(error) || (error instanceof ClawError && error.toBody().retryable)

/**
 * Sends the queued commands in order, after the operations they were given on. The server carries out each once, by its
 * key, however often it is sent. One that it refuses goes into the inbox of `me`, and what it said is kept as a
 * note on its task. Stops where the server is away, or takes nothing for now.
 */
export const drain = async (
  replica: Replica,
  session: Session,
  target: Target,
  workspace: string,
  me: AgentId,
  clock: () => number,
): Promise<void> => {
  for (const { key, command: queued } of await replica.queue()) {
    try {
      await replica.commit()
      await session.barrier(BARRIER_TIMEOUT_MS)
    } catch (error) {
      if (isAway(error) || session.held !== null) return
      throw error
    }
    try {
      // Of before there were others than `status`.
      const command = { ...queued.command, name: queued.command.name ?? 'status' }
      await postTask(target, workspace, queued.task, command)
    } catch (thrown) {
      const error = ClawError.from(thrown)
      if (mayDoLater(error)) return
      refuse(replica, queued, error, me, clock())
    }
    replica.dequeue(key)
    await replica.commit()
  }
}

const refuse = (
  replica: Replica,
  { verb, task, command }: QueuedCommand,
  error: ClawError,
  me: AgentId,
  now: number,
): void => {
  const { message, name } = command
  const state = command.state ?? name
  replica.deliver(me, [
    {
      type: 'command_refused',
      message_id: task,
      from_agent: me,
      to_agent: me,
      timestamp: isoTime(now),
      command: state === verb ? verb : `${verb} ${state}`,
      result: message,
      error: error.toBody(),
    },
  ])
  // The server has kept a result that came too late.
  if (message === '' || error.code === 'lease_lost') return
  try {
    addNote(replica.doc, task, me, message, now)
  } catch {
    // No such task, or a result too long for a note: the message has it.
  }
}

/**
 * Once the server has everything: tells `me` which lines of files others changed at the same time as it did while the
 * server was away, and tells them. Does nothing where the server is away.
 */
export const reportOverlaps = async (
  replica: Replica,
  session: Session,
  overlaps: EditConflicts,
  me: AgentId,
  clock: () => number,
): Promise<void> => {
  if (overlaps.isEmpty) return
  try {
    await replica.commit()
    await session.barrier(BARRIER_TIMEOUT_MS)
  } catch (error) {
    if (isAway(error) || session.held !== null) return
    throw error
  }
  const now = clock()
  const { conflicts, together } = splitOverlaps(overlaps.take())
  for (const { file_key, ...pair } of together) {
    if (tellTogether(replica.doc, me, file_key, pair, newMessageId, now)) {
      replica.deliver(me, [togetherMessage(me, file_key, pair, now)])
    }
  }
  for (const overlap of conflicts) {
    const { file_key, ...conflict } = overlap
    tellOthers(replica.doc, me, file_key, conflict, newMessageId, now)
    replica.deliver(me, [
      {
        type: 'file_conflict',
        message_id: `${file_key}@${isoTime(now)}`,
        from_agent: conflict.by,
        to_agent: me,
        timestamp: isoTime(now),
        file_key,
        ...conflict,
      },
    ])
  }
  await replica.commit()
}
