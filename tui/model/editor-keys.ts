/** The one table of the editor's keys: its handler, its list of keys and docs/tui.md are made from it. */
export const EDITOR_KEYS = [
  {
    does: 'leave',
    keys: ['esc', 'ctrl-q'],
    what: 'drop what is asked or selected; then back: what was typed is kept',
    bar: 'back',
  },
  { does: 'left', keys: ['left'], what: 'a character back' },
  { does: 'right', keys: ['right'], what: 'a character on' },
  { does: 'up', keys: ['up'], what: 'a row up' },
  { does: 'down', keys: ['down'], what: 'a row down' },
  { does: 'word-left', keys: ['ctrl-left', 'alt-left', 'alt-b'], what: 'a word back' },
  { does: 'word-right', keys: ['ctrl-right', 'alt-right', 'alt-f'], what: 'a word on' },
  { does: 'home', keys: ['home'], what: 'beginning of the line: its text first' },
  { does: 'end', keys: ['end', 'ctrl-e'], what: 'end of the line' },
  { does: 'page-up', keys: ['pageup'], what: 'a page up' },
  { does: 'page-down', keys: ['pagedown'], what: 'a page down' },
  { does: 'first', keys: ['ctrl-home', 'alt-<'], what: 'beginning of the file' },
  { does: 'last', keys: ['ctrl-end', 'alt->'], what: 'end of the file' },
  { does: 'go-to-line', keys: ['ctrl-g'], what: 'go to a line, by its number', bar: 'line' },

  { does: 'select-all', keys: ['ctrl-a'], what: 'select all; shift with a key that moves selects' },
  { does: 'copy', keys: ['ctrl-c'], what: 'copy what is selected, else the line', bar: 'copy' },
  { does: 'cut', keys: ['ctrl-x'], what: 'cut it', bar: 'cut' },
  { does: 'paste', keys: ['ctrl-v'], what: 'paste what was copied here', bar: 'paste' },
  { does: 'undo', keys: ['ctrl-z'], what: 'take back what I did last, never what others did' },
  { does: 'redo', keys: ['ctrl-y'], what: 'do again what was taken back' },

  { does: 'enter', keys: ['enter', 'ctrl-j'], what: 'a new line, indented as this one' },
  { does: 'indent', keys: ['tab'], what: 'indent; of several lines that are selected each' },
  { does: 'outdent', keys: ['shift-tab'], what: 'the other way' },
  { does: 'delete-left', keys: ['backspace'], what: 'delete the character before' },
  { does: 'delete-right', keys: ['delete', 'ctrl-d'], what: 'delete the character after' },
  {
    does: 'delete-word-left',
    keys: ['ctrl-w', 'alt-backspace', 'ctrl-backspace'],
    what: 'delete the word before',
  },
  {
    does: 'delete-word-right',
    keys: ['alt-d', 'ctrl-delete', 'alt-delete'],
    what: 'delete the word after',
  },
  { does: 'cut-to-start', keys: ['ctrl-u'], what: 'cut to the beginning of the line' },
  { does: 'cut-to-end', keys: ['ctrl-k'], what: 'cut to the end of the line, then the line end' },

  { does: 'find', keys: ['ctrl-f'], what: 'find text, or a /regular expression/', bar: 'find' },
  {
    does: 'replace',
    keys: ['ctrl-r'],
    what: 'replace what was found: enter this one, ctrl-r all',
    bar: 'replace',
  },
  { does: 'find-next', keys: ['ctrl-n'], what: 'next place with what was looked for' },
  { does: 'find-previous', keys: ['ctrl-p'], what: 'place before' },
  { does: 'go-to-other', keys: ['ctrl-l'], what: 'go to the next one who is in the file, too' },
  { does: 'authors', keys: ['ctrl-t'], what: 'show who wrote each word, or hide it', bar: 'who' },
  { does: 'keys', keys: ['ctrl-o', 'f1'], what: 'all keys of the editor', bar: 'keys' },
  { does: 'sent', keys: ['ctrl-s'], what: 'say whether the server has all that was typed' },
] as const satisfies readonly {
  does: string
  keys: readonly string[]
  what: string
  /** In the status row, under this word. */
  bar?: string
}[]

/** The action of a key of the editor. */
export type EditorAction = (typeof EDITOR_KEYS)[number]['does']

/** Movements that select with shift. */
const SELECTING: ReadonlySet<EditorAction> = new Set<EditorAction>([
  ...(['left', 'right', 'up', 'down', 'word-left', 'word-right', 'home', 'end'] as const),
  ...(['page-up', 'page-down', 'first', 'last'] as const),
])

const byKey = new Map<string, EditorAction>(
  EDITOR_KEYS.flatMap(({ does, keys }) => keys.map((key): [string, EditorAction] => [key, does])),
)

/** The action of a key, and whether it extends the selection; null for none. */
export const actionOf = (key: string): { does: EditorAction; selects: boolean } | null => {
  const plain = byKey.get(key)
  if (plain !== undefined) return { does: plain, selects: false }
  const does = byKey.get(key.replace('shift-', ''))
  if (does === undefined || does === key || !key.includes('shift-')) return null
  return SELECTING.has(does) ? { does, selects: true } : { does, selects: false }
}
