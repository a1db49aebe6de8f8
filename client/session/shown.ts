import { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import {
  type Activity,
  activities,
  type Presence,
  readPresence,
} from '../../workspace/agents/presence.ts'
import { UnreadStates } from './unread-states.ts'

/** The presence that a session shows to others, and theirs. */
export class ShownPresence {
  readonly awareness: Awareness
  readonly #unread: UnreadStates
  readonly #apply: (update: Uint8Array) => void
  readonly #listeners = new Set<() => void>()
  #presence: Presence | null
  /** Of the present states; null: not read since they changed. */
  #agents: Map<AgentId, Activity> | null = null

  /** `apply` applies an awareness update of the server. */
  constructor(doc: Y.Doc, presence: Presence | null, apply: (update: Uint8Array) => void) {
    this.#presence = presence
    this.#apply = apply
    this.awareness = new Awareness(doc)
    this.#unread = new UnreadStates(this.awareness)
    this.awareness.setLocalState(null)
    this.awareness.on('update', this.#onEcho)
    this.awareness.on('change', this.#onChange)
    doc.on('afterTransactionCleanup', this.#followClientId)
  }

  /** Shows another presence; null hides. Does nothing if it is the same. */
  change(presence: Presence | null): void {
    if (JSON.stringify(presence) === JSON.stringify(this.#presence)) return
    this.#presence = presence
    this.show()
  }

  /** Shows the presence with a new clock: peers that saw this client leave ignore a clock that they know. */
  show(): void {
    this.awareness.setLocalState(this.#presence === null ? null : { ...this.#presence })
  }

  /** Calls `listener` after each change of what others show; returns a function that ends that. */
  onChange(listener: () => void): () => void {
    this.#read()
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** An awareness update of the server has come. States are parsed when somebody asks for them. */
  came(update: Uint8Array): void {
    const own = this.#unread.take(update, Date.now())
    if (own !== null) this.#apply(own)
    if (this.#listeners.size > 0) this.#read()
  }

  /** The connection has ended. */
  lost(): void {
    this.#unread.clear()
  }

  /** The agents with a live connection, and their activities. */
  agents(): ReadonlyMap<AgentId, Activity> {
    this.#read()
    this.#agents ??= activities(this.awareness.getStates().values())
    return this.#agents
  }

  /** The presence of every live connection. */
  all(): Presence[] {
    this.#read()
    return [...this.awareness.getStates().values()].flatMap((state) => readPresence(state) ?? [])
  }

  end(): void {
    this.awareness.doc.off('afterTransactionCleanup', this.#followClientId)
    this.awareness.destroy()
  }

  #read(): void {
    const update = this.#unread.read(Date.now())
    if (update !== null) this.#apply(update)
  }

  #onChange = (): void => {
    this.#agents = null
    for (const listener of this.#listeners) listener()
  }

  /**
   * The server returns a client's clock with the state that it last had. A state shown meanwhile had a lower clock, and
   * is shown again.
   */
  #onEcho = ({ updated }: { updated: number[] }, origin: unknown): void => {
    const { awareness } = this
    if (origin === 'local' || !updated.includes(awareness.clientID)) return
    if (JSON.stringify(awareness.getLocalState()) !== JSON.stringify(this.#presence)) this.show()
  }

  /** Awareness keeps its first client id; this follows Yjs when it takes a new one. */
  #followClientId = (): void => {
    const { awareness } = this
    if (awareness.clientID === awareness.doc.clientID) return
    awareness.setLocalState(null)
    awareness.clientID = awareness.doc.clientID
    this.show()
  }
}
