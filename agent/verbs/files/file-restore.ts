import { type FileVersionContent, getFileLog, type WhichVersion } from '../../../client/http/api.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { writeText } from '../../../workspace/actions/write-text.ts'
import { checkFileKey } from '../../../workspace/document/path.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import type { Call, Verb } from '../../command/call.ts'
import { path } from '../../command/text.ts'
import { askVersion, fetchVersion } from '../../command/versions.ts'
import { answeredBefore, mergingWrite, WorkspaceSession } from '../../command/workspace-session.ts'
import { isRemovedBytes, restoreBytes } from './binary.ts'
import { printWritten } from './file-write.ts'

/**
 * An edit from the file's current text to an old one. Edits that others make at the same time merge with it, and the
 * replaced text stays in the history. The base of the agent's next file-put does not change.
 */
export const fileRestore: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const which = askVersion(call)
  // The payload of a version stays what it was: a link of before may have begun this command.
  const payload = { key, version: null, ...which }
  const team = await WorkspaceSession.open(call, false)
  await team.confirm()
  if (which === null && isRemovedBytes(team.doc, key)) return restoreBytes(call, team, key)
  const isRepeated = (await answeredBefore(call, team.replica, payload)) !== null
  const past = isRepeated ? null : await versionToRestore(call, team, key, which)
  return mergingWrite(
    call,
    payload,
    ({ doc }) => {
      // A repeated command does not run this, so `past` is present.
      const { version, content, file_key } = past!.version
      const now = past!.file_key ?? file_key
      const base = findLeaf(doc, now) === null ? null : readFile(doc, now).content
      const put = { key: now, content, base, by: team.me(), now: team.now() }
      const { result } = writeText(doc, put)
      const { data, notes } = printWritten(result, team)
      const { file, changed } = result
      const what = changed ? `is as it was in version ${version}` : 'is like that already'
      return {
        data: { ...result, ...data, restored: version },
        lines: [`${path(now)} ${what}; it is version ${file.version}`],
        notes: notes ?? [],
      }
    },
    team,
  )
}

/** Without a number: the newest of a removed file. Throws `usage`, `unknown_file`, `unknown_version`. */
const versionToRestore = async (
  call: Call,
  { doc }: WorkspaceSession,
  key: string,
  which: WhichVersion | null,
): Promise<FileVersionContent> => {
  if (which !== null) return fetchVersion(call, key, which)
  if (findLeaf(doc, key) !== null) {
    throw new ClawError('usage', `${key} is there: which version?`, 'file-log shows them')
  }
  const { versions } = await getFileLog(call.target, call.workspace, key, 1)
  if (versions[0] !== undefined) return fetchVersion(call, key, { version: versions[0].version })
  throw new ClawError('unknown_version', `no version of ${key} is kept`, 'file-put it anew')
}
