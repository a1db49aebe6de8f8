import type * as Y from 'yjs'
import { checkFileKey } from '../document/path.ts'
import { textOf } from '../document/schema.ts'
import type { PutResult } from '../files/put-file.ts'
import { findLeaf } from '../files/tree.ts'
import { action } from './action.ts'
import type { FileActor } from './file-actor.ts'
import * as inputs from './inputs/files.ts'
import { writeText } from './write-text.ts'

/** Puts a file as a change of what its writer had in its hands, and creates it where there is none. */
export const putText = action({
  name: 'put',
  roles: ['write', 'admin'],
  errors: [
    'no_base',
    'not_text',
    'file_exists',
    'bad_path',
    'bad_text',
    'too_large',
    'unknown_version',
  ],
  input: inputs.putText,
  run: async (actor: FileActor, input): Promise<PutResult> => {
    const by = actor.agent
    const key = checkFileKey(input.key)
    const { content, force, if_absent: isNew = false } = input
    const held = await actor.heldText(key, content, input.base_version)
    const frees = (doc: Y.Doc): boolean => content.length < lengthOf(doc, key)
    return actor.once({ payload: input, frees }, ({ doc }, merge) => {
      const base = held?.content ?? null
      const merging = merge === undefined ? {} : { merge }
      const put = { key, content, base, by, now: actor.now(), force, isNew, ...merging }
      const { result, known } = writeText(doc, put)
      // The agent holds the text that it put, not the merged one.
      actor.keepText(key, result.file, { version: known(held), content })
      return result
    })
  },
})

/** UTF-16 units of a file's text; 0: there is none. */
const lengthOf = (doc: Y.Doc, key: string): number => {
  const leaf = findLeaf(doc, key)
  return leaf === null ? 0 : textOf(doc, leaf.entry.fileId).length
}
