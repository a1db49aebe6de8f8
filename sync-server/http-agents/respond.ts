import type { Move } from '../../workspace/tasks/task-commands.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { checkRoom } from '../sync/full.ts'
import { moveIn } from '../tasks/moving.ts'
import { type ActionContext, registered } from './context.ts'

/** Answers a task: progress, a result or a failure. */
export const respond = async (
  { env, httpAgent, key }: ActionContext,
  given: Omit<Move, 'by' | 'key' | 'now'>,
): Promise<Task> => {
  registered(httpAgent)
  const move = { ...given, by: httpAgent.agent, key: key ?? crypto.randomUUID(), now: env.now() }
  if (!isTerminal(move.state)) checkRoom(httpAgent.room)
  const { task, refused } = await moveIn(env, httpAgent.room, move)
  if (refused !== undefined) throw refused
  return task
}
