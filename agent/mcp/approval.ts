import { shorten } from '../../lib/text/shorten.ts'
import { ClawError } from '../../protocol/errors.ts'
import { kindOf } from '../../workspace/agents/agents.ts'
import { findEntry, getTask } from '../../workspace/tasks/tasks.ts'
import type { Call } from '../command/call.ts'
import { idText, oneLine, path, who } from '../command/text.ts'
import { WorkspaceSession } from '../command/workspace-session.ts'
import type { Approval } from './tools/team.ts'

/** Characters of the task and of its result that a dialog shows. */
const TASK_SHOWN = 200
const RESULT_SHOWN = 1_500

const refused = (error: ClawError): Approval => ({ kind: 'refused', error: error.toBody() })

/**
 * Tells if this command approves a result in the name of a person. A person's profile approves no result that is not
 * known here: a command queued while the server is away would approve an unseen one. Throws the errors of
 * `WorkspaceSession.open`, and `not_registered`.
 */
export const approvalIn = async (
  call: Call,
  id: string,
  does: 'approve' | 'done',
): Promise<Approval> => {
  const team = await WorkspaceSession.open(call, true)
  const { doc } = team
  const me = team.me()
  const isPerson = call.profile.state.kind === 'person' || kindOf(doc, me) === 'person'
  if (!isPerson) return { kind: 'free' }
  const entry = findEntry(doc, id)
  if (entry === undefined) {
    if (does === 'done') return { kind: 'free' }
    return refused(new ClawError('unknown_task', `${idText(id)} is not an open task`))
  }
  if (entry.facts.approver !== me) return { kind: 'free' }
  if (entry.status.pending !== true) {
    const { state } = entry.status
    const what = `${id} is ${state}; it has no result to approve`
    return refused(new ClawError('task_state', what, 'wait until its owner completes it'))
  }
  const { task, message, owner, revision, artifacts = [] } = getTask(doc, id)
  const by = owner === null ? '' : ` by ${who(doc, owner)}`
  const files = artifacts.map(({ file_key, version }) => `${path(file_key)} version ${version}`)
  const lines = [
    `Approve the result of ${id}${by}?`,
    `Task: ${shorten(task, TASK_SHOWN)}`,
    `Result: ${shorten(message, RESULT_SHOWN)}`,
    ...(files.length === 0 ? [] : [`Files: ${files.join(', ')}`]),
  ]
  return { kind: 'ask', revision, question: lines.map(oneLine).join('\n') }
}
