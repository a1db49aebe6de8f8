import type * as Y from 'yjs'
import * as z from 'zod'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { MAX_NAME_BYTES } from '../../protocol/limits.ts'
import { respond } from '../../workspace/actions/change-task.ts'
import { resolveAgent } from '../../workspace/agents/agents.ts'
import type { Json } from '../../workspace/document/schema.ts'
import type { TaskIndex } from '../../workspace/tasks/task-index.ts'
import { isTakeable } from '../../workspace/tasks/task-routing.ts'
import type { TaskEntry } from '../../workspace/tasks/tasks.ts'
import { anyJson } from '../http/request.ts'
import { findArchived } from '../tasks/scheduler.ts'
import { type ActionContext, deliveryTo, registered } from './context.ts'
import { runNow } from './http-actor.ts'
import { asText, readStatus } from './v1-words.ts'

/** A text of at most `MAX_NAME_BYTES` units; null and "" are 1.x's forms of a missing field. */
const short = z
  .string()
  .max(MAX_NAME_BYTES)
  .nullish()
  .transform((text) => text || undefined)

export const RespondBody = z.object({
  to_agent: short,
  message_id: short,
  /** A text, or anything for programs. */
  result: anyJson.nullish(),
  status: short,
})

/** Answers a task, in 1.x's words. */
export const respondPlain = async (act: ActionContext, body: z.infer<typeof RespondBody>) => {
  const { to_agent: to, result = null } = body
  registered(act.httpAgent)
  const task = await taskMeant(act, body)
  const { state, said } = readStatus(body.status ?? '')
  const text = result === null ? '' : asText(result)
  const answer = {
    ...{ task, to, state },
    message: said === null ? text : `[${said}] ${text}`.trim(),
    ...(result !== null && typeof result !== 'string' && { result: { json: result as Json } }),
  }
  const { task: done } = await runNow(act, respond, answer).catch((error: unknown) => {
    // In 1.x anybody could end a task by any word. Here a task that was begun is not rejected, nor canceled unasked.
    const isUnasked = state === 'canceled' || state === 'rejected'
    const { code } = ClawError.from(error)
    if (!isUnasked || (code !== 'task_state' && code !== 'not_allowed')) throw error
    return runNow(act, respond, { ...answer, state: 'failed' })
  })
  return { status: 'response_sent', delivery: deliveryTo(act, done.from_agent) }
}

/**
 * The task that a response answers. 1.x's CLI shows no ids, so a missing or unknown id means the
 * one open task that `to_agent` gave this agent. Throws `unknown_task`, and `ambiguous` with the
 * ids if there are several.
 */
const taskMeant = async (
  { env, httpAgent }: ActionContext,
  { message_id: id, to_agent }: Pick<z.infer<typeof RespondBody>, 'message_id' | 'to_agent'>,
): Promise<TaskId> => {
  const { room, agent } = httpAgent
  if (id !== undefined && (await findArchived(env.updateLog, room.name, id)) !== null) {
    return id as TaskId
  }
  await httpAgent.receive(() => false)
  const unread = new Set(httpAgent.waiting.map(({ message }) => message.message_id))
  return env.tasks.command(room, (doc, index) => {
    if (id !== undefined && index.get(id as TaskId) !== undefined) return id as TaskId
    const creator = to_agent === undefined ? null : resolveAgent(doc, to_agent)
    const open = openTasks(doc, index, agent).filter(
      ({ facts }) => creator === null || facts.from === creator,
    )
    const polled = open.filter(({ id }) => !unread.has(id))
    const meant = polled.length > 0 ? polled : open
    if (meant.length === 1) return meant[0]!.id
    throw meant.length === 0 ? noneOpen(id, creator) : severalOpen(meant)
  })
}

/** Those that an agent works on or was given, and has not ended. */
const openTasks = (doc: Y.Doc, index: TaskIndex, me: AgentId): TaskEntry[] =>
  index.open.filter(
    (entry) =>
      entry.status.owner === me ||
      (entry.status.owner === null && isTakeable(doc, entry, me, (id) => index.get(id))),
  )

const noneOpen = (id: string | undefined, creator: AgentId | null): ClawError =>
  new ClawError(
    'unknown_task',
    `${id === undefined ? '' : `task "${id.slice(0, 80)}" does not exist, and `}no open task${
      creator === null ? '' : ` of ${creator}`
    } is yours`,
    'GET /poll/<agent_id> has the message_id of each task given to you',
  )

/** Tasks that an error shows (count), and the length of each (UTF-16 units). */
const SHOWN_TASKS = 8
const SHOWN_TEXT = 40

const severalOpen = (tasks: readonly TaskEntry[]): ClawError => {
  const shown = tasks
    .slice(0, SHOWN_TASKS)
    .map(({ id, facts }) => `${id} (${facts.description.slice(0, SHOWN_TEXT)})`)
  return new ClawError(
    'ambiguous',
    `${tasks.length} open tasks are yours: ${shown.join(', ')}`,
    'respond with one of these ids as message_id',
  )
}
