import { z } from 'zod'
import { MAX_PATH_BYTES, MAX_VERSION } from '../../protocol/limits.ts'
import { findFile, listVersions, readVersion } from '../history/versions/read.ts'
import { ready } from '../http/request.ts'
import { type Route, route } from '../http/route.ts'
import type { AppEnv } from './env.ts'

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

const Version = z.looseObject({ file_key: z.string(), version: z.number(), size: z.number() })
const file_key = z.string().nullable()

/** The history of the shared files. What is on disk when a request comes in is in its answer. */
export const versionRoutes = (env: AppEnv): Route[] => {
  const open = async (workspace: string, key: string) => {
    const room = env.reader(workspace)
    await ready(room)
    await env.history.settled(workspace)
    return room.command((doc) => findFile(doc, key))
  }
  return [
    route({
      ...{ method: 'GET', path: '/api/workspaces/:workspace/files/log', needs: 'read' },
      summary: 'The kept versions of a file, newest first',
      query: LogQuery,
      answer: z.object({ file_key, versions: z.array(Version), more: z.boolean() }),
      run: async ({ workspace, query: { key, limit, before } }) => {
        const file = await open(workspace, key)
        const { versions: log } = env.updateLog
        const { versions, more } = await listVersions(log, workspace, file, before, limit)
        return { file_key: file.file_key, versions, more }
      },
    }),
    route({
      ...{ method: 'GET', path: '/api/workspaces/:workspace/files/version', needs: 'read' },
      summary: 'A kept version of a file, with its content',
      query: VersionQuery,
      answer: z.object({ file_key, version: Version.extend({ content: z.string() }) }),
      run: async ({ workspace, query: { key, version } }) => {
        const file = await open(workspace, key)
        const found = await readVersion(env.updateLog.versions, workspace, file, version)
        return { file_key: file.file_key, version: found }
      },
    }),
  ]
}
