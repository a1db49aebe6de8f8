import type { TaskWithHistory } from '../../client/http/api.ts'
import { shellWord } from '../../lib/text/quote.ts'
import { ClawError } from '../../protocol/errors.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import { findEntry } from '../../workspace/tasks/tasks.ts'
import type { Call, Outcome } from './call.ts'
import { findTask } from './task-command.ts'
import { idText, oneLine, path, stateText, who } from './text.ts'
import { WorkspaceSession } from './workspace-session.ts'

/** The seconds of `--wait`; infinity without a number; null if the flag is not given. */
export const readWait = (call: Call): number | null =>
  call.has('wait') ? (call.number('wait') ?? Number.POSITIVE_INFINITY) : null

/** Sets the line that Ctrl-C prints from now on. */
export const sayHowToGoOn = ({ request }: Call, id: string): void =>
  request.ifStopped?.(`${idText(id)} goes on; to wait again: clawlink-agent wait ${shellWord(id)}`)

/**
 * Resolves once a task has ended, or waits for something that `call`'s agent is to say: an answer, an approval. Throws
 * `timeout`, `unknown_task`.
 */
export const waitForTask = async (call: Call, id: string, seconds: number): Promise<Outcome> => {
  const { signal } = call.request
  const until = call.request.at + seconds * 1000
  const ends = new AbortController()
  const wait = until - Date.now()
  const timer = wait < 2 ** 31 ? setTimeout(() => ends.abort(), wait) : undefined
  try {
    for (;;) {
      const team = await WorkspaceSession.open(call, true)
      const listening = team.listen({ task: id })
      await team.confirm()
      const task = await findTask(call, team, id).catch((error) => {
        listening.end()
        throw error
      })
      sayHowToGoOn(call, id)
      const isOver = isTerminal(task.status) || wantsMe(team, task, call)
      if (isOver || ends.signal.aborted || Date.now() >= until) {
        listening.end()
        if (isOver) return { data: { task }, lines: linesOf(team, task) }
        throw new ClawError(
          'timeout',
          `${id} is ${task.status} after ${seconds} s`,
          `it goes on; to wait again: wait ${shellWord(id)}; to take it back: cancel ${shellWord(id)}`,
        )
      }
      await call.close()
      await listening.heard(AbortSignal.any([signal, ends.signal]))
      if (signal.aborted) throw new ClawError('shutting_down', 'the link was taken down meanwhile')
    }
  } finally {
    clearTimeout(timer)
  }
}

/** True if the task waits for an answer or an approval of this agent. */
const wantsMe = (
  { doc }: WorkspaceSession,
  { task_id, status }: TaskWithHistory,
  call: Call,
): boolean => {
  const me = call.profile.state.agent_id
  const facts = findEntry(doc, task_id)?.facts
  const pending = findEntry(doc, task_id)?.status.pending === true
  if (status !== 'input-required' || facts === undefined) return false
  return pending ? facts.approver === me : facts.from === me
}

const linesOf = (
  { doc }: WorkspaceSession,
  { task_id, status, message, owner, ...task }: TaskWithHistory,
): string[] => [
  oneLine(
    `${idText(task_id)} ${stateText(status)}${owner === null ? '' : ` by ${who(doc, owner)}`}: ${message}`,
  ),
  ...(task.result_json === undefined ? [] : [oneLine(`json: ${JSON.stringify(task.result_json)}`)]),
  ...(task.artifacts ?? []).map(
    ({ file_key, version }) => `artifact: ${path(file_key)} version ${version}`,
  ),
]
