import type * as Y from 'yjs'
import { findIn } from './buckets.ts'
import type { AgentId } from './ids.ts'
import type { Message } from './inbox.ts'
import { handedIn, handIn } from './intake.ts'
import { type Receipt, receiptsOf } from './schema.ts'
import { isReceipt, taskRecord } from './shape.ts'

/** What its addressee says it did with a task or direct message; undefined: nothing yet. */
export const receiptOf = (doc: Y.Doc, id: string): Receipt | undefined => {
  const filed = taskRecord(doc, id)?.get('receipt') ?? findIn(receiptsOf(doc), id)
  let receipt = isReceipt(filed) ? filed : undefined
  for (const entry of handedIn(doc)) {
    if (entry.kind === 'receipt' && entry.id === id) receipt = joined(receipt, entry)
  }
  return receipt
}

/** A receipt with what else was said: the first time of each counts. */
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

/** What somebody is told of: tasks and direct messages, never one for each recipient of a broadcast. */
const isReceipted = ({ type, to_agent }: Message, me: AgentId): boolean =>
  (type === 'task_delegation' || type === 'direct_message') && to_agent === me

/** Says that these were put into the inbox of `me`, their addressee. */
export const markDelivered = (
  doc: Y.Doc,
  me: AgentId,
  messages: readonly Message[],
  now: number,
): void => mark(doc, me, messages, (known) => (known === undefined ? { delivered: now } : null))

/** Says that these were read by `me`, their addressee. What has left the live document has no receipt any more. */
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
): void =>
  doc.transact(() => {
    for (const message of messages) {
      const id = message.message_id
      if (!isReceipted(message, me)) continue
      const said = what(receiptOf(doc, id))
      if (said !== null) handIn(doc, { kind: 'receipt', id, by: me, ...said })
    }
  })
