import { postUndo } from '../../../client/http/undo.ts'
import type { LineRange } from '../../../lib/merge/edits.ts'
import { oneLine } from '../../../lib/text/visible.ts'
import { parseSpan } from '../../../lib/text/when.ts'
import * as inputs from '../../../workspace/actions/inputs/undo.ts'
import type { UndoneFile } from '../../../workspace/authorship/undo-report.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
import { linesText } from '../../../workspace/inbox/conflicts.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { path, who } from '../../command/text.ts'
import { checkWrites, WorkspaceSession } from '../../command/workspace-session.ts'
import { settle } from '../files/checkpoint.ts'

/** Ranges of lines that a line of output names (count). */
const MOST_RANGES = 8

/** Undoes what an agent did, what was done for a task or since a time. The server does it: it knows the authors. */
export const undo: Verb = async (call) => {
  const input = inputOf(call, inputs.undo)
  checkWrites(call)
  const team = await WorkspaceSession.open(call, false)
  const by = team.me()
  await settle(team)
  const { key } = call.idempotencyKey()
  const span = input.since === undefined ? null : parseSpan(input.since)
  const asked = call.request.at + team.clockOffset
  const since = span === null ? {} : { since: isoTime(asked - span) }
  const done = await postUndo(call.target, call.workspace, { ...input, ...since, by }, key)
  const name = (id: string): string => (id === '?' ? 'somebody' : who(team.doc, id))
  const { files, undo: id, dry_run } = done
  for (const file of files) call.notes.push(...notesOf(file, name))
  if (files.length === 0) call.notes.push('there is nothing to undo')
  if (dry_run) {
    const content = files.map(({ diff }) => diff ?? '').join('')
    if (files.some(({ diff }) => diff === null))
      call.notes.push('some diffs are left out: give --key')
    return { data: { ...done }, lines: [], content }
  }
  return {
    data: { ...done },
    lines: [
      ...shortList(
        files.map((file) => [lineOf(file)]),
        { how: 'undo --json' },
      ),
      ...(id === null ? [] : [`undone; undo --id ${id} takes it back`]),
    ],
  }
}

const lineOf = ({ file_key, version, removed, restored, lines }: UndoneFile): string => {
  const done =
    lines.length === 0
      ? 'nothing changes'
      : `${removed} characters taken out, ${restored} put back, at ${rangesText(lines)}`
  return oneLine(`${path(file_key)} version ${version}: ${done}`)
}

const rangesText = (lines: readonly LineRange[]): string => {
  const shown = lines.slice(0, MOST_RANGES).map(linesText).join(', ')
  return lines.length > MOST_RANGES ? `${shown} and ${lines.length - MOST_RANGES} more` : shown
}

const notesOf = (
  { file_key, overlaps, lost }: UndoneFile,
  name: (id: string) => string,
): string[] => [
  ...overlaps.map(({ by, ...lines }) =>
    oneLine(`overlap in ${path(file_key)}, ${linesText(lines)}, with ${by.map(name).join(', ')}`),
  ),
  ...(lost === 0
    ? []
    : [`${lost} characters of ${path(file_key)} cannot come back: they are not kept any more`]),
]
