import { byteLength } from '../../lib/text/bytes.ts'
import { ClawError } from '../../protocol/errors.ts'

/** The rule for a plain value in the document. */
export interface Rule {
  /** For docs/SCHEMA.md: "text of at most 128 bytes". */
  readonly words: string
  /**
   * The fault of a value, as the rest of a sentence that begins with its name ("is not a time");
   * null: it has none.
   */
  readonly problem: (value: unknown) => string | null
  /** For objects of several kinds: the rule of each. */
  readonly kinds?: Readonly<Record<string, RecordRule>>
}

export type FieldRules = Readonly<Record<string, Rule>>

/** Levels of arrays and objects within one plain value (count): ClawLink's own have 4. */
export const MAX_VALUE_DEPTH = 16
/**
 * Limit of the fields that a record has beyond its table, for later versions (bytes of all of them
 * as JSON).
 */
const MAX_EXTRA_BYTES = 1024
/** Limit of `Date` (milliseconds since the epoch): later times have no ISO text. */
export const MAX_TIME_MS = 8.64e15
/** A count that stays a safe integer when 4,096 of them are added up. */
export const MAX_COUNT = 2 ** 40

const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/

const rule = (words: string, problem: Rule['problem']): Rule => ({ words, problem })

export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // lib0 can read a key `__proto__`: its fields would appear, and JSON would not show them.
  return prototype === Object.prototype || prototype === null
}

/**
 * The reason why a value is not JSON of at most `bytes` with at most `depth` levels; null: it is.
 * Stops at the first fault, so a huge value costs no more than the limit allows. `loose` also
 * accepts values that JSON leaves out or changes: undefined, NaN, bytes.
 */
export const jsonProblem = (
  value: unknown,
  bytes: number,
  { depth = MAX_VALUE_DEPTH, loose = false } = {},
): string | null => {
  let left = bytes
  const look = (one: unknown, level: number): string | null => {
    if (typeof one === 'string') left -= 2 + (one.length > left ? one.length : byteLength(one))
    else left -= 4
    if (left < 0) return `is over the limit of ${bytes} bytes`
    if (one === null || typeof one === 'string' || typeof one === 'boolean') return null
    if (typeof one === 'number' && (loose || Number.isFinite(one))) return null
    if (loose && one === undefined) return null
    if (loose && one instanceof Uint8Array) {
      left -= one.length
      return left < 0 ? `is over the limit of ${bytes} bytes` : null
    }
    const isList = Array.isArray(one)
    if (!isList && !isPlainObject(one)) return 'has a value in it that JSON cannot hold'
    if (level >= depth) return `is nested deeper than ${depth} levels`
    if (isList) {
      for (const item of one) {
        const problem = look(item, level + 1)
        if (problem !== null) return problem
      }
      return null
    }
    for (const key of Object.keys(one)) {
      if (key === '__proto__') return 'has a key __proto__'
      const problem =
        look(key, level + 1) ?? (one[key] === undefined ? null : look(one[key], level + 1))
      if (problem !== null) return problem
    }
    return null
  }
  return look(value, 0)
}

export const json = (bytes: number, depth = MAX_VALUE_DEPTH): Rule =>
  rule(`JSON of at most ${bytes} bytes and ${depth} levels`, (value) =>
    jsonProblem(value, bytes, { depth }),
  )

export const text = (bytes: number): Rule =>
  rule(`text of at most ${bytes} bytes`, (value) => {
    if (typeof value !== 'string') return 'is not text'
    const fits = value.length * 3 <= bytes || (value.length <= bytes && byteLength(value) <= bytes)
    return fits ? null : `is over the limit of ${bytes} bytes`
  })

/** One line, which may be empty. */
export const line = (bytes: number): Rule => {
  const { words, problem } = text(bytes)
  return rule(words.replace('text', 'a line'), (value) => {
    const found = problem(value)
    if (found !== null) return found
    return CONTROLS.test(value as string) ? 'has a control character in it' : null
  })
}

/** Text that `test` accepts. */
export const syntax = (words: string, test: (text: string) => boolean): Rule =>
  rule(words, (value) => (typeof value === 'string' && test(value) ? null : `is not ${words}`))

/** Text without a fault that `problemOf` finds. */
export const checked = (words: string, problemOf: (text: string) => string | null): Rule =>
  rule(words, (value) => (typeof value === 'string' ? problemOf(value) : 'is not text'))

export const time = rule('a time (milliseconds since the epoch)', (value) =>
  typeof value === 'number' && value >= 0 && value <= MAX_TIME_MS ? null : 'is not a time',
)

export const count = (most = MAX_COUNT, least = 0): Rule =>
  rule(`a whole number from ${least} to ${most}`, (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? null
      : `is not a whole number from ${least} to ${most}`,
  )

export const oneOf = (...values: readonly unknown[]): Rule =>
  rule(values.map((value) => `\`${JSON.stringify(value)}\``).join(', '), (value) =>
    values.includes(value) ? null : `is not one of ${values.join(', ')}`,
  )

export const orNull = ({ words, problem }: Rule): Rule =>
  rule(`${words}, or null`, (value) => (value === null ? null : problem(value)))

export const list = (of: Rule, most: number): Rule =>
  rule(`at most ${most} of: ${of.words}`, (value) => {
    if (!Array.isArray(value)) return 'is not a list'
    if (value.length > most) return `has ${value.length} elements; the limit is ${most}`
    for (const [i, item] of value.entries()) {
      const problem = of.problem(item)
      if (problem !== null) return `has an element (${i}) that ${problem}`
    }
    return null
  })

/** A map from keys to values of one kind. */
export const table = (key: Rule, of: Rule, most: number): Rule =>
  rule(`object: ${key.words} → ${of.words}; at most ${most} entries`, (value) => {
    if (!isPlainObject(value)) return 'is not an object'
    const entries = Object.entries(value)
    if (entries.length > most) return `has ${entries.length} entries; the limit is ${most}`
    for (const [name, one] of entries) {
      const problem = key.problem(name) ?? of.problem(one)
      if (problem !== null) return `has an entry that ${problem}`
    }
    return null
  })

/** A rule for objects, with its table. */
export interface RecordRule extends Rule {
  readonly required: FieldRules
  readonly optional: FieldRules
}

/**
 * An object with these fields. Other fields are allowed, at most `extra` bytes of JSON in all: a
 * later version may have them.
 */
export const record = (
  required: FieldRules,
  optional: FieldRules = {},
  extra = MAX_EXTRA_BYTES,
): RecordRule => {
  const fields = [...Object.keys(required), ...Object.keys(optional).map((name) => `${name}?`)]
  const problem = (value: unknown): string | null => {
    if (!isPlainObject(value)) return 'is not an object'
    for (const name in required) {
      const found = required[name]!.problem(value[name])
      if (found !== null) return `${name} ${found}`
    }
    let others: Record<string, unknown> | null = null
    for (const name of Object.keys(value)) {
      if (value[name] === undefined || Object.hasOwn(required, name)) continue
      if (Object.hasOwn(optional, name)) {
        const found = optional[name]!.problem(value[name])
        if (found !== null) return `${name} ${found}`
      } else if (name === '__proto__') return 'has a key __proto__'
      else {
        others ??= {}
        others[name] = value[name]
      }
    }
    const found = others === null ? null : jsonProblem(others, extra)
    return found === null ? null : `has fields that are not in its table: all of them ${found}`
  }
  return { words: `\`{${fields.join(', ')}}\``, problem, required, optional }
}

/** Objects of several kinds; a field tells the kind. */
export const byField = (field: string, kinds: Readonly<Record<string, RecordRule>>): Rule => ({
  words: Object.entries(kinds)
    .map(([kind, { words }]) => words.replace('{', `{${field}: '${kind}', `))
    .join('; '),
  problem: (value) => {
    if (!isPlainObject(value)) return 'is not an object'
    const kind = value[field]
    const known = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
    if (known === undefined) return `${field} is not one of ${Object.keys(kinds).join(', ')}`
    const { [field]: _, ...rest } = value
    return known.problem(rest)
  },
  kinds,
})

/** Returns a value that follows the rule. Throws `invalid` with `what` and the fault. */
export const must = <T>({ problem }: Rule, value: T, what: string): T => {
  const found = problem(value)
  if (found === null) return value
  throw new ClawError('invalid', `${what}: ${found}`, 'docs/SCHEMA.md says what may stand there')
}
