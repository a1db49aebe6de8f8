import type { Attached } from '../../client/resident/attach.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../protocol/limits.ts'
import { includes } from '../../protocol/roles.ts'
import { agentName } from '../../workspace/agents/agents.ts'
import { editsOf, filesOf } from '../../workspace/document/schema.ts'
import { countEdit } from '../../workspace/files/edit-counts.ts'
import { checkSize, putFile } from '../../workspace/files/put-file.ts'
import { actionOf } from '../model/editor-keys.ts'
import { ACTIONS } from './actions.ts'
import { Bursts, type Later } from './bursts.ts'
import { CaretBlame } from './caret-blame.ts'
import type { EditorPress } from './key-input.ts'
import { type Other, othersIn } from './others.ts'
import { type FileState, fileStateOf, textIdOf } from './place.ts'
import { EditorPrompt } from './prompt.ts'
import { SharedText, type TextChange } from './shared-text.ts'
import { type Syntax, syntaxFor } from './syntax.ts'

/** My caret is told to others at most this often (milliseconds). */
export const SHOW_MS = 80
/**
 * Shortest time between two frames of others' edits, in milliseconds: 15 per second. Own keys are
 * drawn at once.
 */
export const OTHERS_MS = 66

export interface EditorOptions {
  attached: Attached
  path: string
  /** Milliseconds since the epoch. */
  now: () => number
  later: Later
  /** The line that the caret begins in, from 1; absent: the first. */
  line?: number | undefined
  /** Goes back to where the file was opened from. */
  leave: () => void
  /** Puts what was copied on the terminal's clipboard, if it has one. */
  copied?: (text: string) => void
}

/** One person at one file, from opening to leaving it: keys go in, edits go out. The screen is drawn from it. */
export class EditorSession {
  readonly attached: Attached
  readonly path: string
  readonly id: FileId
  readonly text: SharedText
  readonly prompt: EditorPrompt
  readonly blame: CaretBlame
  state: FileState
  isShowingAuthors = false
  isShowingKeys = false
  /** True once something was typed here. */
  hasEdited = false
  /** The colours of words; null: of this file there are none. */
  readonly syntax: Syntax | null
  /** True: the terminal's own cursor is where the caret is. */
  hasCursor = false
  /** Said once, until the next key. */
  message = ''
  /** The screen follows the caret until it is scrolled. */
  follows = true
  /** Cells of the screen, and cells and rows of the text on it, as last drawn. */
  columns = 80
  width = 80
  height = 24
  /** The column that up and down keep to; null: that of the caret. */
  goal: number | null = null
  clipboard = ''
  /** Counts what may have to be drawn anew. */
  revision = 0
  readonly #options: EditorOptions
  readonly #bursts: Bursts
  readonly #listeners = new Set<() => void>()
  readonly #ends: (() => void)[] = []
  #cancelShow: (() => void) | null = null
  #cancelDraw: (() => void) | null = null
  #isClosed = false

  constructor(options: EditorOptions) {
    const { attached, path, now, later } = options
    this.#options = options
    this.attached = attached
    this.path = path
    this.id = textIdOf(attached.doc, path)
    this.state = fileStateOf(attached.doc, path, this.id)
    this.text = new SharedText(attached.doc, this.id, (isOwn) => {
      if (isOwn) {
        this.hasEdited = true
        this.#bursts.edited()
      }
      this.syntax?.changed()
      this.#show()
      if (!isOwn) this.#drawSoon()
    })
    this.prompt = new EditorPrompt(this.text, {
      onMove: () => {
        this.follows = true
      },
      onMessage: (message) => {
        this.message = message
      },
      onReplace: (ranges, insert) => {
        const before = this.text.version
        this.text.part()
        this.change(ranges.map(([from, to]) => ({ from, to, insert: this.fitting(insert) })))
        this.text.part()
        return this.text.version !== before
      },
    })
    this.blame = new CaretBlame(
      (argv) => attached.run(argv),
      later,
      () => this.draw(),
    )
    this.#bursts = new Bursts(() => this.#count(), now, later)
    this.syntax = syntaxFor(path, this.text, later, () => this.draw())
    if (options.line !== undefined) this.prompt.goToLine(options.line)
    const files = filesOf(attached.doc)
    const onFiles = () => {
      this.state = fileStateOf(attached.doc, path, this.id)
      this.#drawSoon()
    }
    const edits = editsOf(attached.doc, this.id)
    const onEdits = () => {
      if (this.state.kind === 'removed') onFiles()
    }
    files.observe(onFiles)
    edits.observe(onEdits)
    this.#ends.push(
      () => files.unobserve(onFiles),
      () => edits.unobserve(onEdits),
      attached.onChange(() => this.#drawSoon()),
    )
    this.#show()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Why nothing can be typed; null: it can. */
  get refusal(): string | null {
    const { kind } = this.state
    const { me, role } = this.attached
    if (role !== null && !includes(role, 'write')) {
      return `read only: your link has the role ${role}; ask for one with the role write`
    }
    if (me === null) return 'read only: you are not registered in this workspace'
    if (kind === 'binary') return 'this file is not text'
    if (kind === 'replaced') return 'another file has taken this path: go back and open that one'
    return this.state.kind === 'none' ? this.state.why : null
  }

  /** The path that leads to the text now. */
  get pathNow(): string {
    return this.state.kind === 'renamed' ? this.state.to : this.path
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#options.now()
  }

  /** Others in the file, with their carets. */
  get others(): Other[] {
    const { doc, me } = this.attached
    return othersIn(doc, this.id, this.attached.presences(), me ?? ('' as AgentId))
  }

  press(press: EditorPress): void {
    this.message = ''
    const { open } = this.prompt
    const isKeys = this.isShowingKeys
    this.isShowingKeys = false
    if ('text' in press) {
      if (open === null) this.type(press.text)
      else this.prompt.type(open, press.text)
    } else if (open !== null) this.prompt.press(open, press.key)
    else {
      const action = actionOf(press.key)
      if (action !== null && !(isKeys && action.does === 'leave')) {
        if (action.does !== 'up' && action.does !== 'down') this.goal = null
        this.follows = true
        ACTIONS[action.does](this, action.selects)
      }
    }
    this.draw()
  }

  /** Text that comes as a whole, with its line ends. */
  paste(text: string): void {
    this.message = ''
    const { open } = this.prompt
    if (open !== null) {
      const [first = ''] = text.split(/[\r\n]/)
      this.prompt.type(open, first)
    } else {
      this.text.part()
      this.type(text)
      this.text.part()
    }
    this.draw()
  }

  /** Puts text in the place of what is selected. */
  type(text: string): void {
    const [from, to] = this.text.selection
    this.follows = true
    this.goal = null
    if (from !== to) this.text.part()
    this.change([{ from, to, insert: this.fitting(text) }])
  }

  /** Edits the text, if that may be; the file is made with its first edit. */
  change(changes: readonly TextChange[]): void {
    const { doc, me } = this.attached
    const real = changes.filter(({ from, to, insert }) => to > from || insert !== '')
    if (real.length === 0) return
    const { refusal } = this
    if (me === null || refusal !== null) {
      this.message = refusal ?? ''
      return
    }
    const { kind } = this.state
    try {
      checkSize(this.text.bytesAfter(real, MAX_FILE_BYTES))
      this.text.edit(real, () => {
        if (kind !== 'new') return
        const now = this.#options.now()
        putFile(doc, { key: this.path, content: '', base: null, by: me, now })
      })
    } catch (error) {
      this.message = ClawError.from(error).message
      return
    }
    // A removed file is back once an edit is counted that its remover did not know.
    if (kind === 'removed') this.#bursts.end()
  }

  /** The text with this file's line ends and without control characters. */
  fitting(text: string): string {
    return text
      .replace(/\r\n|\r|\n/g, this.lineEnd)
      .replace(/\p{Surrogate}/gu, '\ufffd')
      .replaceAll('\0', '')
  }

  /** The file's line end. */
  get lineEnd(): string {
    const { ending } = this.text.lines.line(0).piece
    return ending === '' ? '\n' : ending
  }

  copy(text: string): void {
    this.clipboard = text
    this.#options.copied?.(text)
  }

  leave(): void {
    this.#options.leave()
  }

  /** Scrolls without moving the caret. */
  scrolled(top: number): void {
    this.text.top = top
    this.follows = false
    this.draw()
  }

  /** Has the screen drawn anew, now. The key that leaves the file draws nothing more. */
  draw(): void {
    if (this.#isClosed) return
    this.#cancelDraw?.()
    this.#cancelDraw = null
    this.revision++
    this.#show()
    for (const listener of this.#listeners) listener()
  }

  close(): void {
    this.#isClosed = true
    this.#bursts.end()
    this.blame.close()
    this.syntax?.close()
    this.#cancelShow?.()
    this.#cancelDraw?.()
    for (const end of this.#ends.splice(0)) end()
    this.text.close()
    this.#listeners.clear()
    this.attached.show({ cursor: null })
  }

  nameOf(id: AgentId): string {
    return agentName(this.attached.doc, id)
  }

  #count(): void {
    const { doc, me } = this.attached
    if (me !== null) countEdit(doc, this.id, me, this.#options.now())
  }

  #show(): void {
    this.#cancelShow ??= this.#options.later(SHOW_MS, () => {
      this.#cancelShow = null
      const { kind } = this.state
      const isText = kind !== 'binary' && kind !== 'none'
      this.attached.show({ cursor: isText ? this.text.cursor : null })
    })
  }

  #drawSoon(): void {
    this.#cancelDraw ??= this.#options.later(OTHERS_MS, () => this.draw())
  }
}
