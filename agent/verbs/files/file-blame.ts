import { getBlame } from '../../../client/http/api.ts'
import type { BlameRange, ShownOrigin } from '../../../workspace/authorship/blame.ts'
import type { Deleted } from '../../../workspace/authorship/deleted.ts'
import { parseLines } from '../../../workspace/files/file-edit.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { idText, path, safeJson, who } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** Characters of a text that a line shows. */
const MOST_SHOWN = 60

export const fileBlame: Verb = async (call) => {
  const key = call.flag('key')!
  const lines = call.flag('lines')
  const wanted = lines === undefined ? null : parseLines(lines)
  // Changes written offline are sent first. Only the server knows the authors.
  const team = await WorkspaceSession.open(call, false)
  await team.confirm()
  const blame = await getBlame(call.target, call.workspace, {
    key,
    ...(wanted !== null && { from_line: String(wanted.from), to_line: String(wanted.to) }),
    ...(call.has('deleted') && { deleted: 'true' }),
  })
  const { file_key, version, ranges, deleted, more } = blame
  const name = (id: string) => who(team.doc, id)
  if (deleted !== undefined) {
    if (deleted.length === 0) call.notes.push('nothing is deleted, as far as the server knows')
    if (more) call.notes.push('there are older deletions: name the --lines')
  } else if (ranges.length === 0) call.notes.push('there are no such lines')
  const entries =
    deleted === undefined
      ? ranges.map((range) => rangeLines(range, name))
      : deleted.map((one) => [deletedLine(one, name)])
  return {
    data: { ...blame },
    lines: [
      `${path(file_key)} version ${version}`,
      ...shortList(entries, { how: 'name the --lines, or use --json' }),
    ],
  }
}

const rangeLines = (range: BlameRange, name: (id: string) => string): string[] => {
  const { from_line, to_line, parts = [] } = range
  const lines = from_line === to_line ? `line ${from_line}` : `lines ${from_line}-${to_line}`
  return [
    `${lines}  ${originText(range, name)}`,
    ...parts.map((part) => {
      const { from_column: from, to_column: to, text } = part
      const columns = from === to ? `column ${from}` : `columns ${from}-${to}`
      return `  ${columns}  ${originText(part, name)}  ${shownText(text)}`
    }),
  ]
}

const deletedLine = (one: Deleted, name: (id: string) => string): string => {
  const { line, author_id, text, length } = one
  const words = text === null ? `${length} characters, not kept` : shownText(text)
  const of = author_id === one.agent_id ? 'their own' : `of ${name(author_id)}`
  return `line ${line}  deleted by ${originText(one, name)}  ${of}  ${words}`
}

const originText = (
  { agent_id, task_id, via, at }: ShownOrigin,
  name: (id: string) => string,
): string =>
  [
    name(agent_id),
    ...(task_id === null ? [] : [`task ${idText(task_id)}`]),
    ...(via === null ? [] : [`via ${name(via)}`]),
    at ?? 'time unknown',
  ].join('  ')

const shownText = (text: string): string =>
  safeJson(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text)
