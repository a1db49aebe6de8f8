import { showArchivedSuggestion } from '../../../workspace/suggestions/archive.ts'
import { readUndo } from '../../history/attribution/undos.ts'
import { readDescribed, readFiles } from '../../history/checkpoints/store.ts'

/** Stored values of which one that is malformed costs only itself, by their keys. */
const READERS: readonly { of: RegExp; read: (json: unknown) => unknown; what: string }[] = [
  { of: /^y:/, read: readUndo, what: 'an undo' },
  { of: /^t:[^/]*\/i:/, read: readDescribed, what: 'a checkpoint' },
  { of: /^t:[^/]*\/f:/, read: readFiles, what: 'a list of files' },
  { of: /^g:[^/]*\/~suggestions\//, read: showArchivedSuggestion, what: 'a suggestion' },
]

/** Throws where a stored value is not what its key says. */
export const checkFact = (key: string, json: unknown): void => {
  const reader = READERS.find(({ of }) => of.test(key))
  if (reader !== undefined && reader.read(json) === null)
    throw new Error(`it is not ${reader.what}`)
}
