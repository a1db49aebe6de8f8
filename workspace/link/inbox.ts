import type { Here } from '../agents.ts'
import { fileVersion } from '../files.ts'
import type { AgentId } from '../ids.ts'
import { messagesSince } from '../inbox.ts'
import { getTask, isTerminal } from '../tasks.ts'
import type { Replica } from './replica.ts'

/**
 * Stages the messages for `me` that the replica's new operations hold. At the first time there is no history to tell:
 * the inbox starts at the present, with the open tasks that `me` was given before.
 */
export const receive = (replica: Replica, me: AgentId, here: Here): void => {
  const { doc } = replica
  const since = replica.cursor(me)
  const messages = messagesSince(doc, since ?? new Map(), me, here, (file) =>
    fileVersion(doc, file),
  )
  replica.receive(
    me,
    since !== null
      ? messages
      : messages.filter(
          ({ type, message_id }) =>
            type === 'task_delegation' && !isTerminal(getTask(doc, message_id).status),
        ),
  )
}
