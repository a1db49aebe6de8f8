import { ClawError } from '../../../protocol/errors.ts'
import type { Verb } from '../../command/call.ts'
import { waitForTask } from '../../command/task-waiting.ts'
import { idText } from '../../command/text.ts'
import { hintOf, readFilter, waitFor } from '../../command/waiting.ts'

/** So many ids are on the line; `--json` has all. */
const MAX_IDS = 20

/** Waits until there is something to poll, or a task has ended, and acknowledges nothing of it. */
export const wait: Verb = async (call) => {
  const timeout = call.number('timeout')
  const task = call.flag('task')
  if (task !== undefined && /^\d/.test(task)) {
    const hint = `for messages: wait --timeout ${Number.parseInt(task, 10)}; for a task: wait TASK`
    throw new ClawError('usage', `"${task}" is not the id of a task`, hint)
  }
  if (task !== undefined) {
    return waitForTask(call, task, timeout ?? Number.POSITIVE_INFINITY)
  }
  const until = call.request.at + (timeout ?? Number.POSITIVE_INFINITY) * 1000
  const { team, found } = await waitFor(call, until, readFilter(call))
  if (found.length === 0) {
    throw new ClawError('timeout', `nothing came in within ${timeout} s`, 'wait again')
  }
  const hint = hintOf(team.doc, found)
  const ids = found.map(({ message }) => message.message_id)
  const kinds = Object.entries(hint.kinds).map(([type, count]) => `${count} ${type}`)
  const more = ids.length > MAX_IDS ? ` and ${ids.length - MAX_IDS} more` : ''
  return {
    data: { ...hint, message_ids: ids },
    lines: [`${kinds.join(', ')}: ${ids.slice(0, MAX_IDS).map(idText).join(' ')}${more}`],
  }
}
