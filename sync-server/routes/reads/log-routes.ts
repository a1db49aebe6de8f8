import * as z from 'zod'
import { MAX_NAME_BYTES } from '../../../protocol/limits.ts'
import { parseSince, readArchived, sinceText } from '../../../workspace/inbox/archive.ts'
import { broadcastMessage } from '../../../workspace/messages/broadcasts.ts'
import { PAGE_BYTES } from '../../config/limits.ts'
import { readLog } from '../../history/log-page.ts'
import { checkName } from '../../http/caller.ts'
import { ready } from '../../http/request.ts'
import { type Route, route } from '../../http/route.ts'
import type { AppEnv } from '../env.ts'

const count = (max: number) => z.coerce.number().int().min(1).max(max)

const ArchiveQuery = z.strictObject({
  after: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  limit: count(1_000).default(500),
})

const name = z.string().min(1).max(MAX_NAME_BYTES).optional()
const LogQuery = z.strictObject({
  topic: name,
  from: name,
  for: name,
  since: z.string().max(1_024).optional(),
  limit: count(500).default(50),
})

const Archive = z.object({
  entries: z.array(
    z.object({ seq: z.number(), client: z.number(), clock: z.number(), entry: z.looseObject({}) }),
  ),
  next: z.number(),
})
const Log = z.object({
  broadcasts: z.array(z.looseObject({ message_id: z.string(), content: z.string() })),
  more: z.boolean(),
  next: z.string().nullable(),
})

/** Messages of a workspace, for replicas that missed them and for people and agents who search them. */
export const historyRoutes = (env: AppEnv): Route[] => [
  route({
    ...{ method: 'GET', path: '/api/workspaces/:workspace/archive', needs: 'read' },
    summary: 'Archived broadcasts with their Yjs ids, for replicas that missed them',
    ...{ query: ArchiveQuery, answer: Archive },
    run: async ({ workspace, query: { after, limit } }) => {
      const found = await env.updateLog.archived(workspace, 'broadcasts', after, limit, PAGE_BYTES)
      const entries = found.flatMap(({ seq, value }) => {
        const { client, clock, entry } = readArchived(value)
        return entry === null ? [] : { seq, client, clock, entry }
      })
      return { entries, next: found.at(-1)?.seq ?? after }
    },
  }),
  route({
    ...{ method: 'GET', path: '/api/workspaces/:workspace/log', needs: 'read' },
    summary: 'What was said, archived and live, a page at a time',
    ...{ query: LogQuery, answer: Log },
    run: async ({ c, workspace, query: { since: text, ...query } }) => {
      const room = env.reader(workspace)
      checkName(c, query.for)
      const now = env.now()
      const since = text === undefined ? null : parseSince(text, now)
      await ready(room)
      const { entries, more, next } = await readLog(room, env.updateLog, { ...query, since, now })
      return {
        broadcasts: entries.map(broadcastMessage),
        more,
        next:
          since === null ? next : sinceText({ ...since, ...(next !== null && { after: next }) }),
      }
    },
  }),
]
