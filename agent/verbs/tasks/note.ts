import { addNote, getTask } from '../../../workspace/tasks/tasks.ts'
import type { Verb } from '../../command/call.ts'
import { oneLine } from '../../command/text.ts'
import { mergingWrite } from '../../command/workspace-session.ts'

export const note: Verb = async (call) => {
  const facts = { id: call.flag('task')!, text: call.body('text') }
  return mergingWrite(call, facts, (team) => {
    const { doc } = team
    addNote(doc, facts.id, team.me(), facts.text, team.now())
    const task = getTask(doc, facts.id)
    return { data: { task }, lines: [oneLine(`note ${task.notes.length} on ${task.task_id}`)] }
  })
}
