import type { Shown } from '../../client/resident/attach-wire.ts'
import {
  type Activity,
  type FileCursor,
  type Presence,
  SILENT_AFTER_MS,
} from '../../workspace/agents/presence.ts'

/** An agent that read or wrote a file is shown in it for this long, in milliseconds. */
const CURSOR_MS = 120_000

/** The presence of an agent: of its commands and of the programs attached to it. */
export class AgentPresence {
  readonly #send: (presence: Presence | null) => void
  #presence: Presence | null = null
  #state: Activity['state'] = 'active'
  /** Shown as idle after this long without a command, in milliseconds; null: never. */
  #idleMs: number | null = null
  #idle: NodeJS.Timeout | undefined
  /** Shown as silent after this long without a command, in milliseconds: the agent may be gone. */
  #silentMs = SILENT_AFTER_MS
  #isSilent = false
  #silent: NodeJS.Timeout | undefined
  #cursor: FileCursor | undefined
  #cursorTimer: NodeJS.Timeout | undefined
  /** The state of each attached program; the latest that shows anything is last. */
  readonly #attached = new Map<object, Shown>()

  /** `send` shows a presence to the others. */
  constructor(send: (presence: Presence | null) => void) {
    this.#send = send
  }

  get agent(): Presence['agent'] | undefined {
    return this.#presence?.agent
  }

  /** A command or a program shows this presence. */
  begin(presence: Presence | null): void {
    this.#presence = presence
  }

  /** The agent is at work now. */
  active(): void {
    this.#isSilent = false
    this.#show('active')
    this.#restLater()
  }

  /** From now on the agent is shown as idle and as silent after these times, in milliseconds. */
  keep(idleMs: number, silentMs: number): void {
    this.#idleMs = idleMs
    this.#silentMs = silentMs
    this.#restLater()
  }

  /** Shows the agent in a file for a while. */
  point(cursor: FileCursor): void {
    this.#cursor = cursor
    this.#show('active')
    clearTimeout(this.#cursorTimer)
    this.#cursorTimer = setTimeout(() => {
      this.#cursor = undefined
      this.#show(this.#state)
    }, CURSOR_MS).unref()
  }

  /** Shows that no command came lately; an attached program counts as active. */
  rest(): void {
    this.#show(this.#attached.size > 0 ? 'active' : 'idle')
  }

  /** Shows the state of an attached program; null: it is detached. */
  attach(program: object, shown: Shown | null): void {
    this.#attached.delete(program)
    if (shown !== null) this.#attached.set(program, shown)
    else this.#restLater()
    this.rest()
  }

  stop(): void {
    clearTimeout(this.#idle)
    clearTimeout(this.#silent)
    clearTimeout(this.#cursorTimer)
  }

  #show(state: Activity['state']): void {
    this.#state = state
    const presence = this.#presence
    const activity = {
      ...presence?.activity,
      state,
      ...(this.#isSilent && { silent: true as const }),
    }
    let cursor = this.#cursor
    for (const shown of this.#attached.values()) {
      Object.assign(activity, shown.activity)
      cursor = shown.cursor ?? cursor
    }
    this.#send(presence && { ...presence, activity, ...(cursor && { cursor }) })
  }

  #restLater(): void {
    clearTimeout(this.#idle)
    clearTimeout(this.#silent)
    if (this.#idleMs === null) return
    this.#idle = setTimeout(() => this.rest(), this.#idleMs)
    this.#silent = setTimeout(() => {
      this.#isSilent = this.#attached.size === 0
      this.rest()
    }, this.#silentMs)
  }
}
