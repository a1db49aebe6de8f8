import { isAbsolute } from 'node:path'
import type { Hono } from 'hono'
import { z } from 'zod'
import { ClawError } from '../../workspace/errors.ts'
import { speakerOf } from '../access/guard.ts'
import { OWNER_FILE } from '../access/owner.ts'
import type { AppEnv } from '../app.ts'
import { parse, parseJson } from '../request.ts'
import type { Manifest } from './manifest.ts'

/** A path of the server's machine; a request has no folder that it could be relative to. */
const BackupBody = z.strictObject({ dir: z.string().max(4_096).refine(isAbsolute, 'not absolute') })
const MAX_BODY_BYTES = 8 * 1024

/** What there is to be known of a backup that was made. */
export const summaryOf = ({ at, version, workspaces, records, blobs }: Manifest) => ({
  at,
  version,
  workspaces: workspaces.length,
  records: records.records,
  bytes: records.bytes,
  blobs: blobs.length,
  blob_bytes: blobs.reduce((sum, { size }) => sum + size, 0),
})

export type BackupSummary = ReturnType<typeof summaryOf>

/** What the owner's commands ask of the server that has the data folder. */
export const addOpsRoutes = (app: Hono, env: AppEnv): void => {
  app.post('/api/admin/backup', async (c) => {
    if (speakerOf(c).kind !== 'owner') {
      throw new ClawError(
        'not_allowed',
        'this is for the owner of the server',
        `its token is in ${OWNER_FILE} in the data folder; clawlink-sync's commands use it by themselves`,
      )
    }
    if (Number(c.req.header('content-length') ?? Infinity) > MAX_BODY_BYTES) {
      throw new ClawError('too_large', `the request body is over ${MAX_BODY_BYTES} bytes`)
    }
    const { dir } = parse(BackupBody, parseJson(await c.req.text()))
    const started = env.now()
    const summary = summaryOf(await env.ops.backup(dir))
    env.log.info({ dir, ...summary, ms: env.now() - started }, 'backed up')
    return c.json({ ok: true, data: summary })
  })
}
