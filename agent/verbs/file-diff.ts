import { ClawError } from '../../workspace/errors.ts'
import { readFile } from '../../workspace/files.ts'
import { checkFileKey } from '../../workspace/path.ts'
import { unifiedDiff } from '../../workspace/unified.ts'
import type { Verb } from '../call.ts'
import { Team } from '../team.ts'

/** What changed in a file since the agent last read it. */
export const fileDiff: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const team = await Team.open(call, true)
  await team.confirm()
  const { content, ...file } = readFile(team.doc, key)
  const base = await team.replica.base(key)
  if (base === null) {
    throw new ClawError(
      'no_base',
      `you have not read ${key}`,
      'file-get it; next time file-diff shows what is new',
    )
  }
  const names = [`${key} version ${base.version}`, `${key} version ${file.version}`] as const
  const diff = unifiedDiff(base.content, content, names)
  const notes = diff === '' ? [`${key} is as you have read it (version ${base.version})`] : []
  return {
    data: { file, since: base.version, diff, ...team.admitOffline() },
    lines: [],
    content: diff,
    notes,
  }
}
