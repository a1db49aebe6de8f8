import { MAX_ATTEMPTS_ASKED } from '../../../protocol/limits.ts'
import { PRIORITIES } from '../../document/schema.ts'
import {
  about,
  agent,
  choice,
  json,
  labels,
  moment,
  names,
  number,
  optional,
  resetTrace,
  task,
  withDefault,
  words,
} from './field.ts'

const attempts = number(1, MAX_ATTEMPTS_ASKED)

export const delegate = {
  task: about(words, 'what to do, at most 64 KiB'),
  to: about(optional(agent), 'the agent that is to do it'),
  requires: about(optional(labels), 'any agent with all these capabilities'),
  context: about(withDefault(json, null), 'data for programs'),
  priority: about(withDefault(choice(PRIORITIES), 'normal'), 'urgent goes first'),
  after: about(optional(names), 'start after these tasks have ended', 'T,T'),
  after_failed: about(
    withDefault(choice(['fail', 'run']), 'fail'),
    'what happens if one of them did not complete',
  ),
  deadline: about(optional(moment), 'it fails unless it has ended by then'),
  parent: about(optional(task), 'the task it is part of'),
  ref: about(optional(task), 'an ended task that it continues'),
  max_attempts: about(
    optional(attempts),
    'how many owners may give it back or be lost before it fails',
  ),
  approve_by: about(optional(agent), 'this agent must approve the result'),
  reset_trace: resetTrace,
} as const

export const note = {
  task: about(task, 'the id of the task'),
  text: about(words, 'the note'),
} as const
