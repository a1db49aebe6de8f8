/** What the editor can do. */
export type EditorCommand = (typeof EDITOR_KEYS)[number]['name']

const rows = <const Name extends string>(
  table: readonly { name: Name; keys: readonly string[]; what: string; bar?: string }[],
) => table

/**
 * The one table of the editor's keys: what they do, the status line, the help overlay and docs/tui.md are made from it. With
 * shift, what moves selects. What is in no row is typed.
 */
export const EDITOR_KEYS = rows([
  { name: 'left', keys: ['left'], what: 'a character to the left' },
  { name: 'right', keys: ['right'], what: 'a character to the right' },
  { name: 'up', keys: ['up'], what: 'a row up' },
  { name: 'down', keys: ['down'], what: 'a row down' },
  { name: 'word-left', keys: ['ctrl-left', 'alt-left', 'alt-b'], what: 'a word to the left' },
  { name: 'word-right', keys: ['ctrl-right', 'alt-right', 'alt-f'], what: 'a word to the right' },
  { name: 'line-start', keys: ['home', 'ctrl-a'], what: 'beginning of the line' },
  { name: 'line-end', keys: ['end', 'ctrl-e'], what: 'end of the line' },
  { name: 'page-up', keys: ['pageup'], what: 'a page up' },
  { name: 'page-down', keys: ['pagedown'], what: 'a page down' },
  { name: 'start', keys: ['ctrl-home', 'alt-<'], what: 'beginning of the file' },
  { name: 'end', keys: ['ctrl-end', 'alt->'], what: 'end of the file' },
  { name: 'select-all', keys: ['alt-a'], what: 'select everything' },
  { name: 'newline', keys: ['enter', 'ctrl-j'], what: 'a new line' },
  { name: 'indent', keys: ['tab'], what: 'indent' },
  { name: 'delete-left', keys: ['backspace', 'ctrl-h'], what: 'delete the character before' },
  { name: 'delete-right', keys: ['delete', 'ctrl-d'], what: 'delete the character after' },
  { name: 'delete-word', keys: ['ctrl-w', 'alt-backspace'], what: 'delete the word before' },
  { name: 'delete-to-start', keys: ['ctrl-u'], what: 'delete to the beginning of the line' },
  { name: 'delete-to-end', keys: ['ctrl-k'], what: 'delete to the end of the line' },
  { name: 'copy', keys: ['ctrl-c'], what: 'copy what is selected' },
  { name: 'cut', keys: ['ctrl-x'], what: 'cut what is selected' },
  { name: 'paste', keys: ['ctrl-v'], what: 'put in what was copied here' },
  { name: 'undo', keys: ['ctrl-z'], what: 'take back your own last edit', bar: 'undo' },
  { name: 'redo', keys: ['ctrl-y'], what: 'do it again' },
  { name: 'find', keys: ['ctrl-f'], what: 'find text, or a /pattern/', bar: 'find' },
  { name: 'find-next', keys: ['ctrl-n'], what: 'the next one found' },
  { name: 'find-before', keys: ['ctrl-p'], what: 'the one found before' },
  { name: 'go-to', keys: ['ctrl-l'], what: 'go to a line', bar: 'line' },
  { name: 'authors', keys: ['ctrl-t'], what: 'show who wrote each line', bar: 'who wrote' },
  { name: 'saved', keys: ['ctrl-s'], what: 'nothing: all is stored as you type' },
  { name: 'help', keys: ['ctrl-g'], what: 'all keys', bar: 'help' },
  { name: 'close', keys: ['esc'], what: 'drop the selection; back', bar: 'back' },
])

const MOVES: readonly string[] = [
  ...['left', 'right', 'up', 'down', 'word-left', 'word-right', 'line-start', 'line-end'],
  ...['page-up', 'page-down', 'start', 'end'],
]

/** What a key does, and whether what it moves over is selected; null: it types, or does nothing. */
export const editorCommand = (key: string): { name: EditorCommand; selects: boolean } | null => {
  const plain = key.replace(/shift-/, '')
  const row = EDITOR_KEYS.find(({ keys }) => keys.includes(plain))
  if (row === undefined) return null
  const selects = plain !== key
  return selects && !MOVES.includes(row.name) ? null : { name: row.name, selects }
}
