import { shorten } from '../../lib/text/shorten.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { findEntry, getTask } from '../../workspace/tasks/tasks.ts'
import { keyLabel } from '../model/commands.ts'
import { EDITOR_KEYS } from '../model/editor-keys.ts'
import { ago } from '../model/frame.ts'
import { cellsOf } from '../text/cells.ts'
import { fitText } from '../text/display.ts'
import { fitRow, type Row, rowWidth, said, seg, spread } from '../ui/rows.ts'
import { typedRow } from '../views/overlays.ts'
import { authorRuns, tokenAt } from './authors.ts'
import type { EditorSession } from './session.ts'
import { lineAround } from './steps.ts'

/** So far from the beginning of a line (units) its characters are not counted one by one. */
const COUNTED_UNITS = 4096

/** Units of a task that the status row shows. */
const TASK_UNITS = 40

/** 1-based line and column; a character is one column, however wide it is. */
export const caretPlace = ({ text }: EditorSession): { line: number; column: number } => {
  const { lines, head } = text
  const { start } = lineAround(lines, head)
  const before = head - start
  const column = before > COUNTED_UNITS ? before : cellsOf(lines.slice(start, head)).length
  return { line: lines.at(head).line + 1, column: column + 1 }
}

/** The state of the file in words; '' if normal. */
const stateText = (session: EditorSession): string => {
  const { state } = session
  switch (state.kind) {
    case 'new':
      return 'new file: the first edit makes it'
    case 'renamed':
      return `now ${state.to}`
    case 'removed':
      return `removed by ${session.nameOf(state.by as never)}: an edit brings it back`
    case 'replaced':
    case 'binary':
    case 'none':
    case 'there':
      return session.refusal ?? ''
  }
}

/**
 * Path, caret, what to know of the file; who else is in it, and the connection. `notice`: what came in for this person.
 */
export const statusRow = (session: EditorSession, width: number, notice = ''): Row => {
  const { text, attached } = session
  const { open: prompt } = session.prompt
  if (prompt !== null) {
    const label = { find: 'find: ', line: 'line: ', replace: 'replace with: ' }[prompt.kind]
    const right = session.message || promptText(session, prompt.kind)
    const room = Math.max(12, width - right.length - 2)
    return spread(typedRow([seg(label, 'accent')], prompt.line, room), [said(right, 'dim')], width)
  }
  const { line, column } = caretPlace(session)
  const selected = Math.abs(text.head - text.anchor)
  const state = notice || stateText(session)
  const author = session.isShowingAuthors ? tokenAuthor(session, line) : []
  const place: Row = [
    said(session.path, 'strong'),
    seg(`  ${line}:${column}`),
    seg(selected > 0 ? ` (${selected} selected)` : '', 'dim'),
    seg('  '),
  ]
  const left = (room: number): Row => [
    ...place,
    ...(session.message !== ''
      ? [said(session.message, 'warn')]
      : state !== ''
        ? [said(state, 'warn')]
        : author.length > 0
          ? author
          : hintsIn(room - rowWidth(place))),
  ]
  const others = session.others
    .map(({ name, head }) => `${name} ${text.lines.at(head).line + 1}`)
    .join(', ')
  const isAlone = others === ''
  const { connected, code } = attached.contact
  const isSent = connected && session.hasEdited && session.refusal === null
  const away = code === 'revoked' ? 'access revoked: edits are not sent' : 'offline: edits are kept'
  const contact = connected ? '' : away
  const sent = !isSent ? '' : attached.hasUnsent ? 'sending …' : 'sent'
  const right: Row = [
    ...(isAlone ? [] : [said(`with ${others}`, 'accent')]),
    seg(!isAlone && contact !== '' ? '  ' : ''),
    seg(contact, 'bad'),
    seg(!isAlone && sent !== '' ? '  ' : ''),
    seg(sent, attached.hasUnsent ? 'warn' : 'dim'),
  ]
  return spread(left(width - rowWidth(right) - 1), right, width)
}

/** The keys in the status row, the most needed first. */
const BAR = ['back', 'find', 'replace', 'who', 'keys', 'line', 'copy', 'cut', 'paste']

/** As many keys as fit into `width` cells. */
const hintsIn = (width: number): Row => {
  const named = EDITOR_KEYS.flatMap((row) => ('bar' in row ? [row] : []))
  named.sort((a, b) => BAR.indexOf(a.bar) - BAR.indexOf(b.bar))
  const shown: Row[] = []
  let left = width
  for (const { keys, bar } of named) {
    const hint: Row = [seg(keyLabel(keys[0]), 'accent'), seg(` ${bar}  `, 'dim')]
    left -= rowWidth(hint)
    if (left < 0) break
    shown.push(hint)
  }
  return shown.flat()
}

/** The authors of the token under the caret, as the server knows them; until it has answered, as the document does. */
const tokenAuthor = (session: EditorSession, line: number): Row => {
  const { text, attached, id, now } = session
  const { start, end } = lineAround(text.lines, text.head)
  const token = tokenAt(text.lines.slice(start, end), text.head - start)
  if (token === null) return []
  const [from, to] = token
  const origins = session.blame.of(session.pathNow, line, text.version, from, to)
  const name = (agent: string) => said(session.nameOf(agent as AgentId), 'accent')
  if (origins.length === 0) {
    const runs = authorRuns(attached.doc, id, [start + from, start + to], attached.me)
    return runs.flatMap(
      ({ agent }, i): Row => [
        seg(i === 0 ? 'by ' : ', '),
        agent === null ? seg('an unknown agent', 'dim') : name(agent),
      ],
    )
  }
  return origins.flatMap(({ agent_id, task_id, via, at }, i): Row => {
    const age = at === null ? '' : ago(at, now)
    return [
      ...[seg(i === 0 ? 'by ' : ', '), name(agent_id)],
      seg(age === '' ? '' : age === 'now' ? ' now' : ` ${age} ago`, 'dim'),
      ...(task_id === null ? [] : [seg(' for ', 'dim'), said(taskWords(session, task_id))]),
      ...(via === null ? [] : [seg(', accepted by ', 'dim'), name(via)]),
    ]
  })
}

/** A task by its first words, or by its id where it left the document. */
const taskWords = ({ attached: { doc } }: EditorSession, id: string): string =>
  findEntry(doc, id) === undefined ? id : shorten(getTask(doc, id).task, TASK_UNITS)

const promptText = (session: EditorSession, kind: 'find' | 'line' | 'replace'): string => {
  if (kind === 'find') return foundText(session)
  if (kind === 'line') return `of ${session.text.lines.count}`
  return `${session.prompt.found.matches.length} found: enter one  ^r all  esc done`
}

const foundText = (session: EditorSession): string => {
  const { text } = session
  const { query, found } = session.prompt
  const { matches, isMore, error } = found
  if (query === '') return 'enter next  ↑ before  ^r replace  esc done'
  if (error !== null) return error
  const [from] = text.selection
  const index = matches.findIndex(([begin]) => begin === from)
  const all = `${matches.length}${isMore ? '+' : ''}`
  return matches.length === 0 ? 'nothing found' : `${index + 1 || '-'} of ${all}`
}

/** All keys of the editor, in as many columns as fit. */
export const keyRows = (width: number, height: number): Row[] => {
  const entries = EDITOR_KEYS.map(({ keys, what }): Row => {
    const shown = (keys as readonly string[]).map(keyLabel).join(' ')
    return [seg(fitText(`  ${shown}`, 27), 'accent'), seg(what)]
  })
  const columns = entries.length > height && width >= 150 ? 2 : 1
  const each = Math.ceil(entries.length / columns)
  return Array.from({ length: Math.min(each, height) }, (_, y) =>
    columns === 1
      ? fitRow(entries[y]!, width)
      : [...fitRow(entries[y]!, width >> 1), ...fitRow(entries[y + each] ?? [], width >> 1)],
  )
}
