import * as z from 'zod'
import type { AgentId } from '../../../protocol/ids.ts'
import { MAX_NAME_BYTES } from '../../../protocol/limits.ts'
import { FIND_PLACES } from '../../../workspace/actions/inputs/find.ts'
import { resolveAgent } from '../../../workspace/agents/agents.ts'
import {
  type FindPlace,
  type FoundBy,
  find,
  pageOf,
  parseQuery,
} from '../../../workspace/inbox/find.ts'
import type { ArchiveSearch } from '../../history/find/search.ts'
import { checkName, principalOf } from '../../http/caller.ts'
import { type Asked, type Route, route } from '../../http/route.ts'
import { agentOf } from '../../sync/principal.ts'
import { look, lookThrough } from '../agent-request.ts'
import { at } from '../agent-route.ts'
import type { AppEnv } from '../env.ts'

const MAX_QUERY_BYTES = 1_024
const name = z.string().min(1).max(MAX_NAME_BYTES).optional()

const FindQuery = z.strictObject({
  query: z.string().min(1).max(MAX_QUERY_BYTES),
  in: z.enum(FIND_PLACES).optional(),
  ...{ from: name, topic: name, for: name },
  limit: z.coerce.number().int().min(1).max(500).default(20),
  /** Only what is archived: a replica has the rest, and searches it itself. */
  archived: z.stringbool().default(false),
})
type Query = z.infer<typeof FindQuery>

const Found = z.looseObject({ in: z.enum(FIND_PLACES) })

/** Search by words. */
export const findRoutes = (env: AppEnv): Route[] => [
  route({
    ...{ method: 'GET', path: at('find'), needs: 'read', query: FindQuery },
    summary: 'Messages, tasks and lines of files with all words of a query, archived ones, too',
    answer: z.object({ found: z.array(Found), more: z.boolean() }),
    run: async (asked) => {
      const { query } = asked
      const terms = parseQuery(query.query)
      checkName(asked.c, query.for)
      const me = (query.for ?? agentOf(principalOf(asked.c))) as AgentId | null
      const from =
        query.from === undefined
          ? undefined
          : await look(env, asked, ({ doc }) => ({ id: resolveAgent(doc, query.from!) }))
      const search = { terms, me, from: from?.id, topic: query.topic, limit: query.limit }
      const live = query.archived ? nothing() : await findLive(env, asked, search)
      const archived = await findArchived(env, asked, search)
      const by = joined(live, archived.by)
      if (query.archived) return { found: [...by.messages, ...by.tasks], more: archived.more }
      const { found, more } = pageOf(by, query.limit)
      return { found, more: more || archived.more }
    },
  }),
]

const nothing = (): FoundBy => ({ messages: [], tasks: [], files: [] })

const joined = (one: FoundBy, other: FoundBy): FoundBy => ({
  messages: [...one.messages, ...other.messages],
  tasks: [...one.tasks, ...other.tasks],
  files: [...one.files, ...other.files],
})

/** One more of each place than asked for, where there are as many: the page tells that there is more. */
const findLive = async (
  env: AppEnv,
  asked: Asked<Query>,
  search: ArchiveSearch,
): Promise<FoundBy> => {
  const by = nothing()
  for (const place of placesOf(asked.query)) {
    const found = await lookThrough(env, asked, ({ doc }) =>
      atMost(search.limit + 1, find(doc, { ...search, place, now: env.now() })),
    )
    by[place] = found.flatMap((one) => one ?? [])
  }
  return by
}

const atMost = function* <T>(count: number, found: Iterable<T | null>): Generator<T | null> {
  let left = count
  for (const one of found) {
    yield one
    if (one !== null && --left === 0) return
  }
}

const findArchived = async (
  env: AppEnv,
  { workspace, query }: Asked<Query>,
  search: ArchiveSearch,
): Promise<{ by: FoundBy; more: boolean }> => {
  const by = nothing()
  let hasMore = false
  for (const [place, shelf] of [
    ['messages', 'broadcasts'],
    ['tasks', 'tasks'],
  ] as const) {
    if (!placesOf(query).includes(place)) continue
    const { found, more } = await env.finder.find(workspace, shelf, search)
    by[place] = found
    hasMore ||= more
  }
  return { by, more: hasMore }
}

const placesOf = ({ in: place }: Query): readonly FindPlace[] =>
  place === undefined ? FIND_PLACES : [place]
