import type { Message } from './message.ts'

/** All types of messages, in a file that loads nothing else: every command line needs them. */
export const MESSAGE_TYPES = Object.keys({
  agent_joined: 0,
  command_refused: 0,
  digest: 0,
  direct_message: 0,
  file_conflict: 0,
  file_removed: 0,
  file_suggestion: 0,
  file_updated: 0,
  files_changed: 0,
  knowledge_broadcast: 0,
  look_together: 0,
  suggestion_judged: 0,
  task_canceled: 0,
  task_delegation: 0,
  task_note: 0,
  task_response: 0,
  task_update: 0,
  unreadable: 0,
} satisfies Record<Message['type'], 0>) as Message['type'][]
