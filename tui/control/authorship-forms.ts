import { undoArgv } from '../views/undo.ts'
import { body, type FormSpec, none, question, text, withBody } from './form-spec.ts'

/** The suggestion and the hunk of a subject such as `s-3#2`; without a hunk it is about all that wait. */
const parted = (subject: string): [string, string | undefined] => {
  const at = subject.lastIndexOf('#')
  return at < 0 ? [subject, undefined] : [subject.slice(0, at), subject.slice(at + 1)]
}

/** Forms about suggestions and undo; a part of `FORMS`. */
export const AUTHORSHIP_FORMS = {
  accept: {
    title: (about) => `Accept ${about}`,
    fields: none,
    run: (_, subject) => {
      const [id, hunk] = parted(subject)
      const hunks = hunk === undefined ? [] : [`--hunks=${hunk}`]
      const done = hunk === undefined ? `${id} accepted` : `hunk ${hunk} of ${id} accepted`
      return { argv: ['file-accept', `--id=${id}`, ...hunks], done }
    },
  },
  reject: {
    title: (about) => `Reject ${about}`,
    fields: () => [text('reason', 'Reason', { needed: true })],
    run: ({ reason }, subject) => {
      const [id, hunk] = parted(subject)
      const hunks = hunk === undefined ? [] : [`--hunks=${hunk}`]
      const done = hunk === undefined ? `${id} rejected` : `hunk ${hunk} of ${id} rejected`
      return withBody(['file-reject', `--id=${id}`, ...hunks], body('reason', reason), done)
    },
  },
  'take-back': question(
    (about) => `Take back ${about}?`,
    (subject) => ({
      ...{ argv: undoArgv(subject), done: 'taken back' },
      hintOf: (data) => {
        const { undo } = data as { undo: string | null }
        return undo === null ? '' : `:take-back ${undo} takes that back`
      },
    }),
  ),
} as const satisfies Record<string, FormSpec>
