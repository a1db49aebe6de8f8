import { MAX_DESCRIPTION_BYTES, MAX_NAME_BYTES, MAX_NOTE_BYTES } from '../../../protocol/limits.ts'
import {
  about,
  choice,
  flagged,
  labels,
  name,
  operand,
  optional,
  text,
  withDefault,
} from './field.ts'

const paused = operand(about(name, 'the agent, by name or id'), 1)
const note = withDefault(text(MAX_NOTE_BYTES), '')

export const pause = {
  name: paused,
  note: operand(about(note, 'why; the agent can read it', 'NOTE'), 2),
} as const

export const resume = {
  name: paused,
  note: about(note, 'accepted, as with pause, and not kept'),
} as const

export const register = {
  kind: optional(choice(['agent', 'person'])),
  /** Empty where a client of ClawLink 1.x gives none: as it was, the id at first. */
  name: operand(about(name, 'how others see and address you'), 1),
  capabilities: flagged(
    about(optional(labels), 'what you can do; you are offered tasks that need it'),
    'caps',
  ),
  topics: about(optional(labels), 'topics of the broadcasts that you get'),
  machine: about(optional(text(MAX_NAME_BYTES)), 'where you run'),
  description: about(optional(text(MAX_DESCRIPTION_BYTES)), 'what you do, in a sentence'),
} as const
