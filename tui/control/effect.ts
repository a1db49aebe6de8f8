import type { Snapshot } from '../model/snapshot.ts'
import type { Event, Form } from '../model/state.ts'
import type { RunStep } from './forms.ts'

/**
 * The effect of a key, a click or a command: a change of the state, a verb to run, or an action
 * outside.
 */
export type Effect =
  | { type: 'event'; event: Event }
  /** One after the other; `form`: what was typed, for it to be seen again if the verb is refused. */
  | { type: 'run'; runs: readonly RunStep[]; form: Form }
  /** A question: `argv` changes nothing, and `note` makes of its answer what the person reads before they say yes. */
  | {
      type: 'ask'
      argv: readonly string[]
      form: Form
      note: (data: unknown, snapshot: Snapshot) => string
    }
  /** It cannot be done, and why. */
  | { type: 'say'; text: string }
  /** It is done, in words. */
  | { type: 'tell'; text: string }
  | { type: 'copy'; text: string }
  | { type: 'older' }
  | { type: 'invite' }
  | { type: 'suspend' }
  | { type: 'quit' }

export type Steps = readonly Effect[]

export const event = (one: Event): Effect => ({ type: 'event', event: one })

export const NONE: Steps = []
