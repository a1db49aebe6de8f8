import type { Key } from 'ink'
import type { Controller } from './control/controller.ts'
import { type EditorPress, editorPresses, isTyped } from './editor/key-input.ts'
import type { EditorSession } from './editor/session.ts'
import { type Page, topPage } from './model/state.ts'
import { type Press, pressesOf } from './terminal/press.ts'

type EditorPage = Extract<Page, { kind: 'editor' }>

/**
 * Hands keys to the open file or to the desk, by the state and not by what is drawn: keys are typed ahead of a frame, and
 * several come at once.
 */
export class Input {
  readonly #desk: Controller
  readonly #open: (page: EditorPage) => EditorSession
  readonly #end: () => void
  #session: EditorSession | null = null

  constructor(desk: Controller, open: (page: EditorPage) => EditorSession) {
    this.#desk = desk
    this.#open = open
    this.#end = desk.subscribe(() => this.#follow())
  }

  /** The open file; null: there is none. It is there before it is drawn. */
  session(): EditorSession | null {
    const page = topPage(this.#desk.look.state)
    if (page?.kind !== 'editor') return null
    this.#session ??= this.#open(page)
    return this.#session
  }

  close(): void {
    this.#end()
    this.#session?.close()
    this.#session = null
  }

  /** Closes a file that was left. */
  #follow(): void {
    const page = topPage(this.#desk.look.state)
    if (this.#session === null || (page?.kind === 'editor' && page.path === this.#session.path))
      return
    this.#session.close()
    this.#session = null
  }

  /** The open file, if it has the keys; null: the desk has them. */
  #editing(): EditorSession | null {
    return this.#desk.look.state.mode.kind === 'browse' ? this.session() : null
  }

  /** Input as Ink delivers it. */
  press(input: string, key: Key): void {
    const session = this.#editing()
    if (session === null) {
      for (const press of pressesOf(input, key)) this.give(press)
      return
    }
    const presses = editorPresses(input, key)
    // A terminal without bracketed paste sends a pasted text in one chunk.
    const isBlock = presses.length > 1 && presses.every(isTyped)
    if (isBlock && session.prompt.open === null) session.paste(input)
    else for (const press of presses) this.#giveEditor(press)
  }

  paste(text: string): void {
    const session = this.#editing()
    if (session === null) this.#desk.paste(text)
    else session.paste(text)
  }

  /** One key, for whatever has the keys now. */
  give(press: Press): void {
    if (this.#editing() === null) this.#desk.press(press)
    else this.#giveEditor(press.text === '' ? { key: press.name } : { text: press.text })
  }

  /** A key as an editor takes it; of a file that was left meanwhile it is the desk's. */
  #giveEditor(press: EditorPress): void {
    const session = this.#editing()
    if (session !== null) session.press(press)
    else if ('key' in press) this.#desk.press({ name: press.key, text: '' })
    else for (const one of pressesOf(press.text, NO_KEY)) this.give(one)
  }
}

/** Of text no key is special. */
const NO_KEY = {} as Key
