import type { Hono } from 'hono'
import { z } from 'zod'
import { MAX_PATH_BYTES } from '../../workspace/limits.ts'
import type { AppEnv } from '../app.ts'
import { parse, ready, workspaceOf } from '../request.ts'
import { MAX_VERSION } from './log.ts'
import { findFile, listVersions, readVersion } from './read.ts'

const key = z.string().min(1).max(MAX_PATH_BYTES)
const LogQuery = z.strictObject({
  key,
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z.coerce.number().int().min(1).max(MAX_VERSION).default(MAX_VERSION),
})
const VersionQuery = z.strictObject({
  key,
  version: z.coerce.number().int().min(1).max(MAX_VERSION),
})

/** The history of the shared files. What is on disk when a request comes in is in its answer. */
export const addFileRoutes = (app: Hono, env: AppEnv): void => {
  const { versions: log } = env.updateLog
  const open = async (workspace: string, key: string) => {
    const room = env.reader(workspace)
    await ready(room)
    await env.history.settled(workspace)
    return room.command((doc) => findFile(doc, key))
  }

  app.get('/api/workspaces/:workspace/files/log', async (c) => {
    const workspace = workspaceOf(c)
    const { key, limit, before } = parse(LogQuery, c.req.query())
    const file = await open(workspace, key)
    const { versions, more } = await listVersions(log, workspace, file, before, limit)
    return c.json({ ok: true, data: { file_key: file.file_key, versions, more } })
  })

  app.get('/api/workspaces/:workspace/files/version', async (c) => {
    const workspace = workspaceOf(c)
    const { key, version } = parse(VersionQuery, c.req.query())
    const file = await open(workspace, key)
    const found = await readVersion(log, workspace, file, version)
    return c.json({ ok: true, data: { file_key: file.file_key, version: found } })
  })
}
