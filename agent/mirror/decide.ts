/** The step that makes a path's disk and document equal, given their last common text. */
export type Decision =
  /** They are the same. */
  | 'agreed'
  /** Merges the disk's text into the document, with the changes of others since the base. */
  | 'put'
  /** The file goes from the document. */
  | 'remove'
  /** The document's text goes to the disk. */
  | 'write'
  /** The file goes from the disk. */
  | 'delete'

/**
 * Decides for one path; each argument is a text's digest, or null without a file. A change
 * wins over a deletion by the other side: no edit is lost, and the deleted file comes back.
 */
export const decide = (base: string | null, disk: string | null, doc: string | null): Decision => {
  if (disk === doc) return 'agreed'
  if (disk === base) return doc === null ? 'delete' : 'write'
  if (disk !== null) return 'put'
  return doc === base ? 'remove' : 'write'
}
