/** What brings a path's disk and document together, given what both were when they last agreed. */
export type Decision =
  /** They are the same. */
  | 'agreed'
  /** The disk's text goes into the document, merged with what others did since the base. */
  | 'put'
  /** The file goes from the document. */
  | 'remove'
  /** The document's text goes to the disk. */
  | 'write'
  /** The file goes from the disk. */
  | 'delete'

/**
 * Decides for one path; each of the three is a text's digest, or null where there is no file. A deletion gives way to a
 * change of the other side: nobody's edit is lost, and what was deleted comes back.
 */
export const decide = (base: string | null, disk: string | null, doc: string | null): Decision => {
  if (disk === doc) return 'agreed'
  if (disk === base) return doc === null ? 'delete' : 'write'
  if (disk !== null) return 'put'
  return doc === base ? 'remove' : 'write'
}
