import * as z from 'zod'
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../../../protocol/limits.ts'
import { parseSince } from '../../../workspace/inbox/archive.ts'
import { readStory } from '../../history/story.ts'
import { checkName } from '../../http/caller.ts'
import { ready } from '../../http/request.ts'
import { type Route, route } from '../../http/route.ts'
import type { AppEnv } from '../env.ts'

const position = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
const name = z.string().min(1).max(MAX_NAME_BYTES).optional()

const RecordQuery = z.strictObject({
  after: position.optional(),
  limit: z.coerce.number().int().min(1).max(5_000).default(1_000),
})
const StoryQuery = z.strictObject({
  ...{ agent: name, task: name, for: name },
  file: z.string().min(1).max(MAX_PATH_BYTES).optional(),
  since: z.string().max(1_024).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
})

const Position = z.object({ seq: z.number(), head: z.string() })
const Record = Position.extend({
  from: Position.nullable(),
  digests: z.array(z.string()),
  to: Position.nullable(),
})
const Story = z.object({
  events: z.array(
    z.looseObject({
      ...{ at: z.string(), kind: z.string(), text: z.string() },
      agent_id: z.string().nullable(),
    }),
  ),
  more: z.boolean(),
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The hash chain of a workspace's log, and what happened there. */
export const recordRoutes = (env: AppEnv): Route[] => [
  route({
    ...{ method: 'GET', path: '/api/workspaces/:workspace/record', needs: 'read' },
    summary: 'The head of the log’s hash chain, and the digests of the records after a position',
    ...{ query: RecordQuery, answer: Record },
    run: async ({ workspace, query: { after, limit } }) => {
      await ready(env.reader(workspace))
      const { record } = env.updateLog
      await record.open(workspace)
      const { seq, head } = record.handOut(workspace)!
      const headAt = async (seq: number) => {
        const found = await record.headAt(workspace, seq)
        return found === null ? null : { seq, head: hex(found) }
      }
      const start = after ?? seq
      const from = await headAt(start)
      const digests = from === null ? [] : await record.digests(workspace, start, limit)
      return {
        ...{ seq, head: hex(head), from, digests: digests.map(hex) },
        to: from === null ? null : await headAt(start + digests.length),
      }
    },
  }),
  route({
    ...{ method: 'GET', path: '/api/workspaces/:workspace/record/story', needs: 'read' },
    summary: 'What happened: messages, tasks, file versions; of an agent, a task or a file',
    ...{ query: StoryQuery, answer: Story },
    run: async ({ c, workspace, query: { since: text, ...query } }) => {
      checkName(c, query.for)
      const room = env.reader(workspace)
      await ready(room)
      await env.history.settled(workspace)
      const now = env.now()
      const since = text === undefined ? 0 : (parseSince(text, now).at ?? 0)
      return readStory(room, env.updateLog, { ...query, since, now })
    },
  }),
]
