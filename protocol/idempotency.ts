import { ClawError } from './errors.ts'

/** An idempotency key belongs to the first command that used it. `on`: the object of that command, if it is known. */
export const keyReused = (key: string, on?: string): ClawError =>
  new ClawError(
    'key_reused',
    `idempotency key "${key}" was used for another command${on === undefined ? '' : ` on ${on}`}`,
    'use a new key for a new command',
  )

/** Record stored under an idempotency key: a digest of the command, and its answer. */
export interface Answered<A> {
  digest: string
  answer: A
}

/** The kept answer of a repeated command; null: the command is new. Throws `key_reused`. */
export const answerOf = <A>(key: string, digest: string, known: Answered<A> | null): A | null => {
  if (known === null) return null
  if (known.digest !== digest) throw keyReused(key)
  return known.answer
}
