import { getServerTask } from '../../../client/http/api.ts'
import { parseIso, parseSpan } from '../../../lib/text/when.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { random } from '../../../protocol/fresh-ids.ts'
import { newTaskId, type TaskId } from '../../../protocol/ids.ts'
import { delegateTask } from '../../../workspace/actions/delegating.ts'
import { PRIORITIES } from '../../../workspace/document/schema.ts'
import { entryOf, findEntry } from '../../../workspace/tasks/tasks.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { readWait, sayHowToGoOn, waitForTask } from '../../command/task-waiting.ts'
import { who, word } from '../../command/text.ts'
import { mergingWrite, WorkspaceSession } from '../../command/workspace-session.ts'

export const delegate: Verb = async (call) => {
  const seconds = readWait(call)
  const facts = {
    to: call.flag('to') ?? null,
    requires: call.has('caps') ? call.list('caps') : [],
    description: call.body('task'),
    context: call.json('context'),
    priority: call.oneOf('priority', PRIORITIES) ?? ('normal' as const),
    after: call.has('after') ? (call.list('after') as TaskId[]) : [],
    ...(call.flag('after-failed') === 'run' && { afterFailed: 'run' as const }),
    ...(call.has('deadline') && { deadline: call.flag('deadline')! }),
    ...(call.has('parent') && { parent: call.flag('parent') as TaskId }),
    ...(call.has('ref') && { ref: call.flag('ref') as TaskId }),
    ...(call.has('max-attempts') && { maxAttempts: call.number('max-attempts')! }),
    ...(call.has('approve-by') && { approver: call.flag('approve-by')! }),
  }
  const { deadline: due } = facts
  if (due !== undefined) checkDeadline(due)
  const team = await WorkspaceSession.open(call, true)
  const deadline = due === undefined ? null : readDeadline(due, call.request.at + team.clockOffset)
  await checkTasks(call, team, [...facts.after, facts.parent ?? [], facts.ref ?? []].flat())

  const payload = JSON.parse(JSON.stringify(facts)) as never
  const outcome = await mergingWrite(
    call,
    payload,
    ({ doc, replica, known }) => {
      const id = newTaskId(random)
      const { deadline: _, ...rest } = facts
      const given = {
        ...{ ...rest, id, from: team.me(), now: team.now() },
        ...(deadline !== null && { deadline }),
      }
      const { task, to } = delegateTask(replica, given, call.has('reset-trace'), known)
      const whom = to === null ? openTo(facts.requires) : who(doc, to)
      return { data: { task }, lines: [`delegated ${id} to ${whom}`] }
    },
    team,
  )
  if (seconds === null || team.offline !== null) return outcome
  return waited(call, outcome, seconds)
}

/** The outcome once the task has ended, or wants something of its creator. Throws `timeout`. */
const waited = async (call: Call, outcome: Outcome, seconds: number): Promise<Outcome> => {
  const { task_id } = (outcome.data as { task: { task_id: TaskId } }).task
  sayHowToGoOn(call, task_id)
  // Its owner may be told its id meanwhile.
  call.request.say(`${outcome.lines.join('')}, and waiting for its end\n`)
  await call.close()
  const { data, lines } = await waitForTask(call, task_id, seconds)
  return { ...outcome, data: { ...outcome.data, ...data }, lines }
}

const openTo = (requires: readonly string[]): string =>
  requires.length === 0 ? 'anyone' : `who has ${requires.map(word).join(', ')}`

/** Throws `unknown_task`; one that has left the document is asked for. */
const checkTasks = async (
  call: Call,
  team: WorkspaceSession,
  ids: readonly TaskId[],
): Promise<void> => {
  for (const id of ids) {
    if (findEntry(team.doc, id) !== undefined) continue
    if (team.offline !== null) entryOf(team.doc, id)
    await getServerTask(call.target, call.workspace, id)
  }
}

const LIKE_A_DEADLINE = 'like: --deadline 2h, or --deadline 2030-01-31T12:00:00Z'

const checkDeadline = (text: string): void => {
  if (parseSpan(text) !== null || !Number.isNaN(parseIso(text))) return
  throw new ClawError('usage', `"${text}" is not a time I understand`, LIKE_A_DEADLINE)
}

/** Milliseconds since the epoch; `now`: when the command was given, by the server's clock, from which a span counts. */
const readDeadline = (text: string, now: number): number => {
  const span = parseSpan(text)
  const at = span === null ? parseIso(text) : now + span
  if (at > now) return at
  throw new ClawError(
    'usage',
    Number.isNaN(at) ? `"${text}" is not a time I understand` : `--deadline ${text} has passed`,
    LIKE_A_DEADLINE,
  )
}
