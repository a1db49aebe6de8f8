import { getLog, type LogPage } from '../../../client/http/api.ts'
import { isPristine } from '../../../lib/yjs/internals.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { resolveAgent } from '../../../workspace/agents/agents.ts'
import { readLiveLog } from '../../../workspace/inbox/archive.ts'
import { broadcastMessage } from '../../../workspace/messages/broadcasts.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { field, idText, who, withBody } from '../../command/text.ts'
import { mayEnter, openReplica } from '../../command/workspace-session.ts'

const DEFAULT_LIMIT = 50

export const log: Verb = async (call) => {
  const away = await mayEnter(call, true)
  const { doc } = await openReplica(call)
  const query = {
    topic: call.flag('topic'),
    from: call.flag('from'),
    for: call.profile.state.agent_id,
  }
  const since = call.flag('since')
  const limit = call.number('limit') ?? DEFAULT_LIMIT
  let page: LogPage
  let offline = false
  try {
    const given = Object.entries({ ...query, since, limit: String(limit) })
    const parameters = given.filter((entry): entry is [string, string] => entry[1] !== undefined)
    if (away !== null) throw away
    const read = () => getLog(call.target, call.workspace, Object.fromEntries(parameters))
    page = await read().catch(async (error) => {
      if (!(await call.access.renew(error))) throw error
      return read()
    })
  } catch (error) {
    const isAway = error instanceof ClawError && error.toBody().retryable
    if (!isAway || isPristine(doc)) throw error
    offline = true
    call.notes.push(`${error.message}; this is the local copy, without what is archived`)
    const from = query.from === undefined ? undefined : resolveAgent(doc, query.from)
    const { entries, ...more } = readLiveLog(doc, { ...query, from }, since, limit, Date.now())
    page = { ...more, broadcasts: entries.map(broadcastMessage) }
  }
  const { broadcasts, more, next } = page
  const entries = broadcasts.map(({ message_id, timestamp, from_agent, to_agent, ...message }) => {
    const to = to_agent === null ? '' : ` to ${who(doc, to_agent)}`
    const reply = message.reply_to ? ` reply_to=${idText(message.reply_to)}` : ''
    const from = `from ${who(doc, from_agent)}`
    const head = `${timestamp} ${idText(message_id)} ${from}${to} topic=${field(message.topic)}`
    return withBody(`${head}${reply} content:`, message.content)
  })
  if (broadcasts.length === 0) call.notes.push('nothing was said')
  if (more)
    call.notes.push(since === undefined ? 'there is older: --since' : `more: --since ${next}`)
  const data = { broadcasts, count: broadcasts.length, more, next }
  const lines = shortList(entries, {
    ...{ limit: call.number('limit'), how: `log --limit ${limit}` },
    ...(since === undefined && { isNewestLast: true }),
  })
  return { data: offline ? { ...data, offline } : data, lines }
}
