import { createHash } from 'node:crypto'
import { putFile } from '../../workspace/files.ts'
import { checkFileKey } from '../../workspace/path.ts'
import type { Verb } from '../call.ts'
import { mergingWrite, Team } from '../team.ts'
import { oneLine } from '../text.ts'

export const filePut: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const content = call.readBody(call.flag('file')!)
  const force = call.has('force')
  const payload = { key, force, sha256: createHash('sha256').update(content).digest('hex') }
  const team = await Team.open(call, true)
  const base = (await team.replica.base(key))?.content ?? null
  return mergingWrite(
    call,
    payload,
    ({ doc, replica }) => {
      const put = { key, content, base, by: team.me(), now: Date.now(), force }
      const { file, changed, created, conflicts } = putFile(doc, put)
      // What the agent has in its hands is what it put, not what came of it.
      replica.keepBase(key, { version: file.version, content })
      const what = created ? 'created' : changed ? 'changed' : 'unchanged'
      return {
        data: { file, changed, created, conflicts },
        lines: [oneLine(`${what} ${key} version ${file.version}`)],
        notes: conflicts.map(
          ({ from_line, to_line, by }) =>
            `conflict in ${key}, lines ${from_line}-${to_line}: ${by} changed them too; both are kept, file-get and settle it`,
        ),
      }
    },
    team,
  )
}
