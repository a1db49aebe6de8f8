import { parseIso, parseSpan } from '../../../lib/text/when.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { MAX_LIST_LENGTH, MAX_NAME_BYTES } from '../../../protocol/limits.ts'
import type { Json } from '../../document/schema.ts'

/** The values of one field. Sizes are UTF-16 units; the action itself checks bytes. */
export type Shape =
  | { kind: 'text'; least: number; most?: number }
  /** A name, an id or a topic. */
  | { kind: 'name'; least: number; most: number }
  /** The path of a shared file. */
  | { kind: 'path' }
  | { kind: 'list'; most: number; of?: Shape }
  | { kind: 'json' }
  | { kind: 'choice'; words: readonly string[] }
  | { kind: 'number'; least: number; most: number; hasFraction?: true }
  | { kind: 'yes' }
  /** An ISO time; on a command line also a time span, counted from when the command was given. */
  | { kind: 'moment' }
  /** The SHA-256 of bytes, in hex. */
  | { kind: 'blob' }
  | { kind: 'object'; fields: Fields }

/**
 * One field of an action's input. HTTP bodies, their OpenAPI schemas, flags and the reading of flags are made from it. JSON
 * has the field under its own name, a command line as a flag with dashes. Fields are plain data: the table of verbs loads
 * them at every start, so these files import nothing of Yjs.
 */
export interface Field<T> {
  readonly shape: Shape
  /** The purpose of the field: help of the flag, description in OpenAPI. */
  readonly what?: string
  /** Stands for its value in usage and help; absent: as its shape says. */
  readonly word?: string
  /** The name of its flag; absent: its own, with dashes. */
  readonly flag?: string
  /** Its place among the values that a command line takes without their flags; the first is 1. Absent: only by its flag. */
  readonly operand?: number
  readonly isOptional?: true
  readonly otherwise?: T
  /** For the compiler only: the type of the value. */
  readonly holds?: T
}

export type Fields = Readonly<Record<string, Field<unknown>>>

type Held<F> = F extends Field<infer T> ? T : never
type OptionalNames<F extends Fields> = {
  [K in keyof F]: F[K] extends { readonly isOptional: true } ? K : never
}[keyof F]

/** The values of fields. An optional one may be absent; one with a default is always there. */
export type InputOf<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalNames<F>>]: Held<F[K]>
} & { readonly [K in OptionalNames<F>]?: Held<F[K]> | undefined }

export const optional = <T>(field: Field<T>): Field<T> & { readonly isOptional: true } => ({
  ...field,
  isOptional: true,
})
export const withDefault = <T>(field: Field<T>, otherwise: T): Field<T> => ({ ...field, otherwise })

/** The same field, with what it is for and the word for its value. */
export const about = <F extends Field<unknown>>(field: F, what: string, word?: string): F => ({
  ...field,
  what,
  ...(word !== undefined && { word }),
})

/** The same field under another name on a command line. */
export const flagged = <F extends Field<unknown>>(field: F, flag: string): F => ({ ...field, flag })

/** The same field, which a command line also takes without its flag, as its `place`th value. */
export const operand = <F extends Field<unknown>>(field: F, place: number): F => ({
  ...field,
  operand: place,
})

/** The flag of a field of an action's input: `reply_to` is `--reply-to`. */
export const flagName = (name: string, { flag }: Field<unknown>): string =>
  flag ?? name.replaceAll('_', '-')

/** Any text, also an empty one. */
export const text = (most?: number): Field<string> => ({
  shape: { kind: 'text', least: 0, ...(most !== undefined && { most }) },
})
/** A text with something in it. */
export const words: Field<string> = { shape: { kind: 'text', least: 1 } }
export const name: Field<string> = { shape: { kind: 'name', least: 1, most: MAX_NAME_BYTES } }
/** An agent, by name or id. */
export const agent: Field<string> = { ...name, word: 'AGENT' }
/** The id of a task. */
export const task: Field<string> = { ...name, word: 'TASK' }
/** The id of a message. */
export const message: Field<string> = { ...name, word: 'ID' }
export const topic: Field<string> = {
  shape: { kind: 'name', least: 0, most: MAX_NAME_BYTES },
  word: 'TOPIC',
}
export const path: Field<string> = {
  shape: { kind: 'path' },
  what: 'the path of the shared file, like notes/plan.md',
  word: 'KEY',
}
export const labels: Field<string[]> = { shape: { kind: 'list', most: MAX_LIST_LENGTH } }
export const names: Field<string[]> = {
  shape: { kind: 'list', most: MAX_LIST_LENGTH, of: name.shape },
}
export const json: Field<Json> = { shape: { kind: 'json' } }
export const choice = <const W extends string>(options: readonly W[]): Field<W> => ({
  shape: { kind: 'choice', words: options },
})
export const number = (least: number, most: number): Field<number> => ({
  shape: { kind: 'number', least, most },
})
/** A list of the values of a field. */
export const manyOf = <T>(field: Field<T>, most: number): Field<T[]> => ({
  shape: { kind: 'list', most, of: field.shape },
})
export const object = <F extends Fields>(fields: F): Field<InputOf<F>> => ({
  shape: { kind: 'object', fields },
})
/** False where it is not given. */
export const yes: Field<boolean> = { shape: { kind: 'yes' }, otherwise: false }
/** Begins a new chain of messages. */
export const resetTrace: Field<boolean> = {
  ...yes,
  what: 'begin a new chain of answers, if the old one is too long',
}
export const moment: Field<string> = { shape: { kind: 'moment' } }
export const blob: Field<string> = { shape: { kind: 'blob' } }

export const LIKE_A_TIME = 'like 2030-01-31T12:00:00Z'

/** Throws `usage` for a text that is neither a time span nor a time. */
export const checkMoment = (typed: string): void => {
  if (parseSpan(typed) !== null || !Number.isNaN(parseIso(typed))) return
  throw new ClawError('usage', `"${typed}" is not a time I understand`, LIKE_A_TIME)
}
