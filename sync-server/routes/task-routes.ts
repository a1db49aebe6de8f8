import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { AgentId, FileKey } from '../../protocol/ids.ts'
import {
  MAX_KEY_BYTES,
  MAX_LIST_LENGTH,
  MAX_NAME_BYTES,
  MAX_TASK_LINKS,
} from '../../protocol/limits.ts'
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
import { callerIn } from '../http/caller.ts'
import type { HttpContext } from '../http/context.ts'
import { anyJson, ready } from '../http/request.ts'
import { type Route, route } from '../http/route.ts'
import { Task } from '../http/shapes.ts'
import { checkRoom } from '../sync/full.ts'
import type { Room } from '../sync/room.ts'
import { moveIn, onTask } from '../tasks/moving.ts'
import type { AppEnv } from './env.ts'
import { TASKS, taskReadRoutes } from './task-reads.ts'

const name = z.string().min(1).max(MAX_NAME_BYTES)
/** Absent: the agent of the credential. The owner must name one. */
const by = name.optional()
/** Absent: the header Idempotency-Key, or none. */
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

const COMMANDS = {
  claim: [claimTask, 'Grants a task to the caller, who alone may then work on it'],
  release: [releaseTask, 'Gives a task back'],
  decline: [declineTask, 'Says no: to a task, or to a result that waits for approval'],
  approve: [approveTask, 'Approves a result'],
  cancel: [cancelTask, 'Takes a task back'],
} as const
type CommandName = keyof typeof COMMANDS

/** The commands that end a task. */
const ENDS: ReadonlySet<string> = new Set(['approve', 'cancel'])

const Granted = z.object({ task: Task, lease_seconds: z.number() })

/** The room for a command. Throws `quota` where the document is full, unless the command ends a task. */
const roomFor = async (env: AppEnv, workspace: string, isEnd = false): Promise<Room> => {
  const room = env.room(workspace)
  await ready(room)
  if (!isEnd) checkRoom(room)
  return room
}

/** Commands on tasks, of which the server is the only writer, and tasks to read. */
export const taskRoutes = (env: AppEnv): Route[] => [
  nextRoute(env),
  statusRoute(env),
  ...Object.keys(COMMANDS).map((name) => commandRoute(env, name as CommandName)),
  ...taskReadRoutes(env),
]

const commandRoute = (env: AppEnv, name: CommandName): Route => {
  const [command, summary] = COMMANDS[name]
  return route({
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
      const room = await roomFor(env, workspace, ENDS.has(name))
      const task = await onTask(
        env,
        room,
        whole.task,
        (doc) => command(doc, whole),
        (archived) => replayArchived(archived, whole, IS_DONE[name]),
      )
      return { task, ...(name === 'claim' && { lease_seconds: env.leaseMs / 1000 }) }
    },
  })
}

const nextRoute = (env: AppEnv): Route =>
  route({
    ...{ method: 'POST', path: `${TASKS}/next`, needs: 'write', body: NextCommand },
    ...{ summary: 'Grants the most urgent task that the caller can take', answer: Granted },
    run: async ({ c, workspace, body }) => {
      const next = { ...body, ...whoIn(c, body), now: env.now() }
      const room = await roomFor(env, workspace)
      const task = await env.tasks.command(room, (doc, index) => claimNext(doc, index, next))
      return { task, lease_seconds: env.leaseMs / 1000 }
    },
  })

const statusRoute = (env: AppEnv): Route =>
  route({
    ...{ method: 'POST', path: `${TASKS}/:task/status`, needs: 'write', body: StatusCommand },
    ...{ summary: 'Progress, a question, a result or a failure', answer: z.object({ task: Task }) },
    run: async ({ c, workspace, body: { state, result, ...command } }) => {
      const move = {
        ...command,
        ...whoIn(c, command),
        task: c.req.param('task')!,
        state: parseAnswer(state),
        now: env.now(),
        ...(result !== undefined && { result: resultOf(result) }),
      }
      const room = await roomFor(env, workspace, isTerminal(move.state))
      const { task, refused } = await moveIn(env, room, move)
      if (refused !== undefined) throw refused
      return { task }
    },
  })

/** The agent that commands, and the idempotency key. Throws `forged`; `usage` where the owner names no agent. */
const whoIn = (
  c: HttpContext,
  given: { by?: string | undefined; key?: string | undefined },
): { by: AgentId; key: string } => ({
  by: callerIn(c, given.by),
  key: given.key ?? c.req.header('idempotency-key') ?? randomUUID(),
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
