import type * as Y from 'yjs'
import { escapeHidden, oneLine, replaceHidden, safeJson } from '../../lib/text/visible.ts'
import { MAX_LIST_LENGTH } from '../../protocol/limits.ts'
import { agentName } from '../../workspace/agents/agents.ts'
import { field, idText, pathField, word } from '../../workspace/document/names.ts'

/**
 * The lines that agents read. A line is fields with one or two spaces between them; what somebody wrote freely comes
 * last, or is a JSON string, so nothing of it can pass for another field or another line.
 */

export { field, idText, oneLine, pathField as path, safeJson, word }

/** Text for a terminal: as `oneLine`, but lines stay lines and tabs stay tabs. */
export const forTerminal = (text: string): string =>
  replaceHidden(text, (char) => (char === '\n' || char === '\t' ? char : escapeHidden(char)))

/** Starts each line of a text of several lines; no line of the program starts with it. */
const INDENT = '    '

/**
 * A line whose fields are followed by a text. A text of one line stands on that line; the lines of a longer one follow,
 * indented, so that none of them can pass for a line of the program. A carriage return is shown as `␍`.
 */
export const withBody = (head: string, body: string): string[] => {
  const lines = body
    .replace(/(?:\r?\n)+$/, '')
    .split('\n')
    .map((line) =>
      replaceHidden(line, (char) =>
        char === '\t' ? char : char === '\r' ? '␍' : escapeHidden(char),
      ),
    )
  const first = oneLine(head)
  if (lines.length === 1) return [lines[0] === '' ? first : `${first} ${lines[0]}`]
  return [first, ...lines.map((line) => (line === '' ? '' : INDENT + line))]
}

/** Words with a comma between them, as many as a client may give. */
export const words = (list: readonly string[]): string => {
  const more = list.length - MAX_LIST_LENGTH
  const shown = list.slice(0, MAX_LIST_LENGTH).map(field)
  return [...shown, ...(more > 0 ? [`…(+${more})`] : [])].join(',')
}

/** `a-…, named Ana`: for use in a sentence. */
export const named = (doc: Y.Doc, id: string): string => {
  const name = agentName(doc, id)
  return name === id ? idText(id) : `${idText(id)}, named ${word(name)}`
}

/** `a-… (Ana)`: the id comes first, as an agent chooses its name itself. */
export const who = (doc: Y.Doc, id: string): string => {
  const name = agentName(doc, id)
  return name === id ? idText(id) : `${idText(id)} (${word(name)})`
}

/** A task's state in a sentence: `t-1 completed`, `t-1 is working`. */
export const stateText = (state: string): string =>
  state === 'completed' || state === 'failed' ? state : `is ${state}`
