import { checkFileKey } from '../document/path.ts'
import type { FileInfo } from '../files/file-info.ts'
import { moveFile, removeFile } from '../files/move-file.ts'
import { action } from './action.ts'
import type { FileActor } from './file-actor.ts'
import * as inputs from './inputs/files.ts'

/** Gives a file another path. */
export const move = action({
  name: 'move',
  roles: ['write', 'admin'],
  errors: ['unknown_file', 'bad_path', 'file_exists', 'too_large'],
  input: inputs.move,
  run: async (actor: FileActor, input): Promise<{ file: FileInfo; moved_from: string }> => {
    const by = actor.agent
    const key = checkFileKey(input.key)
    const to = checkFileKey(input.to)
    const carry = await actor.carrying(key)
    return actor.once({ payload: input }, ({ doc }) => {
      const file = moveFile(doc, key, to, by, actor.now(), input.force)
      carry(to)
      return { file, moved_from: key }
    })
  },
})

/** Removes a file. */
export const remove = action({
  name: 'remove',
  roles: ['write', 'admin'],
  errors: ['unknown_file', 'bad_path', 'stale'],
  input: inputs.remove,
  run: async (actor: FileActor, input): Promise<{ removed: string }> => {
    const by = actor.agent
    const key = checkFileKey(input.key)
    const read = input.base_version ?? (await actor.readVersion(key))
    const known = input.force ? null : read
    return actor.once({ payload: input, frees: () => true }, ({ doc }) => {
      removeFile(doc, key, by, actor.now(), known)
      return { removed: key }
    })
  },
})
