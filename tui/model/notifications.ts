import { counted } from '../../lib/text/count.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { cut, harmless } from '../text/display.ts'
import { stepWords } from '../text/task-words.ts'
import { type Snapshot, shownNameOf } from './snapshot.ts'
import type { Toast } from './state.ts'

/** Characters of a message that a toast shows. */
const SHOWN = 160

/** The toast for a new message; null for a broadcast, which the feed shows. */
export const tellingOf = (
  message: Message,
  snapshot: Snapshot,
): Pick<Toast, 'text' | 'hint'> | null => {
  const from = shownNameOf(snapshot, message.from_agent)
  const telling = (what: string, said: string, hint = '') => ({
    text: `${what}: ${cut(harmless(said.slice(0, SHOWN * 2)), SHOWN)}`,
    hint,
  })
  switch (message.type) {
    case 'direct_message':
      return telling(from, message.content, '0 has what waits for you; r replies')
    case 'task_delegation':
      return telling(
        message.requires === undefined ? `${from} gives you a task` : `${from}, open to anyone`,
        message.task,
        '0 has what waits for you; c claims it',
      )
    case 'task_response': {
      const { status, event, result, message_id } = message
      const { task = message_id, approve_by } = snapshot.taskById.get(message_id) ?? {}
      const isMine = event !== 'approval-asked' || approve_by === snapshot.me
      const keys = event === 'approval-asked' ? 'a approves, x sends it back' : 'r answers'
      const hint = `0 has what waits for you; ${keys}`
      return telling(
        `${from} ${stepWords(status, event)}`,
        result === '' ? task : result,
        status === 'input-required' && isMine ? hint : '',
      )
    }
    case 'task_update': {
      const { status, event, text, message_id } = message
      const task = snapshot.taskById.get(message_id)?.task ?? message_id
      const hint =
        event === 'approval-asked' ? '0 has what waits for you; a approves, x sends it back' : ''
      return telling(`${from} ${stepWords(status, event)}`, text === '' ? task : text, hint)
    }
    case 'task_note':
      return telling(`${from} notes`, message.text)
    case 'task_canceled':
      return telling(`${from} took a task back`, message.reason)
    case 'command_refused':
      return telling(`${message.command} was refused`, message.error.message, message.error.hint)
    case 'file_conflict':
      return telling(
        `${message.file_key}, lines ${message.from_line}–${message.to_line}`,
        'changed by you and others at the same time',
      )
    case 'file_suggestion': {
      const hunks = counted(message.hunks, 'hunk')
      const said = message.note === '' ? hunks : `${hunks}: ${message.note}`
      return telling(`${from} suggests for ${message.file_key}`, said, '0 has what waits for you')
    }
    case 'suggestion_judged': {
      const { verdict, file_key, reason, waiting } = message
      const left = waiting === 0 ? '' : `, ${waiting} still waiting`
      const what = `${from} ${verdict} ${counted(message.hunks.length, 'hunk')} for ${file_key}`
      return telling(`${what}${left}`, reason)
    }
    case 'knowledge_broadcast':
    case 'file_updated':
    case 'file_removed':
    case 'files_changed':
    case 'agent_joined':
    case 'digest':
      return null
    default:
      // Of a newer version: for whoever reads it, it is in the inbox.
      return null
  }
}
