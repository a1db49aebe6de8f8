import { counted } from '../../lib/text/count.ts'
import { type FormSpec, flag, line, question } from './form-spec.ts'

/** Files of which a question tells (count). */
const MAX_TOLD = 12

/** The first lines of a note, and the number of the rest. */
export const someLines = (lines: readonly string[]): string =>
  lines.length <= MAX_TOLD
    ? lines.join('\n')
    : [...lines.slice(0, MAX_TOLD - 1), `… and ${lines.length - MAX_TOLD + 1} more`].join('\n')

interface Restoration {
  restored: readonly {
    file_key: string
    change: 'added' | 'removed' | 'changed' | 'moved'
    added_lines?: number
    removed_lines?: number
  }[]
  skipped: readonly { file_key: string; why: string }[]
}

const FUTURE = {
  added: 'comes back',
  removed: 'is removed',
  changed: 'is restored',
  moved: 'moves back',
} as const

/** The changes that a restore would make, from the answer of its dry run. */
export const restoreNote = (data: unknown): string => {
  const { restored, skipped } = data as Restoration
  const lines = restored.map(({ file_key, change, added_lines, removed_lines }) => {
    const size = added_lines === undefined ? '' : `, +${added_lines} -${removed_lines ?? 0} lines`
    return `${file_key} ${FUTURE[change] ?? change}${size}`
  })
  const kept = skipped.map(({ file_key, why }) => `${file_key} stays as it is: ${why}`)
  if (lines.length === 0) return someLines(['All files are as they were.', ...kept])
  return someLines([`${counted(lines.length, 'file')} would change:`, ...lines, ...kept])
}

/** The first word of a subject, and the rest. */
const parted = (subject: string): [string, string] => {
  const at = subject.indexOf(' ')
  return [subject.slice(0, at), subject.slice(at + 1)]
}

/** Forms about versions and checkpoints; a part of `FORMS`. */
export const PAST_FORMS = {
  checkpoint: {
    title: () => 'Name the state of all files as it is now',
    fields: () => [line('name', 'Name', { needed: true }), line('note', 'Note')],
    run: ({ name, note }) => ({
      argv: ['checkpoint', ...flag('name', name), ...flag('note', note)],
      done: `checkpoint ${name?.trim()} made`,
    }),
  },
  restore: question(
    (about) => `Make all files what they were at ${about}?`,
    (name) => ({ argv: ['restore', `--name=${name}`], done: `all files are as at ${name}` }),
  ),
  'restore-version': question(
    (about) => `Make ${parted(about)[1]} what it was in version ${parted(about)[0]}?`,
    (subject) => {
      const [version, path] = parted(subject)
      const argv = ['file-restore', `--key=${path}`, `--version=${version}`]
      return { argv, done: `${path} is as in version ${version}` }
    },
  ),
  'restore-file': question(
    (about) => `Make ${parted(about)[1]} what it was at ${parted(about)[0]}?`,
    (subject) => {
      const [checkpoint, path] = parted(subject)
      const argv = ['file-restore', `--key=${path}`, `--checkpoint=${checkpoint}`]
      return { argv, done: `${path} is as at ${checkpoint}` }
    },
  ),
} as const satisfies Record<string, FormSpec>
