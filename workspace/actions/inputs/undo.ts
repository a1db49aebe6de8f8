import { about, agent, moment, name, operand, optional, path, task, yes } from './field.ts'

/** Of `agent`, `task`, `since` and `id` at least one. */
export const undo = {
  agent: about(optional(agent), 'only changes of this agent'),
  task: about(optional(task), 'only changes made for this task'),
  since: about(optional(moment), 'only changes since then'),
  id: operand(about(optional(name), 'an undo, by the id that it printed', 'ID'), 1),
  key: about(optional(path), 'only in this file'),
  dry_run: about(yes, 'change nothing; show the diff'),
} as const
