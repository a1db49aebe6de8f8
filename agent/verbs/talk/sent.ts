import { sentMessages } from '../../../workspace/inbox/sent.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { idText, oneLine, who } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

const DEFAULT_LIMIT = 20

export const sent: Verb = async (call) => {
  const limit = call.number('limit') ?? DEFAULT_LIMIT
  const team = await WorkspaceSession.open(call, true)
  const me = team.me()
  await team.confirm()
  const messages = sentMessages(team.doc, me, limit)
  const lines = messages.map(({ message_id, type, to_agent, state, replies, status, content }) => {
    const to = to_agent === null ? 'all' : who(team.doc, to_agent)
    const more = `${status ? `status=${status} ` : ''}${replies ? `replies=${replies} ` : ''}`
    return oneLine(`${state} ${type} ${idText(message_id)} to ${to} ${more}content: ${content}`)
  })
  const notes = messages.length === 0 ? ['nothing sent that is still live'] : []
  const data = { messages, count: messages.length, ...team.admitOffline() }
  const short = shortList(
    lines.map((line) => [line]),
    { limit: call.number('limit'), how: `sent --limit ${limit}`, isNewestLast: true },
  )
  return { data, lines: short, notes }
}
