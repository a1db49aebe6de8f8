import type { Priority } from '../../workspace/document/schema.ts'
import { PRIORITIES, type TaskState } from '../../workspace/document/schema.ts'

/** ClawLink 1.x took any text for a status or a priority. What its users write is read here; unknown words lose nothing. */
const key = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
    .replace(/[.!]+$/, '')

const COMPLETED =
  'completed complete done success successful succeeded finished ok okay resolved fixed passed'
const FAILED = 'failed fail failure error errored aborted timeout exception'
const REJECTED = 'rejected reject declined refused denied'
const ASKING = 'input required|blocked|waiting for input|needs input|question'
const WORKING =
  'in progress|working|pending|acknowledged|ack|accepted|received|started|running|partial|queued|submitted'

const table = (words: string, state: TaskState, between = ' '): [string, TaskState][] =>
  words.split(between).map((word) => [word, state])

const STATES: ReadonlyMap<string, TaskState> = new Map([
  ...table(COMPLETED, 'completed'),
  ...table(FAILED, 'failed'),
  ...table(REJECTED, 'rejected'),
  ...table('canceled cancelled', 'canceled'),
  ...table(ASKING, 'input-required', '|'),
  ...table(WORKING, 'working', '|'),
])

/**
 * The meaning of a 1.x response for its task. `said`: 1.x's own word, if it is not one of the
 * current states.
 */
export interface Answer {
  state: TaskState
  said: string | null
}

/**
 * Reads any text. 1.x's clients send an empty text for a missing field; an unknown word does not
 * end the task.
 */
export const readStatus = (text: string): Answer => {
  const word = key(text)
  if (word === '') return { state: 'completed', said: null }
  const state = STATES.get(word)
  if (state === undefined) return { state: 'working', said: text.trim() }
  return { state, said: null }
}

/** Words that are not ours, in 1.x's free text. */
const URGENCY: Readonly<Record<string, Priority>> = {
  critical: 'urgent',
  blocker: 'urgent',
  emergency: 'urgent',
  asap: 'urgent',
  highest: 'urgent',
  important: 'high',
  lowest: 'low',
  minor: 'low',
}

/** Reads any priority. An unknown or missing one is normal, as in 1.x. */
export const readPriority = (given: unknown): Priority => {
  const word = typeof given === 'string' ? key(given) : ''
  if ((PRIORITIES as readonly string[]).includes(word)) return word as Priority
  return Object.hasOwn(URGENCY, word) ? URGENCY[word]! : 'normal'
}

/** 1.x accepted any JSON in place of a text; it is shown as JSON. */
export const asText = (given: unknown): string =>
  typeof given === 'string' ? given : JSON.stringify(given)
