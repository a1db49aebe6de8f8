import type { Context, Hono } from 'hono'
import type * as Y from 'yjs'
import { z } from 'zod'
import type { AgentId, FileKey } from '../../workspace/ids.ts'
import {
  MAX_KEY_BYTES,
  MAX_LIST_LENGTH,
  MAX_NAME_BYTES,
  MAX_TASK_LINKS,
} from '../../workspace/limits.ts'
import type { Json, Transition } from '../../workspace/schema.ts'
import {
  concerns,
  isArchivedTask,
  readArchivedTask,
  showArchived,
} from '../../workspace/task-archive.ts'
import {
  approveTask,
  cancelTask,
  claimTask,
  declineTask,
  moveTask,
  releaseTask,
  type TaskCommand,
} from '../../workspace/task-commands.ts'
import { claimNext } from '../../workspace/task-next.ts'
import { parseState } from '../../workspace/task-states.ts'
import { findEntry, getTask, historyOf, showStep } from '../../workspace/tasks.ts'
import { checkName } from '../access/guard.ts'
import type { AppEnv } from '../app.ts'
import { PAGE_BYTES } from '../limits.ts'
import { limited, parse, parseJson, ready, workspaceOf } from '../request.ts'
import type { Room } from '../room.ts'
import { findArchived } from './keeper.ts'

const by = z.string().min(1).max(MAX_NAME_BYTES)
const key = z.string().min(1).max(MAX_KEY_BYTES)
const json: z.ZodType<Json> = z.json() as z.ZodType<Json>

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
      json: json.optional(),
      artifacts: z
        .array(
          z.strictObject({ file_key: z.string().max(1_024), version: z.number().int().min(0) }),
        )
        .max(MAX_TASK_LINKS)
        .optional(),
    })
    .optional(),
})

const PlainCommand = z.strictObject({
  by,
  key,
  message: z.string().default(''),
  force: z.boolean().optional(),
})

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
  for: by,
})

const COMMANDS = {
  claim: claimTask,
  release: releaseTask,
  decline: declineTask,
  approve: approveTask,
  cancel: cancelTask,
} as const
const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name)

/** Commands on tasks, of which the server is the only writer, and tasks that have left the document. */
export const addTaskRoutes = (app: Hono, env: AppEnv): void => {
  const path = '/api/workspaces/:workspace/tasks'
  const opened = async (c: Context): Promise<Room> => {
    const room = env.room(workspaceOf(c))
    await ready(room)
    return room
  }
  const bodyOf = async <T extends { by: string }>(c: Context, schema: z.ZodType<T>): Promise<T> => {
    workspaceOf(c)
    const command = parse(schema, parseJson(await c.req.text()))
    checkName(c, command.by)
    return command
  }
  const done = <T>(c: Context, data: T) => {
    env.metrics.commands.inc({ outcome: 'ok' })
    return c.json({ ok: true, data })
  }

  app.post(`${path}/next`, limited, async (c) => {
    const command = await bodyOf(c, NextCommand)
    const next = { ...command, by: command.by as AgentId, now: env.now() }
    const room = await opened(c)
    const task = await env.tasks.command(room, (doc, index) => claimNext(doc, index, next))
    return done(c, { task, lease_seconds: env.leaseMs / 1000 })
  })

  app.post(`${path}/:task/status`, limited, async (c) => {
    const { state, result, ...command } = await bodyOf(c, StatusCommand)
    const move = {
      ...command,
      task: c.req.param('task'),
      by: command.by as AgentId,
      state: parseState(state),
      now: env.now(),
      ...(result !== undefined && { result: resultOf(result) }),
    }
    const room = await opened(c)
    const { task, refused } = await env.tasks.command(room, (doc) => moveTask(doc, move))
    if (refused !== undefined) throw refused
    return done(c, { task })
  })

  app.post(`${path}/:task/:command`, limited, async (c) => {
    const name = c.req.param('command')
    if (!isCommand(name)) return c.notFound()
    const command = await bodyOf(c, PlainCommand)
    const whole: TaskCommand & { force?: boolean } = {
      ...{ task: c.req.param('task'), by: command.by as AgentId, key: command.key },
      ...{ message: command.message, now: env.now() },
      ...(command.force === true && { force: true }),
    }
    const room = await opened(c)
    const task = await env.tasks.command(room, (doc) => COMMANDS[name](doc, whole))
    return done(c, { task, ...(name === 'claim' && { lease_seconds: env.leaseMs / 1000 }) })
  })

  app.get(`${path}/archived`, async (c) => {
    const workspace = workspaceOf(c)
    const { before, limit } = parse(ArchivedQuery, c.req.query())
    const end = await env.updateLog.archiveEnd(workspace, 'tasks')
    const tasks = []
    let at = Math.min(before ?? end + 1, end + 1)
    // One by one from the newest on: a page is short.
    while (at > 1 && tasks.length < limit) {
      const [found] = await env.updateLog.archived(workspace, 'tasks', --at - 1, 1)
      const task = found === undefined ? null : readArchivedTask(found.value)
      if (task === null) continue
      // A task that was noted on since has a newer entry.
      if ((await env.updateLog.archivePosition(workspace, 'tasks', task.id)) !== at) continue
      tasks.push(showArchived(task))
    }
    return c.json({ ok: true, data: { tasks, next: at > 1 ? at : null } })
  })

  app.get(`${path}/archive`, async (c) => {
    const workspace = workspaceOf(c)
    const { after, limit, for: me } = parse(ReplicaQuery, c.req.query())
    checkName(c, me)
    const found = await env.updateLog.archived(workspace, 'tasks', after, limit, PAGE_BYTES)
    const entries = found.flatMap(({ seq, value }) => {
      const task = readArchivedTask(value)
      return task !== null && isArchivedTask(task) && concerns(task, me as AgentId)
        ? [{ seq, task }]
        : []
    })
    return c.json({ ok: true, data: { entries, next: found.at(-1)?.seq ?? after } })
  })

  app.get(`${path}/:task`, async (c) => {
    const room = env.reader(workspaceOf(c))
    await ready(room)
    const id = c.req.param('task')
    const find = (doc: Y.Doc) => {
      const entry = findEntry(doc, id)
      return entry === undefined ? null : { task: getTask(doc, id), history: historyOf(entry) }
    }
    // What is due cannot be done while nothing can be stored.
    const live = await (env.trouble() === null ? env.tasks.command(room, find) : room.command(find))
    if (live !== null) return c.json({ ok: true, data: withHistory(live.task, live.history) })
    const archived = await findArchived(env.updateLog, room.name, id)
    // Throws that there is none, with a did-you-mean.
    if (archived === null) await room.command((doc) => getTask(doc, id))
    const { history } = archived!
    const steps = history.map(({ value }) => value)
    return c.json({
      ok: true,
      data: withHistory({ ...showArchived(archived!), archived: true }, steps),
    })
  })
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
