import type { Unread } from '../../../client/replica/replica.ts'
import { grouped } from '../../../lib/text/count.ts'
import { byPriority } from '../../../workspace/inbox/inbox.ts'
import { acknowledge } from '../../../workspace/inbox/mailbox.ts'
import { wakes } from '../../../workspace/inbox/wakes.ts'
import type { Verb } from '../../command/call.ts'
import { withChange } from '../../command/file-news.ts'
import { messageLines } from '../../command/message-line.ts'
import { lengthOf, MAX_CHARACTERS, pageOf } from '../../command/page.ts'
import { tellPaused } from '../../command/paused.ts'
import { idText } from '../../command/text.ts'
import { isFiltered, readFilter, waitFor } from '../../command/waiting.ts'
import { otherSession } from '../../waking/other-session.ts'

export const poll: Verb = async (call) => {
  const limit = call.number('limit')
  const until = call.request.at + (call.number('wait') ?? 0) * 1000
  const isAny = call.has('any') || isFiltered(call)
  const isNews = isAny ? () => true : ({ message }: Unread) => wakes(message)
  let isFirst = true
  // All messages that are here are handed out; only messages to act on are waited for.
  const isDue = (_: unknown, waiting: readonly Unread[]): boolean => {
    const isFound = isFirst && waiting.length > 0
    isFirst = false
    return isFound
  }
  const { team, waiting } = await waitFor(call, until, readFilter(call), isNews, isDue)
  if (team.offline !== null && waiting.length === 0) throw team.offline

  const page = pageOf(byPriority(waiting), limit)
  const isShort = limit === undefined && !call.has('json')
  const handedOut: typeof page = []
  const lines: string[] = []
  for (const { key, message: plain } of page) {
    const message = await withChange(team, plain)
    const printed = messageLines(team.doc, message)
    if (isShort && lines.length > 0 && lengthOf(lines, printed) > MAX_CHARACTERS) break
    handedOut.push({ key, message })
    lines.push(...printed)
  }
  const messages = handedOut.map(({ message }) => message)
  const remaining = waiting.length - messages.length
  const paused = tellPaused(team)
  const notes = [...otherSession(call), ...paused.notes]
  if (messages.length === 0) lines.push('nothing new')
  if (remaining > 0) notes.push(`… ${grouped(remaining)} more: poll again`)
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
    lines,
    notes,
    ...(call.has('peek') || messages.length === 0 ? {} : { after }),
  }
}
