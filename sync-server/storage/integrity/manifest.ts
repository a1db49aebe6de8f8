import * as decoding from 'lib0/decoding'

/** The files that LevelDB's manifest lists. */
export interface Manifest {
  /** Number of the oldest journal that is still needed; 0: none yet. */
  journal: number
  /** Tables: number → bytes. */
  tables: Map<number, number>
}

/** Tags of an edit's fields (leveldb/db/version_edit.cc). */
const TAG = {
  comparator: 1,
  journal: 2,
  nextFile: 3,
  lastSequence: 4,
  compactPointer: 5,
  deleted: 6,
  added: 7,
  previousJournal: 9,
}

/** Folds a manifest's edits. Throws on a malformed edit. */
export const readManifest = (edits: readonly Uint8Array[]): Manifest => {
  const manifest: Manifest = { journal: 0, tables: new Map() }
  for (const edit of edits) {
    const decoder = decoding.createDecoder(edit)
    const number = () => decoding.readVarUint(decoder)
    const text = () => decoding.readVarUint8Array(decoder)
    while (decoding.hasContent(decoder)) readField(number(), number, text, manifest)
  }
  return manifest
}

const readField = (
  tag: number,
  number: () => number,
  text: () => Uint8Array,
  manifest: Manifest,
): void => {
  switch (tag) {
    case TAG.comparator:
      text()
      return
    case TAG.journal:
      manifest.journal = number()
      return
    case TAG.nextFile:
    case TAG.lastSequence:
    case TAG.previousJournal:
      number()
      return
    case TAG.compactPointer:
      number()
      text()
      return
    case TAG.deleted:
      number()
      manifest.tables.delete(number())
      return
    case TAG.added: {
      number() // its level
      const table = number()
      manifest.tables.set(table, number())
      text()
      text()
      return
    }
    default:
      throw new Error(`an edit has a field ${tag}`)
  }
}
