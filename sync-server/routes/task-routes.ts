import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { AgentId, FileKey } from '../../protocol/ids.ts'
import {
  MAX_KEY_BYTES,
  MAX_LIST_LENGTH,
  MAX_NAME_BYTES,
  MAX_TASK_LINKS,
} from '../../protocol/limits.ts'
import type { Transition } from '../../workspace/document/schema.ts'
import { readArchivedTask, showArchived } from '../../workspace/tasks/task-archive.ts'
import {
  approveTask,
  cancelTask,
  claimTask,
  declineTask,
  releaseTask,
} from '../../workspace/tasks/task-commands.ts'
import { claimNext } from '../../workspace/tasks/task-next.ts'
import { IS_DONE, replayArchived } from '../../workspace/tasks/task-replay.ts'
import { isTerminal, parseAnswer } from '../../workspace/tasks/task-states.ts'
import { getTask, showStep, taskHistory } from '../../workspace/tasks/tasks.ts'
import { callerIn, checkName } from '../http/caller.ts'
import type { HttpContext } from '../http/context.ts'
import { anyJson, ready } from '../http/request.ts'
import { type Route, route } from '../http/route.ts'
import { Task } from '../http/shapes.ts'
import { checkRoom } from '../sync/full.ts'
import type { Room } from '../sync/room.ts'
import { archivePage } from '../tasks/archived.ts'
import { moveIn, onTask } from '../tasks/moving.ts'
import type { AppEnv } from './env.ts'

const name = z.string().min(1).max(MAX_NAME_BYTES)
/** Left out: whose credential it is; the owner has to say it. */
const by = name.optional()
/** Left out: the header Idempotency-Key, or none. */
const key = z.string().min(1).max(MAX_KEY_BYTES).optional()

const StatusCommand = z.strictObject({
  by,
  key,
  to: z.string().max(MAX_NAME_BYTES).optional(),
  state: z.string().max(MAX_NAME_BYTES),
  message: z.string().default(''),
  token: z.number().int().min(0).optional(),
  percent: z.number().min(0).max(100).optional(),
  result: z
    .strictObject({
      json: anyJson.optional(),
      artifacts: z
        .array(
          z.strictObject({ file_key: z.string().max(1_024), version: z.number().int().min(0) }),
        )
        .max(MAX_TASK_LINKS)
        .optional(),
    })
    .optional(),
})

const PlainCommand = z.strictObject({ by, key, message: z.string().default('') })
const CancelCommand = PlainCommand.extend({ force: z.boolean().optional() })

const NextCommand = z.strictObject({
  by,
  key,
  caps: z.array(z.string().max(MAX_NAME_BYTES)).max(MAX_LIST_LENGTH).optional(),
})

const ArchivedQuery = z.strictObject({
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

const ReplicaQuery = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(500),
  for: name,
})

const COMMANDS = {
  claim: [claimTask, 'Grants a task to the caller, who alone may then work on it'],
  release: [releaseTask, 'Gives a task back'],
  decline: [declineTask, 'Says no: to a task, or to a result that waits for approval'],
  approve: [approveTask, 'Approves a result'],
  cancel: [cancelTask, 'Takes a task back'],
} as const

/** Those by which a task ends. */
const ENDS: ReadonlySet<string> = new Set(['approve', 'cancel'])

export const TASKS = '/api/workspaces/:workspace/tasks'
const Granted = z.object({ task: Task, lease_seconds: z.number() })
const WithHistory = z.object({
  task: Task.extend({ history: z.array(z.looseObject({ state: z.string(), by: z.string() })) }),
})

/** Commands on tasks, of which the server is the only writer, and tasks that have left the document. */
export const taskRoutes = (env: AppEnv): Route[] => {
  /** Throws `quota` where the document is full, and what is asked does not end a task. */
  const opened = async (workspace: string, ends = false): Promise<Room> => {
    const room = env.room(workspace)
    await ready(room)
    if (!ends) checkRoom(room)
    return room
  }
  const commands = Object.entries(COMMANDS).map(([name, [command, summary]]) =>
    route({
      ...{ method: 'POST', path: `${TASKS}/:task/${name}`, needs: 'write', summary },
      body: name === 'cancel' ? CancelCommand : PlainCommand,
      answer: name === 'claim' ? Granted : z.object({ task: Task }),
      run: async ({ c, workspace, body }) => {
        const { by, key } = whoIn(c, body)
        const { message, force } = body as z.infer<typeof CancelCommand>
        const whole = {
          ...{ task: c.req.param('task')!, by, key, message, now: env.now() },
          ...(force === true && { force }),
        }
        const room = await opened(workspace, ENDS.has(name))
        const task = await onTask(
          env,
          room,
          whole.task,
          (doc) => command(doc, whole),
          (archived) => replayArchived(archived, whole, IS_DONE[name as keyof typeof COMMANDS]),
        )
        return { task, ...(name === 'claim' && { lease_seconds: env.leaseMs / 1000 }) }
      },
    }),
  )
  return [
    route({
      ...{ method: 'POST', path: `${TASKS}/next`, needs: 'write', body: NextCommand },
      ...{ summary: 'Grants the most urgent task that the caller can take', answer: Granted },
      run: async ({ c, workspace, body }) => {
        const next = { ...body, ...whoIn(c, body), now: env.now() }
        const room = await opened(workspace)
        const task = await env.tasks.command(room, (doc, index) => claimNext(doc, index, next))
        return { task, lease_seconds: env.leaseMs / 1000 }
      },
    }),
    route({
      ...{ method: 'POST', path: `${TASKS}/:task/status`, needs: 'write', body: StatusCommand },
      ...{
        summary: 'Progress, a question, a result or a failure',
        answer: z.object({ task: Task }),
      },
      run: async ({ c, workspace, body: { state, result, ...command } }) => {
        const move = {
          ...command,
          ...whoIn(c, command),
          task: c.req.param('task')!,
          state: parseAnswer(state),
          now: env.now(),
          ...(result !== undefined && { result: resultOf(result) }),
        }
        const room = await opened(workspace, isTerminal(move.state))
        const { task, refused } = await moveIn(env, room, move)
        if (refused !== undefined) throw refused
        return { task }
      },
    }),
    ...commands,
    route({
      ...{ method: 'GET', path: `${TASKS}/archived`, needs: 'read', query: ArchivedQuery },
      summary: 'Tasks that ended long ago, a page at a time, newest first',
      answer: z.object({ tasks: z.array(Task), next: z.number().nullable() }),
      run: ({ workspace, query: { before, limit } }) =>
        archivedTasks(env, workspace, before, limit),
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
}

/** Whose command it is, and the key under which it is done once. Throws `forged`. */
const whoIn = (
  c: HttpContext,
  given: { by?: string | undefined; key?: string | undefined },
): { by: AgentId; key: string } => ({
  by: callerIn(c, given.by),
  key: given.key ?? c.req.header('idempotency-key') ?? randomUUID(),
})

const archivedTasks = async (
  { updateLog }: AppEnv,
  workspace: string,
  before: number | undefined,
  limit: number,
) => {
  const end = await updateLog.archiveEnd(workspace, 'tasks')
  const tasks = []
  let at = Math.min(before ?? end + 1, end + 1)
  // One by one from the newest on: a page is short.
  while (at > 1 && tasks.length < limit) {
    const [found] = await updateLog.archived(workspace, 'tasks', --at - 1, 1)
    const task = found === undefined ? null : readArchivedTask(found.value)
    if (task === null) continue
    // A task that was noted on since has a newer entry.
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
    // What is due cannot be done while nothing can be stored.
    env.trouble() === null ? undefined : (change) => room.command(change),
  )
}

const withHistory = <T extends object>(task: T, history: readonly Transition[]) => ({
  task: { ...task, history: history.map(showStep) },
})

const resultOf = (result: NonNullable<z.infer<typeof StatusCommand>['result']>) => ({
  ...(result.json !== undefined && { json: result.json }),
  ...(result.artifacts !== undefined && {
    artifacts: result.artifacts.map(({ file_key, version }) => ({
      file_key: file_key as FileKey,
      version,
    })),
  }),
})
