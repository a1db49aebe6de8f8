import { ClawError } from '../../../protocol/errors.ts'
import { isFinal, wakes } from '../../../workspace/inbox/wakes.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import { isOffered } from '../../../workspace/tasks/task-turn.ts'
import { entries } from '../../../workspace/tasks/tasks.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { waitForTasks } from '../../command/task-waiting.ts'
import { idText } from '../../command/text.ts'
import { hintOf, isFiltered, readFilter, unreadText, waitFor } from '../../command/waiting.ts'
import type { WorkspaceSession } from '../../command/workspace-session.ts'

/** Ids on a line (count); `--json` has all. */
const MAX_IDS = 20

/**
 * Waits until this agent has to act on a message or on one of some tasks, or until others change one of some files.
 * Acknowledges nothing.
 */
export const wait: Verb = async (call) => {
  const timeout = call.number('timeout')
  const seconds = timeout ?? Number.POSITIVE_INFINITY
  const ids = call.has('task') ? [...new Set(call.list('task'))] : []
  const wrong = ids.find((id) => /^\d/.test(id))
  if (wrong !== undefined) {
    const hint = `for messages: wait --timeout ${Number.parseInt(wrong, 10)}; for a task: wait TASK`
    throw new ClawError('usage', `"${wrong}" is not the id of a task`, hint)
  }
  const isChange = call.has('key') ? changesOf(call.list('key')) : undefined
  if (ids.length > 0) {
    return waitForTasks(call, {
      ...{ ids, seconds, untilFinal: call.has('until-final') },
      ...(isChange !== undefined && { isNews: isChange }),
    })
  }
  return waitForMessages(call, seconds, isChange)
}

/** Tells whether a message is about one of these files. */
const changesOf = (keys: readonly string[]): ((message: Message) => boolean) => {
  const wanted = new Set(keys.map((key) => key.normalize('NFC')))
  return (message) => {
    if (message.type === 'files_changed') return message.file_keys.some((key) => wanted.has(key))
    return 'file_key' in message && wanted.has(message.file_key)
  }
}

const waitForMessages = async (
  call: Call,
  seconds: number,
  isChange: ((message: Message) => boolean) | undefined,
): Promise<Outcome> => {
  const until = call.request.at + seconds * 1000
  const isNews = isChange ?? newsFor(call)
  const hasAll = call.has('any') || isFiltered(call) || isChange !== undefined
  const offered = (team: WorkspaceSession): string[] => {
    if (hasAll || call.has('until-final')) return []
    const me = team.me()
    return [...entries(team.doc)].filter((one) => isOffered(team.doc, one, me)).map(({ id }) => id)
  }
  const isDue = (team: WorkspaceSession) => offered(team).length > 0
  const { team, found, waiting } = await waitFor(
    call,
    until,
    readFilter(call),
    ({ message }) => isNews(message),
    isDue,
  )
  if (found.length > 0) return outcomeOf(team, found)
  const open = offered(team)
  if (open.length > 0) {
    const ids = open.slice(0, MAX_IDS)
    return {
      data: { count: 0, kinds: {}, from: [], message_ids: [], unclaimed: open },
      lines: ids.map((id) => `you have an unclaimed task ${idText(id)}: claim or decline it`),
    }
  }
  const what = waiting.length > 0 ? 'nothing for you to act on' : 'nothing'
  const hint = unreadText(waiting) || 'wait again'
  throw new ClawError('timeout', `${what} came in within ${seconds} s`, hint)
}

/** The messages that end a wait: those of the filter, or without one those that this agent has to act on. */
const newsFor = (call: Call): ((message: Message) => boolean) => {
  if (call.has('until-final')) return isFinal
  return call.has('any') || isFiltered(call) ? () => true : wakes
}

const outcomeOf = (
  { doc }: WorkspaceSession,
  found: Awaited<ReturnType<typeof waitFor>>['found'],
): Outcome => {
  const hint = hintOf(doc, found)
  const ids = found.map(({ message }) => message.message_id)
  const kinds = Object.entries(hint.kinds).map(([type, count]) => `${count} ${type}`)
  const more = ids.length > MAX_IDS ? ` and ${ids.length - MAX_IDS} more` : ''
  return {
    data: { ...hint, message_ids: ids },
    lines: [`${kinds.join(', ')}: ${ids.slice(0, MAX_IDS).map(idText).join(' ')}${more}`],
  }
}
