import { byPriority } from '../../../workspace/inbox/inbox.ts'
import { acknowledge } from '../../../workspace/inbox/mailbox.ts'
import type { Verb } from '../../command/call.ts'
import { messageLine } from '../../command/message-line.ts'
import { pageOf } from '../../command/page.ts'
import { tellPaused } from '../../command/paused.ts'
import { idText } from '../../command/text.ts'
import { readFilter, waitFor } from '../../command/waiting.ts'

export const poll: Verb = async (call) => {
  const limit = call.number('limit')
  const until = call.request.at + (call.number('wait') ?? 0) * 1000
  const { team, found } = await waitFor(call, until, readFilter(call))
  if (team.offline !== null && found.length === 0) throw team.offline

  const handedOut = pageOf(byPriority(found), limit)
  const messages = handedOut.map(({ message }) => message)
  const remaining = found.length - messages.length
  const paused = tellPaused(team)
  const notes = paused.notes
  if (messages.length === 0) notes.push('nothing new')
  if (remaining > 0) notes.push(`… ${remaining.toLocaleString('en-US')} more: poll again`)
  for (const { message_id, cut } of messages) {
    if (cut !== undefined)
      notes.push(`${idText(message_id)} is too large and was cut: ${cut} shows all of it`)
  }
  const after = async () => {
    const replica = await team.reopened()
    acknowledge(replica, team.me(), handedOut, team.now())
    await replica.commit()
  }
  return {
    data: { messages, count: messages.length, remaining, ...paused.data, ...team.admitOffline() },
    lines: messages.map((message) => messageLine(team.doc, message)),
    notes,
    ...(call.has('peek') || messages.length === 0 ? {} : { after }),
  }
}
