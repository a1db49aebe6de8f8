import { addNote, getTask, type Task } from '../tasks/tasks.ts'
import { action } from './action.ts'
import { name, words } from './inputs/field.ts'

/** Adds a note to a task, whoever owns it. */
export const note = action({
  name: 'note',
  roles: ['write', 'admin'],
  errors: ['unknown_task'],
  input: { task: name, text: words },
  run: async (actor, input): Promise<{ task: Task }> => {
    const me = actor.agent
    return actor.once({ payload: input }, ({ doc }) => {
      addNote(doc, input.task, me, input.text, actor.now())
      return { task: getTask(doc, input.task) }
    })
  },
})
