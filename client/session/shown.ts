import { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import {
  type Activity,
  activities,
  type Presence,
  readPresence,
} from '../../workspace/agents/presence.ts'

/** The presence that a session shows to others, and theirs. */
export class ShownPresence {
  readonly awareness: Awareness
  #presence: Presence | null
  /** Of the present states; null: not read since they changed. */
  #agents: Map<AgentId, Activity> | null = null

  constructor(doc: Y.Doc, presence: Presence | null) {
    this.#presence = presence
    this.awareness = new Awareness(doc)
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

  /** The agents with a live connection, and their activities. */
  agents(): ReadonlyMap<AgentId, Activity> {
    this.#agents ??= activities(this.awareness.getStates().values())
    return this.#agents
  }

  /** The presence of every live connection. */
  all(): Presence[] {
    return [...this.awareness.getStates().values()].flatMap((state) => readPresence(state) ?? [])
  }

  end(): void {
    this.awareness.doc.off('afterTransactionCleanup', this.#followClientId)
    this.awareness.destroy()
  }

  #onChange = (): void => {
    this.#agents = null
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
