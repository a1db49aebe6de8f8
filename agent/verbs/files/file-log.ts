import { getFileLog } from '../../../client/http/api.ts'
import { isBinary } from '../../../workspace/files/blobs.ts'
import type { FileVersion } from '../../../workspace/files/file-state.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { path, who } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

const DEFAULT_LIMIT = 50

export const fileLog: Verb = async (call) => {
  const limit = call.number('limit') ?? DEFAULT_LIMIT
  const before = call.number('before')
  // Changes written offline are sent first. Only the server keeps the versions.
  const team = await WorkspaceSession.open(call, false)
  await team.confirm()
  const { target } = call
  const page = await getFileLog(target, call.workspace, call.flag('key')!, limit, before)
  const { file_key, versions, more } = page
  if (file_key === null) call.notes.push('the file is removed; file-restore brings it back')
  const leaf = findLeaf(team.doc, call.flag('key')!)
  if (leaf !== null && isBinary(leaf.entry)) {
    call.notes.push('it is not text now: file-get --json lists its versions')
  } else if (versions.length === 0) call.notes.push('no versions are kept')
  if (more) call.notes.push(`there are older ones: --before ${versions.at(-1)!.version}`)
  return {
    data: { file_key, versions, count: versions.length, more },
    lines: shortList(
      versions.map((version) => [lineOf(version, (id) => who(team.doc, id))]),
      { limit: call.number('limit'), how: `file-log --limit ${limit}` },
    ),
  }
}

const lineOf = (version: FileVersion, name: (id: string) => string): string => {
  const { added_lines, removed_lines, size, change_sets } = version
  const by = version.editors.map(name).join(', ') || 'somebody'
  const sets = change_sets === 1 ? '' : `  ${change_sets} change sets`
  return `version ${version.version}  ${version.updated_at}  ${by}  +${added_lines} -${removed_lines} lines  ${size} bytes${sets}  ${path(version.file_key)}`
}
