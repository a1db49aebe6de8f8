import { newMessageId } from '../../protocol/fresh-ids.ts'
import { checkFileKey } from '../document/path.ts'
import { type PutBlobResult, putBlob } from '../files/put-blob.ts'
import { tellReplaced } from '../inbox/conflicts.ts'
import { action } from './action.ts'
import type { FileActor } from './file-actor.ts'
import * as inputs from './inputs/files.ts'

/** Makes bytes that the server has the newest version of a file. */
export const shareBytes = action({
  name: 'bytes',
  roles: ['write', 'admin'],
  errors: ['unknown_blob', 'bad_path', 'too_large', 'is_text', 'no_base', 'file_exists'],
  input: inputs.shareBytes,
  run: async (actor: FileActor, input): Promise<PutBlobResult> => {
    const by = actor.agent
    const key = checkFileKey(input.key)
    const { base_sha256, ...payload } = input
    const { sha256, size, force, if_absent: isNew = false } = input
    await actor.checkBlob(sha256, size)
    const known = base_sha256 ?? (await actor.heldBlob(key))
    return actor.once({ payload }, ({ doc }) => {
      const now = actor.now()
      const result = putBlob(doc, { key, sha256, size, known, by, now, force, isNew })
      const { file, replaced } = result
      actor.keepBlob(key, file, sha256)
      if (replaced !== null) tellReplaced(doc, by, file.file_key, replaced, newMessageId, now)
      return result
    })
  },
})
