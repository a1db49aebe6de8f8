import * as z from 'zod'
import type { AgentId } from '../../protocol/ids.ts'
import { MAX_NAME_BYTES } from '../../protocol/limits.ts'
import type { Transition } from '../../workspace/document/schema.ts'
import { readArchivedTask, showArchived } from '../../workspace/tasks/task-archive.ts'
import { getTask, showStep, taskHistory } from '../../workspace/tasks/tasks.ts'
import { checkName } from '../http/caller.ts'
import { ready } from '../http/request.ts'
import { type Route, route } from '../http/route.ts'
import { Task } from '../http/shapes.ts'
import { archivePage } from '../tasks/archived.ts'
import { onTask } from '../tasks/moving.ts'
import type { AppEnv } from './env.ts'

export const TASKS = '/api/workspaces/:workspace/tasks'

const ArchivedQuery = z.strictObject({
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

const ReplicaQuery = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(500),
  for: z.string().min(1).max(MAX_NAME_BYTES),
})

const WithHistory = z.object({
  task: Task.extend({ history: z.array(z.looseObject({ state: z.string(), by: z.string() })) }),
})

/** One task, and pages of the archive. */
export const taskReadRoutes = (env: AppEnv): Route[] => [
  route({
    ...{ method: 'GET', path: `${TASKS}/archived`, needs: 'read', query: ArchivedQuery },
    summary: 'Tasks that ended long ago, a page at a time, newest first',
    answer: z.object({ tasks: z.array(Task), next: z.number().nullable() }),
    run: ({ workspace, query: { before, limit } }) => archivedTasks(env, workspace, before, limit),
  }),
  route({
    ...{ method: 'GET', path: `${TASKS}/archive`, needs: 'read', query: ReplicaQuery },
    summary: 'Archived tasks with their Yjs ids, for replicas that missed them',
    answer: z.object({
      entries: z.array(z.object({ seq: z.number(), task: z.looseObject({}) })),
      next: z.number(),
    }),
    run: async ({ c, workspace, query: { after, limit, for: me } }) => {
      checkName(c, me)
      return archivePage(env.updateLog, workspace, after, me as AgentId, limit)
    },
  }),
  route({
    ...{ method: 'GET', path: `${TASKS}/:task`, needs: 'read', answer: WithHistory },
    summary: 'One task with its history, also an archived one',
    run: ({ c, workspace }) => taskWithHistory(env, workspace, c.req.param('task')!),
  }),
]

const archivedTasks = async (
  { updateLog }: AppEnv,
  workspace: string,
  before: number | undefined,
  limit: number,
) => {
  const end = await updateLog.archiveEnd(workspace, 'tasks')
  const tasks = []
  let at = Math.min(before ?? end + 1, end + 1)
  // One by one, newest first: a page is short.
  while (at > 1 && tasks.length < limit) {
    const [found] = await updateLog.archived(workspace, 'tasks', --at - 1, 1)
    const task = found === undefined ? null : readArchivedTask(found.value)
    if (task === null) continue
    // A task with a later note has a newer entry.
    if ((await updateLog.archivePosition(workspace, 'tasks', task.id)) !== at) continue
    tasks.push(showArchived(task))
  }
  return { tasks, next: at > 1 ? at : null }
}

const taskWithHistory = async (env: AppEnv, workspace: string, task: string) => {
  const room = env.reader(workspace)
  await ready(room)
  return onTask(
    env,
    room,
    task,
    (doc) => withHistory(getTask(doc, task), taskHistory(doc, task)),
    (archived) =>
      withHistory(
        { ...showArchived(archived), archived: true },
        archived.history.map(({ value }) => value),
      ),
    // Due changes cannot be made while the storage fails.
    env.trouble() === null ? undefined : (change) => room.command(change),
  )
}

const withHistory = <T extends object>(task: T, history: readonly Transition[]) => ({
  task: { ...task, history: history.map(showStep) },
})
