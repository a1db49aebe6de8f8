import type * as Y from 'yjs'
import { getFound } from '../../../client/http/api.ts'
import { shorten } from '../../../lib/text/shorten.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { FIND_PLACES } from '../../../workspace/actions/inputs/find.ts'
import { resolveAgent } from '../../../workspace/agents/agents.ts'
import {
  type Found,
  type FoundBy,
  idOf,
  pageOf,
  parseQuery,
  type Search,
  find as search,
} from '../../../workspace/inbox/find.ts'
import type { Call, Verb } from '../../command/call.ts'
import { messageLines } from '../../command/message-line.ts'
import { idText, oneLine, path, stateText } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** Lines that are printed by default (count). */
const LIMIT = 20
/** Characters shown of a found line. */
const SHOWN = 160

/** Searches the local replica, and the server's archive where the server can be reached. */
export const find: Verb = async (call) => {
  const query = call.flag('query')!
  const terms = parseQuery(query)
  const places = call.oneOf('in', FIND_PLACES)
  const limit = call.number('limit') ?? LIMIT
  const team = await WorkspaceSession.open(call, true)
  await team.confirm()
  const { doc } = team
  const me = call.profile.state.agent_id ?? null
  const named = call.flag('from')
  const from = named === undefined ? undefined : resolveAgent(doc, named, team.known)
  const topic = call.flag('topic')
  const by: FoundBy = { messages: [], tasks: [], files: [] }
  for (const place of places === undefined ? FIND_PLACES : [places]) {
    by[place] = live(doc, { terms, place, me, from, topic, now: team.now() }, limit)
  }
  const archive =
    places === 'files' ? NOTHING : await archived(call, team, { query, places, from, topic, limit })
  const known = new Set([...by.messages, ...by.tasks].map(idOf))
  for (const one of archive.found) if (!known.has(idOf(one))) by[one.in].push(one)
  const page = pageOf(by, limit)
  const { found } = page
  const more = page.more || archive.more
  const notes = found.length === 0 ? ['nothing found'] : more ? ['there is more: --limit'] : []
  return {
    data: { found, count: found.length, more, ...team.admitOffline() },
    lines: found.map((one) => lineOf(doc, one)),
    notes: [...notes, ...archive.notes],
  }
}

/** One more than the limit, where there is one: the page tells that there is more. */
const live = (doc: Y.Doc, wanted: Search, limit: number): Found[] => {
  const found: Found[] = []
  for (const one of search(doc, wanted)) {
    if (one !== null && found.push(one) > limit) break
  }
  return found
}

const NOTHING = { found: [], more: false, notes: [] }

interface Asked {
  query: string
  places: string | undefined
  from: string | undefined
  topic: string | undefined
  limit: number
}

const archived = async (
  call: Call,
  team: WorkspaceSession,
  { query, places, from, topic, limit }: Asked,
): Promise<{ found: Found[]; more: boolean; notes: readonly string[] }> => {
  if (team.offline !== null) return { ...NOTHING, notes: ['without what is archived'] }
  const me = call.profile.state.agent_id
  const given = { query, in: places, from, topic, for: me, limit: String(limit), archived: 'true' }
  const parameters = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
  try {
    return { ...(await getFound(call.target, call.workspace, parameters)), notes: [] }
  } catch (error) {
    // A server of an earlier version.
    if (!(error instanceof ClawError && error.code === 'unknown_route')) throw error
    return { ...NOTHING, notes: ['without what is archived: the server is older than this client'] }
  }
}

const lineOf = (doc: Y.Doc, one: Found): string => {
  switch (one.in) {
    case 'messages':
      return shorten(messageLines(doc, one.message).join(' '), 2 * SHOWN)
    case 'tasks': {
      const { task_id, status, task, message } = one.task
      const said = message === '' ? task : `${task} — ${message}`
      return oneLine(`task ${idText(task_id)} ${stateText(status)}: ${shorten(said, SHOWN)}`)
    }
    case 'files': {
      const at = one.line === 0 ? '' : `:${one.line}: ${shorten(one.text.trim(), SHOWN)}`
      return oneLine(`file ${path(one.file_key)}${at}`)
    }
  }
}
