import type { TaskId } from '../../../protocol/ids.ts'
import * as actions from '../../../workspace/actions/delegate.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { readWait, sayHowToGoOn, waitForTasks } from '../../command/task-waiting.ts'
import { who, word } from '../../command/text.ts'

export const delegate: Verb = async (call) => {
  const seconds = readWait(call)
  const input = inputOf(call, actions.delegate.input, { task: call.body('task') })
  const outcome = await act(call, actions.delegate, input, ({ task }, { doc }) => {
    const { task_id, to_agent } = task
    const whom = to_agent === null ? openTo(input.requires) : who(doc, to_agent)
    return { lines: [`delegated ${task_id} to ${whom}`] }
  })
  const { task, durable } = outcome.data as { task: { task_id: TaskId }; durable?: false }
  if (seconds === null || durable === false) return outcome
  return waited(call, outcome, task.task_id, seconds)
}

/** The outcome once the task has ended, or wants something of its creator. Throws `timeout`. */
const waited = async (
  call: Call,
  outcome: Outcome,
  task: TaskId,
  seconds: number,
): Promise<Outcome> => {
  sayHowToGoOn(call, [task])
  // Its owner may be told its id meanwhile.
  call.request.say(`${outcome.lines.join('')}, and waiting for its end\n`)
  await call.close()
  const { data, lines } = await waitForTasks(call, { ids: [task], seconds, untilFinal: true })
  return { ...outcome, data: { ...outcome.data, ...data }, lines }
}

const openTo = (requires: readonly string[] = []): string =>
  requires.length === 0 ? 'anyone' : `who has ${requires.map(word).join(', ')}`
