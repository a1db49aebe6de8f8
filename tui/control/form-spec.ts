import type { FileKey } from '../../protocol/ids.ts'
import type { Snapshot } from '../model/snapshot.ts'
import type { FormField } from '../model/state.ts'
import { lineOf } from '../terminal/line.ts'

/**
 * A form makes the command line of a clawlink-agent verb, and nothing else. Rules stand in the
 * verbs; the form shows their errors.
 */
export interface Run {
  argv: readonly string[]
  stdin?: string
  /** Shown after the verb succeeded. */
  done: string
  hint?: string
  /** The hint, where it depends on the answer. */
  hintOf?: (data: unknown) => string
  /** The file that was made is picked and opened then. */
  opens?: true
  /** This file was removed then, and can be brought back. */
  removes?: FileKey
}

export type Values = Readonly<Record<string, string>>

export interface FormSpec {
  title: (about: string) => string
  /** Shown before the form is sent. */
  note?: (snapshot: Snapshot, subject: string) => string
  fields: (snapshot: Snapshot, subject: string) => readonly FormField[]
  /** Null: there is nothing to do. */
  run: (values: Values, subject: string, snapshot: Snapshot) => Run | null
}

export const line = (name: string, label: string, more: Partial<FormField> = {}): FormField => ({
  ...{ name, label, kind: 'line', line: lineOf('') },
  ...more,
})

export const text = (name: string, label: string, more: Partial<FormField> = {}): FormField =>
  line(name, label, { kind: 'text', ...more })

export const choice = (
  name: string,
  label: string,
  choices: readonly string[],
  chosen = choices[0]!,
) => line(name, label, { kind: 'choice', choices, line: lineOf(chosen) })

/** A flag and its value in one word, so that a value may begin with a dash. No flag for an empty value. */
export const flag = (name: string, value: string | undefined): string[] =>
  value === undefined || value.trim() === '' ? [] : [`--${name}=${value.trim()}`]

/** The body of a command goes by stdin: no length or first character matters. */
export const body = (
  name: string,
  value: string | undefined,
): { argv: string[]; stdin?: string } =>
  value === undefined || value.trim() === ''
    ? { argv: [] }
    : { argv: [`--${name}`, '-'], stdin: value }

export const withBody = (
  argv: readonly string[],
  { argv: more, stdin }: { argv: string[]; stdin?: string },
  done: string,
): Run => ({ argv: [...argv, ...more], ...(stdin !== undefined && { stdin }), done })

/** A question of yes or no, and the command if it is yes. */
export const question = (title: FormSpec['title'], run: (subject: string) => Run): FormSpec => ({
  title,
  fields: () => [choice('sure', 'Do it?', NO_YES)],
  run: ({ sure }, subject) => (sure === 'yes' ? run(subject) : null),
})

export const none = (): readonly FormField[] => []

/** A question for yes or no; whoever only presses enter has said no. */
export const NO_YES: readonly string[] = ['no', 'yes']
