import * as z from 'zod'
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../../protocol/limits.ts'
import * as inputs from '../../workspace/actions/inputs/checkpoints.ts'
import {
  type CheckpointFile,
  changesBetween,
  checkCheckpointName,
  filesNow,
  NOW,
} from '../../workspace/files/checkpoint.ts'
import { authorizeRemoval } from '../auth/authorize.ts'
import { compare } from '../history/checkpoints/compare.ts'
import { momentOf } from '../history/checkpoints/make.ts'
import { bodyOf } from '../http/body.ts'
import { ready } from '../http/request.ts'
import { type Route, route } from '../http/route.ts'
import { type ActionContext, registered } from '../http-agents/context.ts'
import { onceUnderKey, restoreFiles } from '../http-agents/restore.ts'
import { asking, look } from './agent-request.ts'
import { at, doingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'
import { pastFile } from './past-file.ts'

const name = z.string().min(1).max(MAX_NAME_BYTES)
const key = z.string().min(1).max(MAX_PATH_BYTES)

const Checkpoint = z.looseObject({
  ...{ name: z.string(), note: z.string(), by: z.string(), at: z.string(), files: z.number() },
})
const change = z.enum(['added', 'removed', 'changed', 'moved'])
const version = z.number().nullable()
const Compared = z.object({
  ...{ from: z.string(), to: z.string(), more: z.boolean() },
  files: z.array(
    z.looseObject({
      ...{ file_key: z.string(), change, from_version: version, to_version: version },
      diff: z.string().nullable(),
    }),
  ),
})
const Restored = z.looseObject({
  dry_run: z.boolean(),
  restored: z.array(z.looseObject({ file_key: z.string(), change, version })),
  skipped: z.array(z.object({ file_key: z.string(), why: z.string() })),
})

const DiffQuery = z.strictObject({ from: name, to: name.default(NOW), key: key.optional() })

/** Names for the state of all files at one moment. */
export const checkpointRoutes = (env: AppEnv): Route[] => [
  ...readRoutes(env),
  ...namingRoutes(env),
  ...restoreRoutes(env),
]

const readRoutes = (env: AppEnv): Route[] => [
  route({
    ...{ method: 'GET', path: at('checkpoints'), needs: 'read' },
    summary: 'The checkpoints, oldest first',
    answer: z.object({ checkpoints: z.array(Checkpoint), count: z.number() }),
    run: async ({ workspace }) => {
      await ready(env.reader(workspace))
      const checkpoints = await env.checkpoints.list(workspace)
      return { checkpoints, count: checkpoints.length }
    },
  }),
  route({
    ...{ method: 'GET', path: at('checkpoints/files'), needs: 'read' },
    summary: 'The files of a checkpoint, with their versions',
    query: z.strictObject({ name }),
    answer: z.object({
      checkpoint: Checkpoint,
      files: z.array(z.looseObject({ file_key: z.string(), version: z.number() })),
    }),
    run: async ({ workspace, query }) => {
      await ready(env.reader(workspace))
      const { of, ...checkpoint } = await env.checkpoints.get(workspace, query.name)
      return {
        checkpoint,
        files: of.map(({ id: _, path, ...file }) => ({ file_key: path, ...file })),
      }
    },
  }),
  route({
    ...{ method: 'GET', path: at('checkpoints/diff'), needs: 'read', query: DiffQuery },
    summary: 'The changes between two checkpoints, or between one and now',
    answer: Compared,
    run: async (asked) => {
      const { workspace, query } = asked
      const room = env.reader(workspace)
      await ready(room)
      const side = (one: string): Promise<readonly CheckpointFile[]> =>
        one === NOW
          ? look(env, asked, ({ doc }) => filesNow(doc))
          : env.checkpoints.get(workspace, one).then(({ of }) => of)
      const all = changesBetween(await side(query.from), await side(query.to))
      const wanted = query.key?.normalize('NFC')
      const changes = all.filter(
        ({ from, to }) => wanted === undefined || [from?.path, to?.path].includes(wanted as never),
      )
      await env.history.settled(workspace)
      const { texts, updateLog } = env
      const compared = await compare(
        {
          versions: updateLog.versions,
          unified: async (of) => (await texts.run('unified', of)).found,
        },
        room,
        changes,
        query.to === NOW,
      )
      return { from: query.from, to: query.to, ...compared }
    },
  }),
]

const namingRoutes = (env: AppEnv): Route[] => {
  const doing = doingIn(env)
  const One = z.object({ checkpoint: Checkpoint })
  return [
    doing(
      ...(['POST', 'checkpoints', 'Names the state of all files as it is now'] as const),
      ...([bodyOf(inputs.checkpoint), One] as const),
      async ({ httpAgent, key }, body) => {
        registered(httpAgent)
        const { room } = httpAgent
        const name = checkCheckpointName(body.name)
        const { updateLog, history } = env
        const files = await momentOf({ versions: updateLog.versions, history }, room)
        const made = { name, note: body.note, by: httpAgent.agent, at: env.now(), key, files }
        return { checkpoint: await env.checkpoints.add(room.name, made) }
      },
      { isCommand: true },
    ),
    doing(
      ...(['POST', 'checkpoints/remove', 'Removes the name; the files stay as they are'] as const),
      ...([bodyOf(inputs.removeCheckpoint), One] as const),
      async ({ httpAgent }, body, { c }) => {
        const { room, agent } = httpAgent
        const checkpoint = await env.checkpoints.remove(room.name, body.name, (found) =>
          authorizeRemoval(asking(c), agent, found),
        )
        return { checkpoint }
      },
      { isCommand: true },
    ),
  ]
}

const restoreRoutes = (env: AppEnv): Route[] => {
  const doing = doingIn(env)
  return [
    doing(
      ...(['POST', 'checkpoints/restore', 'Makes all files what they were'] as const),
      ...([bodyOf(inputs.restore), Restored] as const),
      (context, { name, dry_run }) =>
        restoring(context, { name, dry_run }, async () => {
          const { room } = context.httpAgent
          const { of: then } = await env.checkpoints.get(room.name, name)
          const now = await room.command(filesNow)
          return { checkpoint: name, dry_run, ...(await restoreFiles(context, now, then, dry_run)) }
        }),
      { isCommand: true },
    ),
    doing(
      ...(['POST', 'files/restore', 'Makes a file what it was, or brings it back'] as const),
      ...([bodyOf(inputs.restoreFile), Restored] as const),
      (context, { key, dry_run, version, at, checkpoint }) => {
        const which = { version, at, checkpoint }
        return restoring(context, { key, dry_run, ...which }, async () => {
          const { room } = context.httpAgent
          const past = await pastFile(env, room, key, which)
          const now = (await room.command(filesNow)).filter(({ id }) => id === past.id)
          const then = { ...past, path: now[0]?.path ?? past.path }
          const done = await restoreFiles(context, now, [then], dry_run)
          return { version: past.version, dry_run, ...done }
        })
      },
      { isCommand: true },
    ),
  ]
}

/** Runs in the agent's turn; a change once per key. */
const restoring = <T extends object, P extends { dry_run: boolean }>(
  context: ActionContext,
  payload: P,
  work: () => Promise<T>,
): Promise<T> =>
  context.httpAgent.turn(() =>
    payload.dry_run ? work() : onceUnderKey(context, 'restore', payload, work),
  )
