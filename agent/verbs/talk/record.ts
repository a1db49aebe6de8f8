import type * as Y from 'yjs'
import { checkWitness, getStory, type WitnessCheck } from '../../../client/http/record.ts'
import { readWitness, witnessFiles } from '../../../client/replica/witness.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { StoryEvent } from '../../../protocol/story.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { who, withBody } from '../../command/text.ts'
import { mayEnter, WorkspaceSession } from '../../command/workspace-session.ts'

const DEFAULT_LIMIT = 50

/** Checks that the server's log continues what this profile saw, or shows what happened. */
export const record: Verb = (call) =>
  call.oneOf('action', ['verify', 'show']) === 'verify' ? verify(call) : show(call)

interface Checked extends WitnessCheck {
  file: string
}

const verify = async (call: Call): Promise<Outcome> => {
  const { target, workspace } = call
  // Not by the socket: a server that went back to an older log refuses what replicas have of the newer one.
  await mayEnter(call, false)
  const kept = witnessFiles(call.at.dir).flatMap((file) => {
    const witness = readWitness(file)
    return witness === null ? [] : [{ file, witness }]
  })
  const witnesses: Checked[] = []
  for (const { file, witness } of kept) {
    witnesses.push({ file, ...(await checkWitness(target, workspace, witness)) })
  }
  if (witnesses.length === 0)
    call.notes.push('this profile has kept no head so far: it does from now on')
  const lines = witnesses.map(lineOf)
  const wrong = witnesses.find(({ result }) => result !== 'continued')
  if (wrong === undefined) return { data: { witnesses, count: witnesses.length }, lines }
  throw new ClawError(
    'data_damaged',
    `the log of the server is not the one that this profile saw: ${lineOf(wrong)}`,
    `keep ${wrong.file}, and have the operator run: clawlink-sync verify --witness FILE`,
  )
}

const lineOf = ({ seq, result, end }: Checked): string =>
  ({
    continued: `the log up to record ${end.seq} continues record ${seq}, which this profile saw`,
    cut: `it ends at record ${end.seq}; this profile saw record ${seq}`,
    changed: `record ${seq} or an earlier one is not the one that this profile saw`,
    broken: `its records after ${seq} do not lead to its newest head`,
  })[result]

const show = async (call: Call): Promise<Outcome> => {
  const limit = call.number('limit') ?? DEFAULT_LIMIT
  const team = await WorkspaceSession.open(call, false)
  await team.confirm()
  const given = {
    agent: call.flag('agent'),
    task: call.flag('task'),
    file: call.flag('file'),
    since: call.flag('since'),
    for: call.profile.state.agent_id,
    limit: String(limit),
  }
  const query = Object.entries(given).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  const { events, more } = await getStory(call.target, call.workspace, Object.fromEntries(query))
  if (events.length === 0) call.notes.push('nothing happened, as far as the server keeps it')
  if (more) call.notes.push('there is older: --since, or a larger --limit')
  return {
    data: { events, count: events.length, more },
    lines: shortList(
      events.map((event) => told(team.doc, event)),
      { limit: call.number('limit'), how: `record show --limit ${limit}`, isNewestLast: true },
    ),
  }
}

const told = (doc: Y.Doc, { at, agent_id, task_id, text }: StoryEvent): string[] => {
  const by = agent_id === null ? 'the server' : who(doc, agent_id)
  const task = typeof task_id === 'string' ? ` task ${task_id}` : ''
  return withBody(`${at} ${by}${task}`, text)
}
