import type { Message } from '../../workspace/messages/message.ts'
import { call, inWorkspace } from './api.ts'

/** The inbox is read at most this often (milliseconds). */
const EVERY_MS = 3_000
/** Messages that are read at most (count). */
const MOST = 200
const NONE: readonly Message[] = []

/** The messages to this person that are not acknowledged yet, as the server has them. */
export class Inbox {
  unread: readonly Message[] = NONE
  readonly #workspace: string
  readonly #changed: () => void
  #timer: ReturnType<typeof setTimeout> | null = null
  #readAt = Number.NEGATIVE_INFINITY

  constructor(workspace: string, changed: () => void) {
    this.#workspace = workspace
    this.#changed = changed
  }

  /** Something may have come: it is read soon. */
  refresh(): void {
    this.#timer ??= setTimeout(
      () => void this.#read(),
      Math.max(0, this.#readAt + EVERY_MS - performance.now()),
    )
  }

  /** Marks messages as read. Throws the server's error. */
  async acknowledge(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    await call(this.#workspace, 'POST', inWorkspace(this.#workspace, 'inbox/ack'), { ids })
    const done = new Set(ids)
    this.#set(this.unread.filter(({ message_id }) => !done.has(message_id)))
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  async #read(): Promise<void> {
    this.#readAt = performance.now()
    try {
      const { messages } = await call<{ messages: Message[] }>(
        ...([this.#workspace, 'GET', inWorkspace(this.#workspace, `inbox?limit=${MOST}`)] as const),
      )
      this.#set(messages)
    } catch {
      // It is read again with the next change, and after the next connect.
    } finally {
      this.#timer = null
    }
  }

  #set(messages: readonly Message[]): void {
    const isSame =
      messages.length === this.unread.length &&
      messages.every(({ message_id }, i) => message_id === this.unread[i]!.message_id)
    if (isSame) return
    this.unread = messages
    this.#changed()
  }
}
