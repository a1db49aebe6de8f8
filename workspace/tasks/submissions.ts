import type * as Y from 'yjs'
import { intakeEntry } from '../document/records.ts'
import { appendInRow } from '../document/rows.ts'
import { type IntakeEntry, submissionsOf } from '../document/schema.ts'
import { isIntakeEntry } from '../document/shape.ts'
import { must } from '../document/values.ts'

/** Hands an entry to the server. Throws `invalid`. */
export const submit = (doc: Y.Doc, entry: IntakeEntry): void =>
  appendInRow(doc, submissionsOf(doc), must(intakeEntry, entry, `the ${entry.kind}`))

/**
 * The submissions that the server has not filed yet: tasks first, since the rest may be about them.
 */
export const submissions = (doc: Y.Doc): IntakeEntry[] => {
  const intake = submissionsOf(doc)
  if (intake.length === 0) return []
  const entries = intake.toArray().filter(isIntakeEntry)
  return entries.sort((a, b) => Number(b.kind === 'task') - Number(a.kind === 'task'))
}
