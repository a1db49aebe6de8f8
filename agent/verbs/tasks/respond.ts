import { MAX_RESULT_BYTES, MAX_TASK_LINKS } from '../../../protocol/limits.ts'
import * as actions from '../../../workspace/actions/change-task.ts'
import { checkSaid } from '../../../workspace/document/validate.ts'
import type { ReadFile } from '../../../workspace/files/stale.ts'
import { findEntry, historyOf, type Task } from '../../../workspace/tasks/tasks.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Call, Verb } from '../../command/call.ts'
import { act, type Printed } from '../../command/replica-actor.ts'
import { printTask, staleLinesOf } from '../../command/task-command.ts'
import { path } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

export const respond: Verb = async (call) => {
  const json = call.has('result-json') ? call.json('result-json') : undefined
  const artifacts = call.has('artifact') ? call.list('artifact') : undefined
  const result = {
    ...(json !== undefined && { json }),
    ...(artifacts !== undefined && { artifacts: artifacts.map((key) => ({ file_key: key })) }),
  }
  const input = inputOf(call, actions.respond.input, {
    message: call.text('note') ?? resultText(call),
    state: call.flag('status') ?? 'completed',
    ...(Object.keys(result).length > 0 && { result }),
  })
  const session = await WorkspaceSession.open(call, true)
  if (artifacts !== undefined) await flushMirrors(call, session, artifacts)
  const basis = input.state === 'completed' ? await basisOf(session, input.task, artifacts) : []
  const given = basis.length > 0 ? { ...input, basis } : input
  return act(call, actions.respond, given, printAnswer, session)
}

/** The versions that this agent has read of the artifacts, and of other files since it was granted the task. */
const basisOf = async (
  session: WorkspaceSession,
  task: string,
  artifacts: readonly string[] = [],
): Promise<ReadFile[]> => {
  const entry = findEntry(session.doc, task)
  if (entry === undefined) return []
  const me = session.me()
  const granted = historyOf(entry).findLast(({ by, event }) => by === me && event === 'claimed')
  const since = (granted?.at ?? entry.facts.createdAt) - session.clockOffset
  const read = session.replica.readSince(since)
  const named: ReadFile[] = []
  for (const file_key of artifacts) {
    if (read.some((one) => one.file_key === file_key)) continue
    const version = await session.readVersion(file_key)
    if (version !== null) named.push({ file_key, version })
  }
  return [...named, ...read].slice(0, MAX_TASK_LINKS)
}

/** Has the server get what mirrors still have to take of these files from their folders. */
const flushMirrors = async (
  call: Call,
  { mirrors }: WorkspaceSession,
  keys: readonly string[],
): Promise<void> => {
  const behind = (await mirrors?.flush(keys)) ?? []
  for (const dir of behind) call.notes.push(`${dir} is paused or not sent yet: mirror --list`)
}

/** The task, and the versions of files that are its result. */
const printAnswer = ({ task }: { task: Task }, session: WorkspaceSession): Printed => ({
  lines: [
    ...printTask()({ task }, session).lines,
    ...(task.artifacts ?? []).map(
      ({ file_key, version }) => `artifact: ${path(file_key)} version ${version}`,
    ),
    ...staleLinesOf(task),
  ],
})

/** The text of a result. Where it comes from a command or a file, an empty one is a mistake. */
const resultText = (call: Call): string => {
  const text = call.body('result')
  return call.has('file') || call.flag('result') === '-'
    ? checkSaid('result', text, MAX_RESULT_BYTES)
    : text
}
