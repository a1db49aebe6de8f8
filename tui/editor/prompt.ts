import { editLine, type Line } from '../terminal/line.ts'
import { findAll, matchFrom, type Range, type SearchMatches } from './search.ts'
import type { SharedText } from './shared-text.ts'

/** The prompt in the lowest row. */
export interface Prompt {
  kind: 'find' | 'line' | 'replace'
  line: Line
  /** The caret before the prompt. */
  from: number
}

interface PromptEvents {
  /** The caret has moved to a match or a line. */
  onMove: () => void
  /** Shown until the next key. */
  onMessage: (message: string) => void
  /** Puts a text in the place of each of these ranges; false: it may not. */
  onReplace: (ranges: readonly Range[], text: string) => boolean
}

/** Asks for a search term or a line number, and moves the caret there. */
export class EditorPrompt {
  readonly #text: SharedText
  readonly #events: PromptEvents
  #open: Prompt | null = null
  #query = ''
  /** True until the first enter after the search term changed: that one stays at the first match. */
  #isFresh = false
  #found: { version: number; query: string; found: SearchMatches } | null = null

  constructor(text: SharedText, events: PromptEvents) {
    this.#text = text
    this.#events = events
  }

  /** The prompt on the screen; null if there is none. */
  get open(): Prompt | null {
    return this.#open
  }

  /** The last search term. */
  get query(): string {
    return this.#query
  }

  /** Matches of the search term in the current text. */
  get found(): SearchMatches {
    const query = this.#query
    const { version, lines } = this.#text
    if (this.#found?.version !== version || this.#found.query !== query) {
      const found = findAll(query === '' ? '' : lines.slice(0, lines.length), query)
      this.#found = { version, query, found }
    }
    return this.#found.found
  }

  ask(kind: Prompt['kind']): void {
    if (kind === 'replace' && this.#query === '') {
      this.ask('find')
      this.#events.onMessage('look for something first, then ctrl-r')
      return
    }
    const typed = kind === 'find' ? this.#query : ''
    this.#open = { kind, line: { text: typed, at: typed.length }, from: this.#text.head }
  }

  /** Inserts text into the open prompt. */
  type(prompt: Prompt, text: string): void {
    this.#edit(prompt, editLine(prompt.line, { edit: 'insert', text }))
  }

  /** Handles a key in the open prompt. */
  press(prompt: Prompt, key: string): void {
    const isFind = prompt.kind === 'find'
    if (key === 'esc') this.#open = null
    else if (key === 'ctrl-r') this.#replace(prompt)
    else if (key === 'enter' && prompt.kind === 'replace') this.#replaceOne(prompt.line.text)
    else if (key === 'enter' && !isFind) {
      this.#open = null
      this.#goTo(prompt.line.text.trim())
    } else if (key === 'enter' && this.#isFresh) this.#isFresh = false
    else if (isFind && (key === 'enter' || key === 'down' || key === 'ctrl-n')) this.find(1)
    else if (isFind && (key === 'up' || key === 'ctrl-p')) this.find(-1)
    else {
      const edit = LINE_EDITS[key]
      if (edit !== undefined) this.#edit(prompt, editLine(prompt.line, { edit }))
    }
  }

  /** Selects the match after or before the selection. */
  find(by: 1 | -1): void {
    const [from, to] = this.#text.selection
    this.#findFrom(by, by === 1 ? to : from)
  }

  #findFrom(by: 1 | -1, from: number): void {
    const { matches, error } = this.found
    if (error !== null) this.#events.onMessage(error)
    if (this.#query === '' || error !== null) return
    const match = matches[matchFrom(matches, from, by)]
    if (match === undefined) this.#events.onMessage(`no "${this.#query}"`)
    else {
      this.#events.onMove()
      this.#text.select(match[0], match[1])
    }
  }

  /** Of a search goes on to its replacement; of that replaces all matches. */
  #replace({ kind, line }: Prompt): void {
    if (kind === 'find') this.ask('replace')
    if (kind !== 'replace') return
    const { matches } = this.found
    this.#open = null
    if (matches.length === 0) this.#events.onMessage(`no "${this.#query}"`)
    else if (this.#events.onReplace(matches, line.text)) {
      this.#events.onMessage(`replaced ${matches.length}; ctrl-z takes it back`)
    }
  }

  /** Replaces the match that is selected, and goes to the next. */
  #replaceOne(text: string): void {
    const [from, to] = this.#text.selection
    const isMatch = this.found.matches.some((match) => match[0] === from && match[1] === to)
    if (isMatch && !this.#events.onReplace([[from, to]], text)) return
    this.find(1)
  }

  #goTo(typed: string): void {
    const line = /^\d+$/.test(typed) ? Number(typed) : 0
    if (line < 1) {
      if (typed !== '') this.#events.onMessage(`"${typed}" is not the number of a line`)
      return
    }
    this.goToLine(line)
  }

  /** The caret goes to a line, from 1; to the last one if there are fewer. */
  goToLine(line: number): void {
    const { start } = this.#text.lines.line(line - 1)
    this.#events.onMove()
    this.#text.select(start, start)
  }

  /** The prompt's text has changed: a search selects the first match after its start. */
  #edit(prompt: Prompt, line: Line): void {
    this.#open = { ...prompt, line }
    if (prompt.kind !== 'find') return
    this.#query = line.text
    this.#isFresh = true
    if (line.text === '') this.#text.select(prompt.from, prompt.from)
    else this.#findFrom(1, Math.min(prompt.from, this.#text.lines.length))
  }
}

/** Editing keys of the prompt; they are those of every other input line. */
const LINE_EDITS: Readonly<
  Record<string, Exclude<Parameters<typeof editLine>[1], { edit: 'insert' }>['edit']>
> = {
  left: 'left',
  right: 'right',
  home: 'home',
  end: 'end',
  'ctrl-a': 'home',
  'ctrl-e': 'end',
  backspace: 'back',
  delete: 'delete',
  'ctrl-w': 'word-back',
  'ctrl-u': 'kill-start',
  'ctrl-k': 'kill-end',
  'ctrl-left': 'word-left',
  'ctrl-right': 'word-right',
}
