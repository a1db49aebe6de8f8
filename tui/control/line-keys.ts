import type { Edit } from '../terminal/line.ts'
import type { Press } from '../terminal/press.ts'

const EDITS: Readonly<Record<string, Edit>> = {
  left: { edit: 'left' },
  right: { edit: 'right' },
  'ctrl-b': { edit: 'left' },
  'ctrl-f': { edit: 'right' },
  home: { edit: 'home' },
  end: { edit: 'end' },
  'ctrl-a': { edit: 'home' },
  'ctrl-e': { edit: 'end' },
  backspace: { edit: 'back' },
  'ctrl-h': { edit: 'back' },
  delete: { edit: 'delete' },
  'ctrl-d': { edit: 'delete' },
  'ctrl-w': { edit: 'word-back' },
  'alt-backspace': { edit: 'word-back' },
  'ctrl-u': { edit: 'kill-start' },
  'ctrl-k': { edit: 'kill-end' },
  'alt-b': { edit: 'word-left' },
  'alt-f': { edit: 'word-right' },
  'alt-left': { edit: 'word-left' },
  'alt-right': { edit: 'word-right' },
}

/** The edit of a line that a key makes; null: none. */
export const editOf = ({ name, text }: Press): Edit | null =>
  text === '' ? (EDITS[name] ?? null) : { edit: 'insert', text }
