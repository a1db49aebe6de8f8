import { ClawError } from '../../protocol/errors.ts'
import { didYouMean } from '../text/suggest.ts'
import { parseSpan } from '../text/when.ts'
import type { Flag, Flags } from './spec.ts'
import type { ChoiceType, NumberType, SpanType, ValueType } from './value-types.ts'

/** A command line, understood. */
export interface Given {
  /** The flags that it could have. */
  flags: Flags
  /** As typed, by a flag's long name; all are of their flag's type. */
  values: ReadonlyMap<string, string>
  has: ReadonlySet<string>
}

const DAY_MS = 86_400_000
const SIZES: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
}

/** Longest part of a wrong value that an error repeats (characters). */
const MAX_SHOWN = 60

const shown = (value: string): string =>
  value.length <= MAX_SHOWN ? value : `${value.slice(0, MAX_SHOWN)}…`

const parseNumber = (value: string, type: NumberType): number | null => {
  const { suffix, decimals, least, most } = type
  const digits = suffix !== undefined && value.endsWith(suffix) ? value.slice(0, -1) : value
  const [, fraction = ''] = /^\d{1,15}(?:\.(\d+))?$/.exec(digits) ?? []
  const parsed = /^\d[\d.]*$/.test(digits) ? Number(digits) : Number.NaN
  return fraction.length <= decimals && parsed >= least && parsed <= most ? parsed : null
}

const parseSize = (value: string): number | null => {
  const [, digits, unit = ''] = /^(\d{1,12})([kmgt]?)(?:i?b)?$/i.exec(value) ?? []
  return digits === undefined ? null : Number(digits) * SIZES[unit.toLowerCase()]!
}

/** A limit above this is not worth naming in an error. */
const HUGE = 9_999_999

const rangeText = ({ least, most }: NumberType): string => {
  if (most < HUGE) return ` from ${least} to ${most}`
  if (least === 0) return ''
  return least < 1 ? ' above 0' : ` from ${least} on`
}

const wrongNumber = (called: string, value: string, type: NumberType, like: string): ClawError => {
  const what = type.unit === undefined ? 'a number' : `a number of ${type.unit}`
  const message = `${called} ${shown(value)} is not ${what}${rangeText(type)}`
  return new ClawError('usage', message, like)
}

const checkChoice = (called: string, value: string, { words, isList }: ChoiceType): void => {
  const wrong = (isList ? value.split(',') : [value]).find((one) => !words.includes(one))
  if (wrong === undefined) return
  const all = `one of: ${words.join(', ')}`
  const near = didYouMean(wrong, words)
  const hint = near.split(',').length < words.length ? `${near} ${all}` : all
  throw new ClawError('usage', `"${shown(wrong)}" is not a value of ${called}`, hint.trim())
}

const checkSpan = (called: string, value: string, { mostDays }: SpanType): void => {
  const ms = parseSpan(value)
  if (ms === null || ms < 1_000) {
    const message = `${called} ${shown(value)} is not a time span`
    throw new ClawError('usage', message, `like: ${called} 7d, 12h, 30m`)
  }
  if (ms > mostDays * DAY_MS) {
    throw new ClawError('usage', `${called} ${value} is too long`, `at most ${mostDays}d`)
  }
}

const check = (called: string, value: string, type: ValueType, like: string): void => {
  if (type.kind === 'choice' && !type.isOpen) checkChoice(called, value, type)
  if (type.kind === 'span') checkSpan(called, value, type)
  if (type.kind === 'number' && parseNumber(value, type) === null) {
    throw wrongNumber(called, value, type, like)
  }
  if (type.kind === 'size' && parseSize(value) === null) {
    throw new ClawError('usage', `${called} ${shown(value)} is not a size`, `like: ${called} 500m`)
  }
}

/** A number for a hint: the default, if that is one, else one in the range. */
const exampleOf = ({ otherwise, type }: Flag): string => {
  if (otherwise !== undefined && /^[1-9]/.test(otherwise)) return otherwise
  if (type?.kind !== 'number') return ''
  return String(type.unit === 'seconds' ? 60 : Math.min(type.most, Math.max(type.least, 3)))
}

/** Throws `usage` for a value that is not of the flag's type; `called`: the flag, or the variable that sets it. */
export const checkValue = (called: string, flag: Flag, value: string): void => {
  const { type, or, optional } = flag
  if (type === undefined || value === or || (optional && value === '')) return
  check(
    called,
    value,
    type,
    `like: ${called}${called.startsWith('--') ? ' ' : '='}${exampleOf(flag)}`,
  )
}

/** With the values of environment variables for flags that were not given. Throws `usage`. */
export const withEnvironment = (
  { flags, values, has }: Given,
  env: Readonly<Record<string, string | undefined>>,
): Given => {
  const all = new Map(values)
  for (const [name, flag] of Object.entries(flags)) {
    const value = flag.env === undefined ? undefined : env[flag.env]
    if (!value || all.has(name)) continue
    checkValue(flag.env!, flag, value)
    all.set(name, value)
  }
  return { flags, values: all, has }
}

const typed = <K extends ValueType['kind']>(
  { flags, values }: Given,
  name: string,
  kind: K,
): { value: string; type: Extract<ValueType, { kind: K }> } | null => {
  const value = values.get(name)
  const type = flags[name]?.type
  if (value === undefined || value === '' || value === flags[name]?.or) return null
  if (type?.kind !== kind) throw new Error(`--${name} is not declared as a ${kind}`)
  return { value, type: type as Extract<ValueType, { kind: K }> }
}

/** The number that a flag was given; undefined if it was not, or has no value, or another word in its place. */
export const numberIn = (given: Given, name: string): number | undefined => {
  const found = typed(given, name, 'number')
  return found === null ? undefined : (parseNumber(found.value, found.type) ?? undefined)
}

/** Milliseconds; undefined if the flag was not given, or another word in its place. */
export const spanIn = (given: Given, name: string): number | undefined => {
  const found = typed(given, name, 'span')
  return found === null ? undefined : (parseSpan(found.value) ?? undefined)
}

/** Bytes; undefined if the flag was not given. */
export const sizeIn = (given: Given, name: string): number | undefined => {
  const found = typed(given, name, 'size')
  return found === null ? undefined : (parseSize(found.value) ?? undefined)
}

/** The word of `words` that a flag was given; undefined if it was not. `words`: those of the flag's table. */
export const choiceIn = <T extends string>(
  { values }: Given,
  name: string,
  words: readonly T[],
): T | undefined => words.find((one) => one === values.get(name))
