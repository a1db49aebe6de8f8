import { isAbsolute } from 'node:path'
import * as z from 'zod'
import { LOG_LEVELS } from '../config/flags.ts'
import { callerOf, principalOf } from '../http/caller.ts'
import { type Route, route } from '../http/route.ts'
import { stateOf } from '../ops/host/health.ts'
import { summaryOf } from '../ops/manifest.ts'
import type { AppEnv } from './env.ts'

/** A path of the server's machine; a request has no folder that it could be relative to. */
const BackupBody = z.strictObject({ dir: z.string().max(4_096).refine(isAbsolute, 'not absolute') })
const LevelBody = z.strictObject({ level: z.enum(LOG_LEVELS).optional() })
const DrainBody = z.strictObject({})
const PurgeBody = z.strictObject({ workspace: z.string(), dry_run: z.boolean().default(false) })
const MAX_BODY_BYTES = 8 * 1024

/** Requests of the owner's commands to the server that uses the data folder. */
export const opsRoutes = (env: AppEnv): Route[] => [
  route({
    ...{ method: 'GET', path: '/api/admin/status', needs: 'owner' },
    ...{ summary: 'Workspaces, agents online, disk, last backup, limits nearly reached' },
    answer: z.looseObject({ running: z.boolean(), workspaces: z.array(z.looseObject({})) }),
    run: ({ c }) => env.ops.status(stateOf(env, callerOf(c))),
  }),
  route({
    ...{ method: 'POST', path: '/api/admin/log-level', needs: 'owner', body: LevelBody },
    summary: 'Changes how much is logged, until the server stops; without a level it says how much',
    answer: z.object({ level: z.string() }),
    run: ({ body: { level } }) => ({ level: env.ops.logLevel(level) }),
  }),
  route({
    ...{ method: 'POST', path: '/api/admin/drain', needs: 'owner', body: DrainBody },
    summary:
      'Gives the workspaces of a node to the others; it claims none until it is started again',
    answer: z.object({ given_up: z.number(), kept: z.number() }),
    run: () => env.ops.drain(),
  }),
  route({
    ...{ method: 'POST', path: '/api/admin/purge', needs: 'owner', body: PurgeBody },
    summary: 'Deletes a removed workspace for good; with dry_run it only says how large it is',
    answer: z.object({ workspace: z.string(), bytes: z.number().nullable(), purged: z.boolean() }),
    run: async ({ c, body: { workspace, dry_run } }) => {
      const found = await env.ops.purge(workspace, principalOf(c), dry_run)
      return { ...found, purged: !dry_run }
    },
  }),
  route({
    ...{ method: 'POST', path: '/api/admin/backup', needs: 'owner', body: BackupBody },
    ...{ summary: 'Writes a backup into a folder of the machine', maxBytes: MAX_BODY_BYTES },
    answer: z.looseObject({ at: z.string(), records: z.number() }),
    run: async ({ body: { dir } }) => {
      const started = env.now()
      const summary = summaryOf(await env.ops.backup(dir))
      env.log.info({ dir, ...summary, ms: env.now() - started }, 'backed up')
      return summary
    },
  }),
]
