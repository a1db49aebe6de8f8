import type { Editing } from '../../../workspace/files/cursors.ts'
import { listFiles } from '../../../workspace/files/file-info.ts'
import { linesText } from '../../../workspace/inbox/conflicts.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { idText, path, word } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

export const fileList: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, true)
  await team.confirm()
  const me = call.profile.state.agent_id
  const { editing, intents } = team.whoIsIn()
  const files = []
  for (const file of listFiles(team.doc, call.flag('prefix')?.normalize('NFC'))) {
    const read = await team.readVersion(file.file_key)
    if (call.has('changed') && read === file.version) continue
    const here = <T extends Editing>(all: readonly T[]): T[] =>
      all.filter((one) => one.file_key === file.file_key && one.agent_id !== me)
    files.push({ ...file, read_version: read, editing: here(editing), intents: here(intents) })
  }
  const lines = files.map((file) => {
    const { file_key, version, last_editor, updated_at, size, read_version, editing, intents } =
      file
    const read = read_version === null ? 'not read' : `read ${read_version}`
    const fields = [path(file_key), `version ${version}`, idText(last_editor), updated_at]
    fields.push(`${size} bytes`)
    if (file.sha256 !== undefined) fields.push(path(file.media_type))
    if (call.has('changed')) fields.push(read)
    for (const one of editing) fields.push(`${word(one.name)} is at ${linesText(one)}`)
    for (const one of intents)
      fields.push(`${word(one.name)} intends ${linesText(one)}: ${word(one.note)}`)
    return fields.join('  ')
  })
  const none = call.has('changed')
    ? 'nothing changed since you read it'
    : 'no such files are shared here'
  return {
    data: { files, count: files.length, ...team.admitOffline() },
    lines: shortList(
      lines.map((line) => [line]),
      { limit: call.number('limit'), how: `file-list --limit ${lines.length}, or a PREFIX` },
    ),
    notes: files.length === 0 ? [none] : [],
  }
}
