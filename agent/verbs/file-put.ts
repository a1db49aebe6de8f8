import { createHash } from 'node:crypto'
import { checkFileKey } from '../../workspace/path.ts'
import type { Verb } from '../call.ts'
import { writeFile } from '../file-write.ts'
import { mergingWrite, Team } from '../team.ts'

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
    () => {
      const { result, ...outcome } = writeFile(team, { key, content, base, force })
      // What the agent has in its hands is what it put, not what came of it.
      team.replica.keepBase(key, { version: result.file.version, content })
      return outcome
    },
    team,
  )
}
