import { dirname } from 'node:path'
import { ClawError } from '../../workspace/errors.ts'
import { parseLines, takeLines } from '../../workspace/file-edit.ts'
import { type FileContent, readFile } from '../../workspace/files.ts'
import { getFile } from '../../workspace/tree.ts'
import type { Call, Outcome, Verb } from '../call.ts'
import { writeAtomically } from '../profile.ts'
import { Team } from '../team.ts'
import { oneLine } from '../text.ts'

export const fileGet: Verb = async (call) => {
  const output = call.flag('output')
  const lines = call.flag('lines')
  if (output !== undefined && lines !== undefined) {
    throw new ClawError('usage', '--output takes the whole file, not --lines', 'give one of them')
  }
  const wanted = lines === undefined ? null : parseLines(lines)
  const team = await Team.open(call, true)
  await team.confirm()
  const file = readFile(team.doc, call.flag('key')!)
  if (wanted !== null) return someLines(team, file, wanted)

  const { file_key, version, content } = file
  const keepBase = async () => {
    const replica = await team.reopened()
    replica.keepBase(file_key, { version, content })
    await replica.commit()
  }
  const data = { file, ...team.admitOffline() }
  if (output === undefined) return { data, lines: [], content, after: keepBase }

  write(call, output, content)
  await keepBase()
  return { data, lines: [oneLine(`${file_key} version ${version} is in ${output}`)] }
}

/** Part of a file: its line numbers are those of a file-edit to come, but it is no base for a file-put. */
const someLines = (
  team: Team,
  file: FileContent,
  { from, to }: { from: number; to: number },
): Outcome => {
  const { file_key, version, content } = file
  const part = takeLines(content, from, to)
  team.point(getFile(team.doc, file_key).entry.fileId, { from_line: from, to_line: to })
  return {
    data: {
      file: { ...file, content: part, from_line: from, to_line: to },
      ...team.admitOffline(),
    },
    lines: [],
    content: part,
    after: async () => {
      const replica = await team.reopened()
      replica.keepSeen(file_key, { version, content })
      await replica.commit()
    },
  }
}

const write = (call: Call, output: string, content: string): void => {
  const path = call.resolve(output)
  try {
    writeAtomically(path, content)
  } catch (cause) {
    throw new ClawError(
      'no_such_local_file',
      `cannot write ${output}: ${(cause as NodeJS.ErrnoException).code}`,
      `${dirname(path)} must be a folder you may write to`,
    )
  }
}
