import { addNote, getTask, type Task } from '../tasks/tasks.ts'
import { action } from './action.ts'
import * as inputs from './inputs/tasks.ts'

/** Adds a note to a task, whoever owns it. */
export const note = action({
  name: 'note',
  roles: ['write', 'admin'],
  errors: ['unknown_task', 'too_large'],
  input: inputs.note,
  run: async (actor, input): Promise<{ task: Task }> => {
    const me = actor.agent
    return actor.once({ payload: input }, ({ doc }) => {
      addNote(doc, input.task, me, input.text, actor.now())
      return { task: getTask(doc, input.task) }
    })
  },
})
