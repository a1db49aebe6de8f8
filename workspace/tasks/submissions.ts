import type * as Y from 'yjs'
import { submission } from '../document/records.ts'
import { appendInRow } from '../document/rows.ts'
import { type Submission, submissionsOf } from '../document/schema.ts'
import { isSubmission } from '../document/shape.ts'
import { must } from '../document/values.ts'

/** Submits an entry to the server. Throws `invalid`. */
export const submit = (doc: Y.Doc, entry: Submission): void =>
  appendInRow(doc, submissionsOf(doc), must(submission, entry, `the ${entry.kind}`))

/**
 * The submissions that the server has not filed yet: tasks first, since the rest may be about them.
 */
export const submissions = (doc: Y.Doc): Submission[] => {
  const intake = submissionsOf(doc)
  if (intake.length === 0) return []
  const entries = intake.toArray().filter(isSubmission)
  return entries.sort((a, b) => Number(b.kind === 'task') - Number(a.kind === 'task'))
}
