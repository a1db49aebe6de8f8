import { ClawError } from '../../protocol/errors.ts'
import type { Json } from './schema.ts'
import { MAX_VALUE_DEPTH } from './values.ts'

/** Reads JSON without loss: rejects values that JavaScript would change or drop. */

const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const COLON = /\s*:/y
const HALF = /\p{Surrogate}/u
/** Characters of a text that an error shows. */
const SHOWN = 40

/**
 * Reads JSON with at most `depth` levels of arrays and objects; `what` names the text in errors.
 * Throws `bad_json` for text that is not JSON, and for values that JavaScript would not keep:
 * rounded numbers, lone surrogates, duplicate keys, the key `__proto__`.
 */
export const readJsonText = (
  text: string,
  what: string,
  { depth = MAX_VALUE_DEPTH, like = '' } = {},
): Json => {
  // Tools on Windows begin a file with a byte order mark.
  const json = text.startsWith('\ufeff') ? text.slice(1) : text
  const problem = problemIn(json, depth)
  if (problem !== null) throw new ClawError('bad_json', `${what}: ${problem[0]}`, problem[1])
  try {
    return JSON.parse(json) as Json
  } catch (cause) {
    throw new ClawError('bad_json', `${what} is not JSON: ${(cause as Error).message}`, like)
  }
}

type Problem = readonly [what: string, next: string]

/**
 * The fault that JSON.parse would hide in a text that is JSON; null: none was found. Never
 * recurses.
 */
const problemIn = (text: string, most: number): Problem | null => {
  /** The keys so far of each object that is open. */
  const open: Set<string>[] = []
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!
    if (char === '"') {
      const end = endOfString(text, at)
      const problem = stringProblem(text, at, end, open.at(-1))
      if (problem !== null) return problem
      at = end
    } else if (char === '{' || char === '[') {
      open.push(new Set())
      if (open.length > most) {
        return [
          `it is nested deeper than ${most} levels`,
          'put it into a shared file, or flatten it',
        ]
      }
    } else if (char === '}' || char === ']') {
      open.pop()
    } else if (char >= '0' && char <= '9') {
      NUMBER.lastIndex = at
      const [number] = NUMBER.exec(text)!
      if (!isExact(number)) {
        const shown = number.length > SHOWN ? `${number.slice(0, SHOWN)}…` : number
        return [`the number ${shown} would be rounded`, `put it in quotes: "${shown}"`]
      }
      at += number.length - 1
    }
  }
  return null
}

const stringProblem = (
  text: string,
  at: number,
  end: number,
  keys: Set<string> | undefined,
): Problem | null => {
  const string = stringIn(text.slice(at, end + 1))
  if (string === null) return null
  const shown = JSON.stringify(string.slice(0, SHOWN))
  if (HALF.test(string)) {
    return [`the text ${shown} has half a character in it`, 'write both halves of \\ud83d\\ude00']
  }
  COLON.lastIndex = end + 1
  if (keys === undefined || !COLON.test(text)) return null
  if (string === '__proto__') return ['the key "__proto__" cannot be kept', 'use another key']
  if (keys.has(string)) return [`the key ${shown} is there twice`, 'keep one of the two']
  keys.add(string)
  return null
}

/** Offset at which the string that begins at `at` ends. */
const endOfString = (text: string, at: number): number => {
  for (let end = at; ; ) {
    end = text.indexOf('"', end + 1)
    if (end < 0) return text.length
    let slashes = 0
    while (text[end - 1 - slashes] === '\\') slashes++
    if (slashes % 2 === 0) return end
  }
}

/** Null: it is not JSON. */
const stringIn = (token: string): string | null => {
  if (!token.includes('\\')) return token.slice(1, -1)
  try {
    return JSON.parse(token) as string
  } catch {
    return null
  }
}

/**
 * Tells whether JavaScript keeps the value of a number, whatever zeros and exponent it was written
 * with.
 */
const isExact = (number: string): boolean => {
  const value = Number(number)
  return Number.isFinite(value) && digitsOf(String(value)) === digitsOf(number)
}

/** `12.50` and `1.25e1` are both `125e-1`. */
const digitsOf = (number: string): string => {
  const [, whole = '', part = '', exponent = '0'] = /^(\d+)(?:\.(\d+))?(?:[eE](.+))?$/.exec(number)!
  const digits = (whole + part).replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (kept === '') return '0'
  return `${kept}e${Number(exponent) - part.length + digits.length - kept.length}`
}
