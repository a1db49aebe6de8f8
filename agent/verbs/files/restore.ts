import { postRestore, type Restoration } from '../../../client/http/checkpoints.ts'
import { linesText } from '../../../workspace/inbox/conflicts.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { oneLine, path } from '../../command/text.ts'
import { checkWrites, WorkspaceSession } from '../../command/workspace-session.ts'
import { settle } from './checkpoint.ts'

/** Makes all files what they were at a checkpoint, as changes that merge with what others write. */
export const restore: Verb = async (call) => {
  const name = call.flag('name')!
  const isDry = call.has('dry-run')
  checkWrites(call)
  const team = await WorkspaceSession.open(call, false)
  const by = team.me()
  await settle(team)
  const { key } = call.idempotencyKey()
  const body = { name, dry_run: isDry, by }
  const done = await postRestore(call.target, call.workspace, body, key)
  for (const { file_key, why } of done.skipped) {
    call.notes.push(`${path(file_key)} stays as it is: ${why}`)
  }
  for (const { file_key, conflicts = [] } of done.restored) {
    for (const one of conflicts) {
      call.notes.push(`conflict in ${path(file_key)}, ${linesText(one)}, with ${one.by}`)
    }
  }
  if (done.restored.length === 0) call.notes.push(`all files are as they were at ${name}`)
  return {
    data: { ...done },
    lines: shortList(
      done.restored.map((one) => [lineOf(one, isDry)]),
      { how: `restore ${name} --json` },
    ),
  }
}

const PAST = {
  added: 'is back',
  removed: 'is removed',
  changed: 'is restored',
  moved: 'is moved back',
}
const FUTURE = {
  added: 'would come back',
  removed: 'would be removed',
  changed: 'would be restored',
  moved: 'would move back',
}

const lineOf = (
  { file_key, change, added_lines, removed_lines }: Restoration['restored'][number],
  isDry: boolean,
): string => {
  const lines = added_lines === undefined ? '' : `  +${added_lines} -${removed_lines} lines`
  return oneLine(`${path(file_key)} ${(isDry ? FUTURE : PAST)[change]}${lines}`)
}
