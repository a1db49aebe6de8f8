import { createHash } from 'node:crypto'
import { canonicalJson } from '../../lib/text/canonical-json.ts'
import { answerOf } from '../../protocol/idempotency.ts'
import { KEPT_ANSWERS, KEPT_ANSWERS_MS } from '../config/limits.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import type { FactLog } from '../storage/update-log.ts'
import { type Answered, del, type KeySpace, put } from './records.ts'

/** Digests of this form are of the canonical JSON of an action's name and input. Entries of before have no form. */
const DIGEST_FORM = 2

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

/** An agent removes expired answers once per this number of answers. */
const CLEAR_EVERY = 64

/** A command that may come again under its key (null: it has none). */
export interface Keyed {
  key: string | null
  what: string
  payload: unknown
}

/** The answers that one agent got under its idempotency keys. */
export class KeptAnswers {
  readonly #facts: FactLog
  readonly #drawer: KeySpace
  readonly #now: () => number
  #count = 0

  constructor(facts: FactLog, drawer: KeySpace, now: () => number) {
    this.#facts = facts
    this.#drawer = drawer
    this.#now = now
  }

  /**
   * The answer that a command got before; null: none. `stage` gives the records of its answer, to be stored with what it
   * changes. Throws `key_reused`.
   */
  async find({ key, what, payload }: Keyed): Promise<{
    before: object | null
    stage: (answer: object) => Op[]
  }> {
    if (key === null) return { before: null, stage: () => [] }
    const digest = writeDigest(what, payload)
    const at = this.#drawer.answer(key)
    const known = (await this.#facts.get(at)) as Answered | null
    const before = keptAnswer(key, { what, digest }, known)
    const old = before === null && this.#count++ % CLEAR_EVERY === 0 ? await this.#oldAnswers() : []
    return {
      before,
      stage: (answer) => [
        put(at, { digest, form: DIGEST_FORM, answer, at: this.#now() }),
        ...old.map(del),
      ],
    }
  }

  async #oldAnswers(): Promise<string[]> {
    const all = await this.#facts.entries(this.#drawer.answers)
    const at = (json: unknown): number => (json as Answered).at
    const byAge = all.sort((a, b) => at(b.json) - at(a.json))
    const since = this.#now() - KEPT_ANSWERS_MS
    return byAge
      .filter(({ json }, i) => i >= KEPT_ANSWERS || at(json) < since)
      .map(({ key }) => key)
  }
}
