import { listFiles } from '../../workspace/files.ts'
import type { Verb } from '../call.ts'
import { Team } from '../team.ts'
import { oneLine } from '../text.ts'

export const fileList: Verb = async (call) => {
  const team = await Team.open(call, true)
  await team.confirm()
  const files = listFiles(team.doc)
  const lines = files.map(({ file_key, version, last_editor, updated_at, size }) =>
    oneLine(`${file_key}  version ${version}  ${last_editor}  ${updated_at}  ${size} bytes`),
  )
  const notes = files.length === 0 ? ['no files are shared here yet'] : []
  return { data: { files, count: files.length, ...team.admitOffline() }, lines, notes }
}
