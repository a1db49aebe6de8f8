import { createHash } from 'node:crypto'
import { checkFileKey } from '../../../workspace/document/path.ts'
import { shareBytes } from '../../command/binary.ts'
import type { Verb } from '../../command/call.ts'
import { writeFile } from '../../command/file-write.ts'
import { openLocal } from '../../command/local-file.ts'
import { mergingWrite, WorkspaceSession } from '../../command/workspace-session.ts'

export const filePut: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const isNew = call.has('new')
  const local = await openLocal(call, call.flag('file')!, call.has('binary'))
  if ('blob' in local) return shareBytes(call, key, local.blob)
  const content = local.text
  const force = call.has('force')
  const sha256 = createHash('sha256').update(content).digest('hex')
  const payload = { key, force, sha256, ...(isNew && { new: true }) }
  const team = await WorkspaceSession.open(call, true)
  if (isNew) await team.confirm()
  const read = await team.replica.base(key)
  return mergingWrite(
    call,
    payload,
    () => {
      const base = read?.content ?? null
      const { known, ...outcome } = writeFile(team, { key, content, base, force, isNew })
      // What the agent has in its hands is what it put, not what came of it.
      team.replica.keepBase(key, { version: known(read), content })
      return outcome
    },
    team,
  )
}
