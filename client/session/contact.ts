import type { ClawError } from '../../protocol/errors.ts'

/**
 * The state of the connection, and its begin (milliseconds since the epoch). `why`: the error
 * without a connection, or of a hold.
 */
export interface Contact {
  connected: boolean
  since: number
  why: ClawError | null
}

/** The contact of a session, with listeners to its changes. */
export class ContactState {
  readonly #listeners = new Set<() => void>()
  #contact: Contact = { connected: false, since: Date.now(), why: null }

  get current(): Readonly<Contact> {
    return this.#contact
  }

  /** Calls `listener` after each change; returns a function that ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  connected(why: ClawError | null): void {
    this.#set({ connected: true, since: Date.now(), why })
  }

  /** The connection has ended. */
  lost(): void {
    if (this.#contact.connected) this.#set({ connected: false, since: Date.now(), why: null })
  }

  /** Stores the reason of a missing connection. */
  failed(why: ClawError): void {
    if (!this.#contact.connected) this.#set({ ...this.#contact, why })
  }

  #set(contact: Contact): void {
    this.#contact = contact
    for (const listener of this.#listeners) listener()
  }
}
