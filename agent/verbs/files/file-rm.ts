import { checkFileKey } from '../../../workspace/document/path.ts'
import { removeFile } from '../../../workspace/files/move-file.ts'
import type { Verb } from '../../command/call.ts'
import { path } from '../../command/text.ts'
import { mergingWrite, WorkspaceSession } from '../../command/workspace-session.ts'

export const fileRm: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const force = call.has('force')
  const team = await WorkspaceSession.open(call, true)
  const known = force ? null : await team.replica.readVersion(key)
  return mergingWrite(
    call,
    { key, force },
    () => {
      removeFile(team.doc, key, team.me(), team.now(), known)
      return { data: { removed: key }, lines: [`removed ${path(key)}`] }
    },
    team,
  )
}
