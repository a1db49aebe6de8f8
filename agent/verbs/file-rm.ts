import { removeFile } from '../../workspace/files.ts'
import { checkFileKey } from '../../workspace/path.ts'
import type { Verb } from '../call.ts'
import { mergingWrite, Team } from '../team.ts'
import { path } from '../text.ts'

export const fileRm: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const force = call.has('force')
  const team = await Team.open(call, true)
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
