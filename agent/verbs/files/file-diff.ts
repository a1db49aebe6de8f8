import { unifiedDiff } from '../../../lib/merge/unified.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { checkFileKey } from '../../../workspace/document/path.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import type { Verb } from '../../command/call.ts'
import { fetchVersion } from '../../command/versions.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** The changes in a file since the agent last read it, or since a version. */
export const fileDiff: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const since = call.number('since') ?? null
  const team = await WorkspaceSession.open(call, since === null)
  await team.confirm()
  const { content, ...file } = readFile(team.doc, key)
  const base =
    since === null
      ? await team.readText(key)
      : (await fetchVersion(call, key, { version: since })).version
  if (base === null) {
    throw new ClawError(
      'no_base',
      `you have not read ${key}`,
      'file-get it; next time file-diff shows what is new',
    )
  }
  const names = [`${key} version ${base.version}`, `${key} version ${file.version}`] as const
  const diff = unifiedDiff(base.content, content, names)
  const what = since === null ? 'as you have read it' : 'as it was'
  const notes = diff === '' ? [`${key} is ${what} (version ${base.version})`] : []
  return {
    data: { file, since: base.version, diff, ...team.admitOffline() },
    lines: [],
    content: diff,
    notes,
  }
}
