import type { AgentId, FileKey } from '../../protocol/ids.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { stepWords } from '../text/task-words.ts'
import { latest } from './frame.ts'
import { type Snapshot, waitFor } from './snapshot.ts'
import type { Page } from './state.ts'

/** The reasons for an item, in the order of the list. The first ones wait for this person; `open` and `news` do not. */
export const REASONS = ['answer', 'approval', 'review', 'claim', 'message', 'open', 'news'] as const
export type Reason = (typeof REASONS)[number]
const COUNTED: ReadonlySet<Reason> = new Set(REASONS.slice(0, REASONS.indexOf('open')))

/** A thing for this person. */
export interface ForMe {
  /** Unique in the list. */
  id: string
  why: Reason
  /** The id of its task, suggestion or message. */
  about: string
  /** Milliseconds since the epoch. */
  at: number
  from: AgentId
  text: string
  page: Page
}

/** All that is for this person: the things that wait, then tasks open to anyone, then unread news of other things. */
const items = latest(
  (
    me: Snapshot['me'],
    tasks: Snapshot['tasks'],
    capabilities: Snapshot['capabilities'],
    reviews: Snapshot['reviews'],
    unread: Snapshot['unread'],
    taskById: Snapshot['taskById'],
  ): readonly ForMe[] => {
    const found: ForMe[] = []
    for (const task of tasks) {
      const wait = waitFor({ me, capabilities }, task)
      if (wait === null) continue
      const { task_id, from_agent, owner, updated_at, message } = task
      const isSaid = wait === 'answer' || wait === 'approval'
      found.push({
        ...{ id: `${wait} ${task_id}`, why: wait, about: task_id, at: Date.parse(updated_at) },
        from: isSaid ? (owner ?? from_agent) : from_agent,
        text: isSaid && message !== '' ? `${message} (${task.task})` : task.task,
        page: { kind: 'task', id: task_id, top: 0 },
      })
    }
    for (const { id, file, by, at, note } of reviews) {
      found.push({
        ...{ id: `review ${id}`, why: 'review', about: id, at, from: by },
        text: note === '' ? file : `${file}: ${note}`,
        page: { kind: 'suggestion', id, top: 0 },
      })
    }
    const waiting = new Set(found.map(({ about }) => about))
    const times = new Map<string, number>()
    for (const message of unread) {
      if (waiting.has(message.message_id)) continue
      for (const item of unreadItem(message, taskById)) {
        // Of one task there may be several.
        const time = (times.get(item.id) ?? 0) + 1
        times.set(item.id, time)
        found.push(time === 1 ? item : { ...item, id: `${item.id} ${time}` })
      }
    }
    const rank = ({ why }: ForMe) => REASONS.indexOf(why)
    return found.sort((a, b) => rank(a) - rank(b) || a.at - b.at || (a.id < b.id ? -1 : 1))
  },
)

export const forMe = (snapshot: Snapshot): readonly ForMe[] => {
  const { me, tasks, capabilities, reviews, unread, taskById } = snapshot
  return items(me, tasks, capabilities, reviews, unread, taskById)
}

/** The number of things that wait for this person. */
export const waitingCount = (snapshot: Snapshot): number =>
  forMe(snapshot).filter(({ why }) => COUNTED.has(why)).length

/** A message as an item; none for one that the feed or the list of files tells. */
const unreadItem = (message: Message, taskById: Snapshot['taskById']): ForMe[] => {
  const { message_id: about, from_agent, timestamp, type } = message
  const from = from_agent as AgentId
  const item = (why: Reason, text: string, page: Page): ForMe[] => [
    { id: `${type} ${about}`, why, about, at: Date.parse(timestamp), from, text, page },
  ]
  const task = { kind: 'task', id: about, top: 0 } as const
  switch (message.type) {
    case 'direct_message':
    case 'look_together':
      return item('message', message.content, { kind: 'entry', id: about, top: 0 })
    case 'task_response':
    case 'task_update': {
      const { status, event } = message
      const words = message.type === 'task_update' ? message.text : message.result
      const said = words === '' ? '' : `: ${words}`
      const of = taskById.get(about)?.task ?? about
      return item('news', `${stepWords(status, event)}${said} (${of})`, task)
    }
    case 'task_note':
      return item('news', `notes: ${message.text}`, task)
    case 'task_canceled':
      return item('news', `takes the task back: ${message.reason}`, task)
    case 'command_refused':
      return item('news', `${message.command} was refused: ${message.error.message}`, task)
    case 'suggestion_judged': {
      const text = `${message.verdict} for ${message.file_key} ${message.reason}`.trim()
      return item('news', text, { kind: 'suggestion', id: about, top: 0 })
    }
    case 'file_conflict': {
      const { file_key, from_line, to_line } = message
      const text = `${file_key}, lines ${from_line}–${to_line}: changed by others at the same time`
      return item('news', text, { kind: 'editor', path: file_key as FileKey })
    }
    default:
      return []
  }
}

/** Ids of the unread messages that a page shows: who opens it has read them. */
export const readBy = (unread: Snapshot['unread'], page: Page): string[] => {
  const isShown = (message: Message): boolean => {
    if (page.kind === 'editor') return 'file_key' in message && message.file_key === page.path
    return message.message_id === page.id
  }
  return [...new Set(unread.filter(isShown).map(({ message_id }) => message_id))]
}
