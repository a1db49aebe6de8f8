import { createHash } from 'node:crypto'
import { canonicalJson } from '../../lib/text/canonical-json.ts'
import { answerOf } from '../../protocol/idempotency.ts'
import type { Answered } from './records.ts'

/** Digests of this form are of the canonical JSON of an action's name and input. Entries of before have no form. */
export const DIGEST_FORM = 2

/** A field that the answers of an action have. */
const FIELDS: Readonly<Record<string, string>> = {
  ...{ delegate: 'task', note: 'task', broadcast: 'message', send: 'message' },
  ...{ pause: 'agent', resume: 'agent', put: 'changed', edit: 'changed', append: 'changed' },
  ...{ bytes: 'changed', move: 'moved_from', remove: 'removed' },
}

/** Tells a write from others under the same key: `what` is its action's name, `payload` the action's input. */
export const writeDigest = (what: string, payload: unknown): string =>
  createHash('sha256')
    .update(canonicalJson([what, payload]))
    .digest('hex')

/**
 * The answer that a write got before under its key; null: none. Throws `key_reused`. An entry without a form has a digest of
 * values that an input does not tell, such as a deadline in milliseconds. It counts as the same write if its answer is one of
 * the same action; such entries are gone after `KEPT_ANSWERS_MS`.
 */
export const keptAnswer = (
  key: string,
  { what, digest }: { what: string; digest: string },
  known: Answered | null,
): object | null => {
  const field = FIELDS[what]
  const isOfBefore = known !== null && known.form === undefined
  if (isOfBefore && (field === undefined || field in known.answer)) return known.answer
  return answerOf(key, digest, known)
}
