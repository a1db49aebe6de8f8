import { dirname } from 'node:path'
import { ClawError } from '../../workspace/errors.ts'
import { readFile } from '../../workspace/files.ts'
import type { Verb } from '../call.ts'
import { writeAtomically } from '../profile.ts'
import { Team } from '../team.ts'
import { oneLine } from '../text.ts'

export const fileGet: Verb = async (call) => {
  const output = call.flag('output')
  const team = await Team.open(call, true)
  await team.confirm()
  const file = readFile(team.doc, call.flag('key')!)
  const { file_key, version, content } = file
  const keepBase = async () => {
    const replica = await team.reopened()
    replica.keepBase(file_key, { version, content })
    await replica.commit()
  }
  const data = { file, ...team.admitOffline() }
  if (output === undefined) return { data, lines: [], content, after: keepBase }

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
  await keepBase()
  return { data, lines: [oneLine(`${file_key} version ${version} is in ${output}`)] }
}
