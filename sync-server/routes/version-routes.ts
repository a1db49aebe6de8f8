import * as z from 'zod'
import { MAX_NAME_BYTES, MAX_PATH_BYTES, MAX_VERSION } from '../../protocol/limits.ts'
import { keysByFileId } from '../../workspace/files/tree.ts'
import { notText } from '../history/checkpoints/compare.ts'
import { findFile, listVersions, readVersion } from '../history/versions/read.ts'
import { ready } from '../http/request.ts'
import { type Route, route } from '../http/route.ts'
import type { AppEnv } from './env.ts'
import { pastFile } from './past-file.ts'

const key = z.string().min(1).max(MAX_PATH_BYTES)
const LogQuery = z.strictObject({
  key,
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z.coerce.number().int().min(1).max(MAX_VERSION).default(MAX_VERSION),
})
const VersionQuery = z.strictObject({
  key,
  version: z.coerce.number().int().min(1).max(MAX_VERSION).optional(),
  /** By the server's clock: an ISO time, or an age such as 2h. */
  at: z.string().max(MAX_NAME_BYTES).optional(),
  checkpoint: z.string().max(MAX_NAME_BYTES).optional(),
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
      summary: 'A kept version of a file, by number, time or checkpoint, with its content',
      query: VersionQuery,
      answer: z.object({ file_key, version: Version.extend({ content: z.string() }) }),
      run: async ({ workspace, query: { key, ...which } }) => {
        const room = env.reader(workspace)
        await ready(room)
        const { id, path, version, sha256 } = await pastFile(env, room, key, which)
        if (sha256 !== undefined) throw notText(path, sha256)
        const file_key = await room.command((doc) => keysByFileId(doc).get(id) ?? null)
        const file = { id, file_key, asked: path }
        const found = await readVersion(env.updateLog.versions, workspace, file, version)
        return { file_key, version: found }
      },
    }),
  ]
}
