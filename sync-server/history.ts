import type { Hono } from 'hono'
import { z } from 'zod'
import { parseSince, readArchived, sinceText } from '../workspace/archive.ts'
import { broadcastMessage } from '../workspace/broadcasts.ts'
import { MAX_NAME_BYTES } from '../workspace/limits.ts'
import { checkName } from './access/guard.ts'
import type { AppEnv } from './app.ts'
import { PAGE_BYTES } from './limits.ts'
import { readLog } from './log-page.ts'
import { parse, ready, workspaceOf } from './request.ts'

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

/** What was said in a workspace: for replicas that missed it, and for people and agents who look it up. */
export const addHistoryRoutes = (app: Hono, env: AppEnv): void => {
  app.get('/api/workspaces/:workspace/archive', async (c) => {
    const workspace = workspaceOf(c)
    const { after, limit } = parse(ArchiveQuery, c.req.query())
    const found = await env.updateLog.archived(workspace, 'broadcasts', after, limit, PAGE_BYTES)
    const entries = found.flatMap(({ seq, value }) => {
      const { client, clock, entry } = readArchived(value)
      return entry === null ? [] : { seq, client, clock, entry }
    })
    return c.json({ ok: true, data: { entries, next: found.at(-1)?.seq ?? after } })
  })

  app.get('/api/workspaces/:workspace/log', async (c) => {
    const room = env.reader(workspaceOf(c))
    const { since: text, ...query } = parse(LogQuery, c.req.query())
    checkName(c, query.for)
    const now = env.now()
    const since = text === undefined ? null : parseSince(text, now)
    await ready(room)
    const { entries, more, next } = await readLog(room, env.updateLog, { ...query, since, now })
    return c.json({
      ok: true,
      data: {
        broadcasts: entries.map(broadcastMessage),
        more,
        next:
          since === null ? next : sinceText({ ...since, ...(next !== null && { after: next }) }),
      },
    })
  })
}
