import * as Y from 'yjs'
import { stateVectorOf } from '../../lib/yjs/internals.ts'
import type { Json } from '../../workspace/document/schema.ts'
import type { Fresh, StateVector } from '../../workspace/inbox/inbox.ts'
import type { InboxPosition, Mailbox, Talker } from '../../workspace/inbox/mailbox.ts'
import { storable } from '../../workspace/inbox/storable.ts'
import { FileNews } from '../../workspace/inbox/unread.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import { del, type KeySpace, put, type State } from './records.ts'

const encodeVector = (vector: StateVector): string =>
  Buffer.from(Y.encodeStateVector(vector as Map<number, number>)).toString('base64')

/**
 * The view that one command has of an HTTP agent: the current document and the agent's records.
 * Records staged here reach the disk together with the command's change of the document.
 */
export class UnitOfWork implements Mailbox, Talker {
  readonly doc: Y.Doc
  readonly drawer: KeySpace
  /** As it is to be once the command is on disk. */
  state: State
  readonly ops: Op[] = []
  /** Staged and acknowledged messages, by number. */
  readonly received: [number, Message][] = []
  readonly acknowledged: number[] = []
  /**
   * True if `state` must be written. A cursor that moved without news is not written; the next
   * request computes it again.
   */
  hasChanged = false

  /** The unread news of files. */
  readonly #files = new FileNews()

  constructor(doc: Y.Doc, drawer: KeySpace, state: State, waiting: ReadonlyMap<number, Message>) {
    this.doc = doc
    this.drawer = drawer
    this.state = state
    for (const [number, message] of waiting) this.#files.add(String(number), message)
  }

  cursor(): StateVector | null {
    const { cursor } = this.state
    return cursor === null ? null : Y.decodeStateVector(Buffer.from(cursor.vector, 'base64'))
  }

  archivePosition(): Omit<InboxPosition, 'vector'> {
    const { archived = 0, archivedTasks = 0 } = this.state.cursor ?? {}
    return { archived, archivedTasks }
  }

  receive(_agent: string, messages: readonly Message[], to?: InboxPosition): void {
    const { archived, archivedTasks } = to ?? this.archivePosition()
    const vector = encodeVector(to?.vector ?? stateVectorOf(this.doc))
    if (messages.length > 0 || this.state.cursor === null) this.hasChanged = true
    this.#stage(messages)
    const { ahead: _, ...state } = this.state
    this.state = { ...state, cursor: { vector, archived, archivedTasks } }
  }

  /** Stages messages whose turn has not come: the cursor stays where it is. */
  receiveAhead(found: readonly Fresh[]): void {
    this.hasChanged = true
    this.#stage(found.map(({ message }) => message))
    const ahead = [...(this.state.ahead ?? []), ...found.flatMap(({ at }) => at ?? [])]
    this.state = { ...this.state, ahead }
  }

  isAhead(at: string): boolean {
    return this.state.ahead?.includes(at) ?? false
  }

  #stage(messages: readonly Message[]): void {
    let { next } = this.state
    for (const one of messages.map(storable)) {
      const { message, unread } = this.#files.merge(one)
      if (unread !== null) this.acknowledge([unread])
      this.received.push([next, message])
      this.#files.add(String(next), message)
      this.ops.push(put(this.drawer.message(next++), message))
    }
    this.state = { ...this.state, next }
  }

  acknowledge(keys: readonly string[]): void {
    this.hasChanged = true
    for (const key of keys) {
      this.acknowledged.push(Number(key))
      this.ops.push(del(this.drawer.message(Number(key))))
      this.#files.delete(key)
    }
  }

  record<T extends Json>(name: string): T | undefined {
    return this.state.records[name] as T | undefined
  }

  keepRecord(name: string, value: Json): void {
    this.hasChanged = true
    this.state = { ...this.state, records: { ...this.state.records, [name]: value } }
  }
}
