import { putText } from '../../../workspace/actions/put-text.ts'
import { checkFileKey } from '../../../workspace/document/path.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'
import { shareLocal } from './binary.ts'
import { printWritten } from './file-write.ts'
import { openLocal } from './local-file.ts'

export const filePut: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const local = await openLocal(call, call.flag('file')!, call.has('binary'))
  if ('blob' in local) return shareLocal(call, key, local.blob)
  const isNew = call.has('new')
  const given = { content: local.text }
  const session = await WorkspaceSession.open(call, true)
  // Others may have made it meanwhile.
  if (isNew) await session.confirm()
  return act(call, putText, inputOf(call, putText.input, given), printWritten, session)
}
