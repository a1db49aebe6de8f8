/** Types of flag values. The reader rejects a value of another type. */
export type ValueType =
  | { kind: 'text'; stdin?: true }
  /** A name, an id or an address. */
  | { kind: 'name'; stdin?: true }
  | { kind: 'json' }
  | { kind: 'file'; stdin?: true }
  | { kind: 'folder' }
  /** Words separated by commas. */
  | { kind: 'list' }
  | ChoiceType
  | NumberType
  | SpanType
  /** Bytes, such as 500m. */
  | { kind: 'size' }

export interface ChoiceType {
  kind: 'choice'
  words: readonly string[]
  /** Several of them, separated by commas. */
  isList?: true
  /** Other spellings exist: the words are offered, and the command checks the value. */
  isOpen?: true
}

export interface NumberType {
  kind: 'number'
  least: number
  most: number
  /** Digits allowed after the point. */
  decimals: number
  unit?: string
  /** May follow the digits. */
  suffix?: string
}

/** A time span such as 30m, 2h, 7d; at least a second. */
export interface SpanType {
  kind: 'span'
  mostDays: number
}

const text = { kind: 'text' } as const
const name = { kind: 'name' } as const
const list = { kind: 'list' } as const
const size = { kind: 'size' } as const
const file = { kind: 'file' } as const
const folder = { kind: 'folder' } as const

/** `-` reads stdin. */
const textOrStdin = { kind: 'text', stdin: true } as const
const nameOrStdin = { kind: 'name', stdin: true } as const
const fileOrStdin = { kind: 'file', stdin: true } as const
const json = { kind: 'json' } as const

const oneOf = (words: readonly string[]): ChoiceType => ({ kind: 'choice', words })
const someOf = (words: readonly string[]): ChoiceType => ({ ...oneOf(words), isList: true })
/** Offers words to a command that knows other spellings of them and checks the value itself. */
const suggested = (choice: ChoiceType): ChoiceType => ({ ...choice, isOpen: true })

const number = (
  least: number,
  most: number,
  more: Partial<Pick<NumberType, 'decimals' | 'unit' | 'suffix'>> = {},
): NumberType => ({ kind: 'number', least, most, decimals: 0, ...more })
/** A number from 1 on. */
const count = number(1, 999_999_999_999_999)
/** Seconds, down to milliseconds. */
const seconds = (least = 0, most = 9_999_999.999): NumberType =>
  number(least, most, { decimals: 3, unit: 'seconds' })
const span = (mostDays: number): SpanType => ({ kind: 'span', mostDays })

/** The types of flags, as tables name them. */
export const types = {
  ...{ text, textOrStdin, name, nameOrStdin, json, list, size, file, fileOrStdin, folder },
  ...{ oneOf, someOf, suggested, number, count, seconds, span },
} as const

/** Placeholders in help and usage, for flags that name none. */
const PLACEHOLDERS: Readonly<Record<Exclude<ValueType['kind'], 'choice' | 'number'>, string>> = {
  text: 'TEXT',
  name: 'NAME',
  json: 'JSON',
  file: 'PATH',
  folder: 'DIR',
  list: 'a,b',
  span: 'SPAN',
  size: 'SIZE',
}

export const placeholderOf = (type: ValueType): string => {
  if (type.kind === 'choice') return type.words.join('|')
  if (type.kind === 'number') return type.unit?.toUpperCase() ?? 'N'
  return PLACEHOLDERS[type.kind]
}

/** True if `-` as its value means stdin. */
export const readsStdin = (type: ValueType): boolean =>
  type.kind === 'json' || ('stdin' in type && type.stdin === true)
