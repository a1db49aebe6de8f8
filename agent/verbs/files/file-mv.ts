import { checkFileKey } from '../../../workspace/document/path.ts'
import { moveFile } from '../../../workspace/files/move-file.ts'
import type { Verb } from '../../command/call.ts'
import { path } from '../../command/text.ts'
import { mergingWrite, WorkspaceSession } from '../../command/workspace-session.ts'

export const fileMv: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const to = checkFileKey(call.flag('to')!)
  const force = call.has('force')
  const team = await WorkspaceSession.open(call, true)
  const base = await team.replica.base(key)
  const blob = await team.replica.blob(key)
  return mergingWrite(
    call,
    { key, to, force },
    () => {
      const file = moveFile(team.doc, key, to, team.me(), team.now(), force)
      if (base !== null) team.replica.keepBase(to, base)
      if (blob !== null) team.replica.keepBlob(to, blob)
      return { data: { file, moved_from: key }, lines: [`renamed ${path(key)} to ${path(to)}`] }
    },
    team,
  )
}
