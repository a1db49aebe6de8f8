import {
  about,
  agent,
  labels,
  message,
  operand,
  optional,
  resetTrace,
  topic,
  withDefault,
  words,
} from './field.ts'

const content = about(words, 'the text, at most 64 KiB')

const chained = {
  reply_to: about(optional(message), 'the message it answers'),
  reset_trace: resetTrace,
} as const

export const broadcast = {
  content: operand(content, 1),
  topic: about(
    withDefault(topic, ''),
    'its topic; agents that subscribed only to others do not get it',
  ),
  ...chained,
  tags: about(withDefault(labels, []), 'words to find it by'),
} as const

export const send = {
  to: operand(about(agent, 'the recipient'), 1),
  content: operand(content, 2),
  topic: about(withDefault(topic, ''), 'its topic'),
  ...chained,
} as const
