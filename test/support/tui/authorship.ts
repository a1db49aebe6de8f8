import { isoTime } from '../../../workspace/document/schema.ts'

const BOB = 'a-000000000002'
const LEAD = 'a-000000000001'

/** A suggestion of three hunks, of which the first is accepted and the last no longer applies, and one that has ended. */
export const suggestionAnswers = (now: number) => {
  const open = {
    ...{ suggestion_id: 's-3', file_key: 'notes.md', by: BOB, at: isoTime(now - 7_200_000) },
    ...{ base_version: 4, note: 'the words of the field\nand nothing else', task: 't-7' },
    ...{ approve_by: LEAD, state: 'open', hunks: 3, waiting: 2, conflicts: 1 },
  }
  const ended = {
    ...{ suggestion_id: 's-2', file_key: 'docs/a.md', by: LEAD, at: isoTime(now - 90_000_000) },
    ...{ base_version: 1, note: '', task: null, approve_by: null, state: 'rejected' },
    ...{ hunks: 1, waiting: 0, conflicts: 0 },
  }
  const changes = [
    { hunk: 1, state: 'accepted', line: 1, old: 'one\n', new: 'uno\n' },
    { hunk: 2, state: 'moved', line: 14, old: 'two\n2\n', new: 'due\n' },
    { hunk: 3, state: 'conflict', line: 30, old: '', new: `${'a very long line '.repeat(20)}\n` },
  ]
  const decisions = [
    {
      ...{ by: LEAD, at: isoTime(now - 60_000), verdict: 'accepted', hunks: [1], reason: '' },
      version: 6,
    },
  ]
  return (argv: readonly string[]): unknown =>
    argv.some((word) => word.startsWith('--id='))
      ? { suggestion: { ...open, changes, decisions } }
      : { suggestions: [ended, open], count: 2 }
}

/** What taking back the work of an agent would do, or did. */
export const undoAnswer = (isDry: boolean) => ({
  undo: isDry ? null : 'u-123',
  dry_run: isDry,
  files: [
    {
      ...{ file_key: 'notes.md', version: 9, removed: 120, restored: 4, lost: 2 },
      lines: [{ from_line: 3, to_line: 9 }],
      overlaps: [{ from_line: 4, to_line: 4, by: [LEAD, '?'] }],
      ...(isDry && { diff: '--- a\n+++ b\n@@ -3 +3 @@\n-by Scout\n+as before\n' }),
    },
    {
      ...{ file_key: 'big.md', version: 2, removed: 1, restored: 0, lost: 0 },
      ...{ lines: [], overlaps: [], diff: null },
    },
  ],
})
