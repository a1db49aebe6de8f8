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

/** `a-… (Ana)`: the id comes first, as the name is anybody's choice. */
export const who = (doc: Y.Doc, id: string): string => {
  const name = agentName(doc, id)
  return name === id ? idText(id) : `${idText(id)} (${word(name)})`
}

/** A task's state in a sentence: `t-1 completed`, `t-1 is working`. */
export const stateText = (state: string): string =>
  state === 'completed' || state === 'failed' ? state : `is ${state}`
