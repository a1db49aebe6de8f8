import type * as Y from 'yjs'
import type { AgentId } from './ids.ts'
import type { Message } from './inbox.ts'
import { type Receipt, receiptsOf } from './schema.ts'
import { isReceipt } from './shape.ts'

/** What its addressee says it did with a task or direct message; undefined: nothing yet. */
export const receiptOf = (doc: Y.Doc, id: string): Receipt | undefined => {
  const receipt = receiptsOf(doc).get(id)
  return isReceipt(receipt) ? receipt : undefined
}

/** What somebody is told of: tasks and direct messages, never one for each recipient of a broadcast. */
const isReceipted = ({ type, to_agent }: Message, me: AgentId): boolean =>
  (type === 'task_delegation' || type === 'direct_message') && to_agent === me

/** Writes that these were put into the inbox of `me`, their addressee. */
export const markDelivered = (
  doc: Y.Doc,
  me: AgentId,
  messages: readonly Message[],
  now: number,
): void => {
  doc.transact(() => {
    for (const message of messages) {
      const id = message.message_id
      if (isReceipted(message, me) && receiptOf(doc, id) === undefined) {
        receiptsOf(doc).set(id, { delivered: now })
      }
    }
  })
}

/** Writes that these were read by `me`, their addressee. What has left the live document has no receipt any more. */
export const markRead = (
  doc: Y.Doc,
  me: AgentId,
  messages: readonly Message[],
  now: number,
): void => {
  doc.transact(() => {
    for (const message of messages) {
      const known = receiptOf(doc, message.message_id)
      if (!isReceipted(message, me) || known === undefined || known.read !== undefined) continue
      receiptsOf(doc).set(message.message_id, { ...known, read: now })
    }
  })
}
