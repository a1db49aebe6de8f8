import type { AgentId, FileKey } from '../../workspace/ids.ts'
import type { Attached } from '../../workspace/link/attach.ts'
import { EMPTY, editBy, editLine, type Line } from '../line.ts'
import type { Press } from '../press.ts'
import { writersOf } from './authors.ts'
import type { Later } from './bursts.ts'
import { type Delta, endOf, movedBy } from './delta.ts'
import { type EditorCommand, editorCommand } from './keys.ts'
import {
  charAfter,
  charBefore,
  columnAt,
  endingAt,
  indentAt,
  lineEnd,
  lineStart,
  rowsFrom,
  wordAfter,
  wordBefore,
} from './moves.ts'
import { OpenFile } from './open-file.ts'
import { type Other, othersIn } from './others.ts'
import { nextRow, offsetIn, rowAt, rowsAway, type TextRow } from './rows.ts'
import { type Found, findAll, matchFrom, type Range } from './search.ts'
import { caretAt, movedSelection, rangeOf, type Selection } from './selection.ts'

/** What others do is drawn at most this often (milliseconds); what is typed here at once. */
const DRAW_MS = 70
/** The caret is shown to others at most this often (milliseconds). */
const SHOW_MS = 100
/** Lines that a notch of the wheel moves. */
const WHEEL_ROWS = 3
/** What an indent is where the lines around have no tabs. */
const INDENT = '  '
/** Cells beside the text: the number of its line; with authors, who wrote it. */
const MIN_NUMBER_CELLS = 3
export const AUTHOR_CELLS = 12

/** A line typed below the text: what to find, or where to go. */
export interface Prompt {
  kind: 'find' | 'go-to'
  line: Line
  /** Where the caret was, to go back to. */
  before: Selection
}

export interface ModelOptions {
  now: () => number
  later: Later
}

/**
 * A file in the editor: caret, selection, what is on the screen. Keys change it at once, and others' edits move it along;
 * it tells its listeners when to draw.
 */
export class EditorModel {
  readonly file: OpenFile
  selection: Selection = caretAt(0)
  prompt: Prompt | null = null
  query = ''
  found: Found | null = null
  hasAuthors = false
  hasHelp = false
  /** Said once, until the next key. */
  message = ''
  /** Counts the changes. */
  revision = 0
  columns = 80
  rows = 24
  readonly attached: Attached
  readonly #later: Later
  readonly #listeners = new Set<() => void>()
  readonly #ends: (() => void)[] = []
  /** The offset at the top of the screen. */
  #top = 0
  /** The wheel has moved the text away from the caret. */
  #isFree = false
  /** The column that up and down keep to. */
  #column: number | null = null
  #copied = ''
  #drawing: (() => void) | null = null
  #showing: (() => void) | null = null

  constructor(attached: Attached, path: FileKey, options: ModelOptions) {
    this.attached = attached
    this.#later = options.later
    const changed = (delta: Delta, isOwn: boolean) => this.#onText(delta, isOwn)
    this.file = new OpenFile(attached, path, { changed, renamed: () => this.#soon() }, options)
    this.#ends.push(attached.onChange(() => this.#soon()))
    this.#show()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#drawing?.()
    this.#showing?.()
    for (const end of this.#ends.splice(0)) end()
    this.file.close()
    this.attached.show({ cursor: null })
    this.#listeners.clear()
  }

  resize(columns: number, rows: number): void {
    this.columns = columns
    this.rows = rows
  }

  /** Rows of the text on the screen; below them is the status line. */
  get height(): number {
    return Math.max(1, this.rows - 1)
  }

  get numberCells(): number {
    return Math.max(MIN_NUMBER_CELLS, String(this.file.lines.count).length)
  }

  /** Cells of a row of text. */
  get width(): number {
    const beside = this.numberCells + 1 + (this.hasAuthors ? AUTHOR_CELLS + 1 : 0)
    return Math.max(1, this.columns - beside)
  }

  /** Who else is in the file, and where. */
  others(): Other[] {
    const { me, doc } = this.attached
    if (this.file.id === null || me === null) return []
    return othersIn(doc, this.file.id, this.attached.presences(), me)
  }

  /** The rows that are on the screen. */
  visible(): TextRow[] {
    const { lines } = this.file
    const { width, height } = this
    let top = rowAt(lines, Math.min(this.#top, lines.length), width)
    if (!this.#isFree) top = this.#keepingCaret(top)
    this.#top = top.from
    const rows: TextRow[] = []
    for (let row: TextRow | null = top; row !== null && rows.length < height; ) {
      rows.push(row)
      row = nextRow(lines, row, width)
    }
    return rows
  }

  /** Who wrote most of each of these rows' lines; null: nobody knows. */
  writers(rows: readonly TextRow[]): (AgentId | null)[] {
    const { id, lines } = this.file
    const { me, doc } = this.attached
    if (id === null || me === null) return rows.map(() => null)
    const ranges = rows.map(
      ({ place }): Range => [lines.line(place.line).start, lines.lineEnd(place)],
    )
    return writersOf(doc, id, ranges, me)
  }

  /** The matches of the search in these rows, and the count of all. */
  matches(): Found | null {
    if (this.query === '') return null
    this.found ??= findAll(this.file.lines.slice(0, this.file.lines.length), this.query)
    return this.found
  }

  /** Takes a key; returns whether the editor is to be closed. */
  press(press: Press): boolean {
    this.message = ''
    const isOver = this.#press(press)
    this.#now()
    return isOver
  }

  paste(text: string): void {
    const lines = text.replace(/\r\n?/g, '\n')
    if (this.prompt !== null) this.#edit({ name: '', text: lines.replaceAll('\n', ' ') })
    else this.#insert(lines)
    this.#now()
  }

  /** A click puts the caret there, the wheel moves the text; `x` and `y` from the editor's own corner. */
  mouse(kind: 'click' | 'up' | 'down', x: number, y: number): void {
    const { lines } = this.file
    const rows = this.visible()
    if (kind === 'click') {
      const row = rows[Math.min(y, rows.length - 1)]
      if (row === undefined) return
      const beside = this.columns - this.width
      this.#goTo(offsetIn(row, Math.max(0, x - beside), this.width, lines))
    } else {
      const by = kind === 'up' ? -WHEEL_ROWS : WHEEL_ROWS
      this.#isFree = true
      this.#top = rowsAway(lines, rows[0]!, by, this.width).from
    }
    this.#now()
  }

  #press(press: Press): boolean {
    if (this.hasHelp) {
      this.hasHelp = false
      return false
    }
    if (this.prompt !== null) {
      this.#inPrompt(press)
      return false
    }
    const command = editorCommand(press.name)
    if (command === null) {
      if (press.text !== '') this.#insert(press.text)
      return false
    }
    if (command.name !== 'up' && command.name !== 'down') this.#column = null
    return this.#do(command.name, command.selects)
  }

  #do(name: EditorCommand, selects: boolean): boolean {
    const { lines } = this.file
    const { head } = this.selection
    const { from, to } = rangeOf(this.selection)
    const isSelected = from < to
    const go = (offset: number) => this.#goTo(offset, selects)
    const remove = (start: number, end: number) => this.#replace(start, end, '')
    switch (name) {
      case 'left':
        go(isSelected && !selects ? from : charBefore(lines, head))
        break
      case 'right':
        go(isSelected && !selects ? to : charAfter(lines, head))
        break
      case 'up':
      case 'down':
        this.#moveRows(name === 'up' ? -1 : 1, selects)
        break
      case 'page-up':
      case 'page-down':
        this.#moveRows((name === 'page-up' ? -1 : 1) * Math.max(1, this.height - 1), selects)
        break
      case 'word-left':
        go(wordBefore(lines, head))
        break
      case 'word-right':
        go(wordAfter(lines, head))
        break
      case 'line-start':
        go(lineStart(lines, head))
        break
      case 'line-end':
        go(lineEnd(lines, head))
        break
      case 'start':
        go(0)
        break
      case 'end':
        go(lines.length)
        break
      case 'select-all':
        this.selection = { anchor: 0, head: lines.length }
        this.#show()
        break
      case 'newline':
        this.#insert(`\n${indentAt(lines, from)}`)
        break
      case 'indent':
        this.#insert(indentAt(lines, from).startsWith('\t') ? '\t' : INDENT)
        break
      case 'delete-left':
        remove(isSelected ? from : charBefore(lines, head), to)
        break
      case 'delete-right':
        remove(from, isSelected ? to : charAfter(lines, head))
        break
      case 'delete-word':
        remove(isSelected ? from : wordBefore(lines, head), to)
        break
      case 'delete-to-start':
        remove(isSelected ? from : lineStart(lines, head), to)
        break
      case 'delete-to-end': {
        const end = lineEnd(lines, head)
        remove(from, isSelected ? to : end === head ? charAfter(lines, head) : end)
        break
      }
      case 'copy':
      case 'cut':
        if (!isSelected) {
          this.message = 'nothing is selected: shift and arrows select'
          break
        }
        this.#copied = lines.slice(from, to)
        if (name === 'cut') remove(from, to)
        else this.message = 'copied'
        break
      case 'paste':
        if (this.#copied === '') this.message = 'nothing was copied here'
        else this.#insert(this.#copied)
        break
      case 'undo':
      case 'redo':
        if (!this.file.undo(name === 'undo')) this.message = `nothing of yours to ${name}`
        break
      case 'find':
        this.prompt = { kind: 'find', line: EMPTY, before: this.selection }
        break
      case 'go-to':
        this.prompt = { kind: 'go-to', line: EMPTY, before: this.selection }
        break
      case 'find-next':
      case 'find-before':
        this.#find(name === 'find-next' ? 1 : -1)
        break
      case 'authors':
        this.hasAuthors = !this.hasAuthors
        break
      case 'saved':
        this.message = 'stored as you type; clawlink-agent file-log has the versions'
        break
      case 'help':
        this.hasHelp = true
        break
      case 'close':
        if (!isSelected && this.query === '') return true
        this.selection = caretAt(head)
        this.#search('')
    }
    return false
  }

  #inPrompt(press: Press): void {
    const { kind, before } = this.prompt!
    if (press.name === 'esc' || (press.name === 'backspace' && this.prompt!.line.text === '')) {
      this.prompt = null
      this.selection = before
      this.#isFree = false
      this.#search('')
    } else if (press.name === 'enter') {
      const { text } = this.prompt!.line
      this.prompt = null
      if (kind === 'go-to') this.#goToLine(text)
    } else if (kind === 'find' && ['down', 'ctrl-n'].includes(press.name)) this.#find(1)
    else if (kind === 'find' && ['up', 'ctrl-p'].includes(press.name)) this.#find(-1)
    else this.#edit(press)
  }

  #edit(press: Press): void {
    const edit = editBy(press)
    if (edit === null || this.prompt === null) return
    this.prompt = { ...this.prompt, line: editLine(this.prompt.line, edit) }
    if (this.prompt.kind !== 'find') return
    this.selection = this.prompt.before
    this.#search(this.prompt.line.text)
    this.#find(1)
  }

  #search(query: string): void {
    this.query = query
    this.found = null
  }

  #find(by: 1 | -1): void {
    const found = this.matches()
    if (found === null) {
      this.message = 'ctrl-f first: what to find'
      return
    }
    const { from, to } = rangeOf(this.selection)
    const at = matchFrom(found.matches, by === 1 ? (from < to ? to : from) : from, by)
    const match = found.matches[at]
    if (match === undefined) {
      this.message = found.error ?? `"${this.query}" is not here`
      return
    }
    this.selection = { anchor: match[0], head: match[1] }
    this.message = `${at + 1} of ${found.matches.length}${found.isMore ? '+' : ''}`
    this.#isFree = false
    this.#show()
  }

  #goToLine(text: string): void {
    const number = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    if (number >= 1) this.#goTo(this.file.lines.line(number - 1).start)
    else this.message = `"${text}" is no line: 1 to ${this.file.lines.count}`
  }

  #insert(text: string): void {
    const { from, to } = rangeOf(this.selection)
    const ending = endingAt(this.file.lines, from)
    this.#replace(from, to, ending === '\n' ? text : text.replace(/\r?\n/g, ending))
  }

  #replace(from: number, to: number, text: string): void {
    if (from === to && text === '') return
    this.message = this.file.replace(from, to, text)
    if (this.message === '') this.#goTo(from + text.length)
  }

  #goTo(offset: number, selects = false): void {
    const head = Math.max(0, Math.min(offset, this.file.lines.length))
    // Away from where one typed is another edit, also for undoing.
    this.selection = { anchor: selects ? this.selection.anchor : head, head }
    this.#isFree = false
    this.#show()
  }

  #moveRows(by: number, selects: boolean): void {
    const { lines } = this.file
    const { head } = this.selection
    this.#column ??= columnAt(lines, head, this.width)
    this.#goTo(rowsFrom(lines, head, by, this.#column, this.width), selects)
    this.file.part()
  }

  /** The top row with which the caret is on the screen; in the middle where it went far away. */
  #keepingCaret(top: TextRow): TextRow {
    const { lines } = this.file
    const { width, height } = this
    const caret = rowAt(lines, this.selection.head, width)
    if (caret.from < top.from) {
      const isNear = rowsAway(lines, caret, height, width).from >= top.from
      return isNear ? caret : rowsAway(lines, caret, -Math.floor(height / 2), width)
    }
    const bottom = rowsAway(lines, top, height - 1, width)
    if (caret.from <= bottom.from) return top
    const isNear = rowsAway(lines, bottom, height, width).from >= caret.from
    return rowsAway(lines, caret, -(isNear ? height - 1 : Math.floor(height / 2)), width)
  }

  #onText(delta: Delta, isOwn: boolean): void {
    this.found = null
    this.#top = movedBy(delta, this.#top)
    if (isOwn) {
      this.selection = caretAt(endOf(delta)) // where it was undone; who types says it himself
      this.#isFree = false
    } else this.selection = movedSelection(delta, this.selection)
    if (this.prompt !== null) {
      this.prompt = { ...this.prompt, before: movedSelection(delta, this.prompt.before) }
    }
    this.#soon()
  }

  /** Draws at once. */
  #now(): void {
    this.#drawing?.()
    this.#drawing = null
    this.revision++
    for (const listener of this.#listeners) listener()
  }

  #soon(): void {
    this.#drawing ??= this.#later(DRAW_MS, () => {
      this.#drawing = null
      this.#now()
    })
  }

  /** Shows the others where the caret is. */
  #show(): void {
    if (!this.file.canEdit) return
    this.#showing ??= this.#later(SHOW_MS, () => {
      this.#showing = null
      const { anchor, head } = this.selection
      this.attached.show({
        cursor: {
          file: this.file.id!,
          anchor: this.file.placeAt(anchor),
          head: this.file.placeAt(head),
        },
      })
    })
  }
}
