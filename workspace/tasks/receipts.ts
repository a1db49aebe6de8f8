import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { findIn } from '../document/buckets.ts'
import { type Receipt, receiptsOf } from '../document/schema.ts'
import { isReceipt, taskRecord } from '../document/shape.ts'
import type { Message } from '../messages/message.ts'
import { submissions, submit } from './submissions.ts'
import { offersOf } from './task-write.ts'

/**
 * The key of the receipt by `by` for a direct message: the id of the message, or a key beside it
 * where an agent with a message of the same id has that one.
 */
export const receiptKey = (doc: Y.Doc, id: string, by: AgentId): string => {
  const beside = `${id}.${by}`
  const whose = (key: string): string | undefined => {
    const there = findIn(receiptsOf(doc), key)
    return isReceipt(there) ? there.by : undefined
  }
  if (whose(beside) === by) return beside
  return (whose(id) ?? by) === by ? id : beside
}

/**
 * The receipt of `to` for a direct message to it, or for a task that it may take; undefined: none
 * yet.
 */
export const receiptOf = (doc: Y.Doc, id: string, to: AgentId | null): Receipt | undefined => {
  const task = taskRecord(doc, id)
  const filed =
    task?.get('receipt') ??
    (to === null ? undefined : findIn(receiptsOf(doc), receiptKey(doc, id, to)))
  const asked = new Set(task === undefined ? [] : offersOf(task).map((offer) => offer.to))
  let receipt = isReceipt(filed) ? filed : undefined
  for (const entry of submissions(doc)) {
    if (entry.kind !== 'receipt' || entry.id !== id) continue
    if (entry.by === to || asked.has(entry.by)) receipt = joined(receipt, entry)
  }
  return receipt
}

/** A receipt with further times: the first of each counts. */
export const joined = (
  receipt: Receipt | undefined,
  { delivered, read }: { delivered?: number; read?: number },
): Receipt => {
  const seen = read ?? receipt?.read
  return {
    delivered: receipt?.delivered ?? delivered ?? read ?? 0,
    ...(seen !== undefined && { read: receipt?.read ?? seen }),
  }
}

/** Tells whether a message has receipts: tasks and direct messages have, broadcasts have not. */
const isReceipted = ({ type, to_agent }: Message, me: AgentId): boolean =>
  (type === 'task_delegation' || type === 'direct_message') && to_agent === me

/** Notes that these messages were put into the inbox of `me`, their addressee. */
export const markDelivered = (
  doc: Y.Doc,
  me: AgentId,
  messages: readonly Message[],
  now: number,
): void => mark(doc, me, messages, (known) => (known === undefined ? { delivered: now } : null))

/** Notes that `me`, their addressee, has read these messages. Archived messages get no receipt. */
export const markRead = (
  doc: Y.Doc,
  me: AgentId,
  messages: readonly Message[],
  now: number,
): void =>
  mark(doc, me, messages, (known) =>
    known === undefined || known.read !== undefined ? null : { read: now },
  )

const mark = (
  doc: Y.Doc,
  me: AgentId,
  messages: readonly Message[],
  what: (known: Receipt | undefined) => { delivered?: number; read?: number } | null,
): void => {
  const receipted = messages.filter((message) => isReceipted(message, me))
  // An empty transaction costs in proportion to all clients of the document, too.
  if (receipted.length === 0) return
  doc.transact(() => {
    for (const { message_id: id } of receipted) {
      const said = what(receiptOf(doc, id, me))
      if (said !== null) submit(doc, { kind: 'receipt', id, by: me, ...said })
    }
  })
}
