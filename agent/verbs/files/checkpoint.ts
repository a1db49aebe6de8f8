import {
  getCheckpoints,
  postCheckpoint,
  postRemoveCheckpoint,
} from '../../../client/http/checkpoints.ts'
import { counted } from '../../../lib/text/count.ts'
import { oneLine } from '../../../lib/text/visible.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { type CheckpointInfo, checkCheckpointName } from '../../../workspace/files/checkpoint.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { who } from '../../command/text.ts'
import { checkWrites, WorkspaceSession } from '../../command/workspace-session.ts'

/** Names the state of all files as it is now, or removes a name. */
export const checkpoint: Verb = async (call) => {
  const name = checkCheckpointName(call.flag('name')!)
  const note = call.text('note') ?? ''
  checkWrites(call)
  const team = await WorkspaceSession.open(call, false)
  const by = team.me()
  if (call.has('remove')) {
    const { checkpoint } = await postRemoveCheckpoint(call.target, call.workspace, { name, by })
    return {
      data: { checkpoint, removed: true },
      lines: [`checkpoint ${name} is removed; the files are as they were`],
    }
  }
  await settle(team)
  const { key } = call.idempotencyKey()
  const made = await postCheckpoint(call.target, call.workspace, { name, note, by }, key)
  return {
    data: { ...made },
    lines: [
      `checkpoint ${name}: ${counted(made.checkpoint.files, 'file')} at ${made.checkpoint.at}`,
    ],
  }
}

/** Waits until the server has this agent's own writes: they are part of the checkpoint. Throws its reason for holding them. */
export const settle = async (team: WorkspaceSession): Promise<void> => {
  const { durable } = await team.settle()
  if (durable === false) throw team.offline ?? new ClawError('unreachable', 'the server is away')
}

export const checkpoints: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, false)
  const found = await getCheckpoints(call.target, call.workspace)
  const lineOf = ({ name, at, by, files, note }: CheckpointInfo): string =>
    oneLine(`${name}  ${at}  ${who(team.doc, by)}  ${counted(files, 'file')}${note && `  ${note}`}`)
  return {
    data: { checkpoints: found, count: found.length },
    lines: shortList(
      found.map((one) => [lineOf(one)]),
      {
        limit: call.number('limit'),
        how: `checkpoints --limit ${found.length}`,
        isNewestLast: true,
      },
    ),
    notes: found.length === 0 ? ['no checkpoints; make one: checkpoint NAME'] : [],
  }
}
