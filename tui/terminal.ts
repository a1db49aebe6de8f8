import { KeysOnly, MOUSE_OFF, MOUSE_ON, type Mouse } from './mouse.ts'

/** Leaves the other screen and bracketed paste, shows the cursor, without attributes. */
const AS_IT_WAS = '\u001b[?1049l\u001b[?2004l\u001b[?25h\u001b[0m'

/** Who wants to know what the mouse does; returns what ends it. */
export type Mice = (listener: (mouse: Mouse) => void) => () => void

export interface TerminalOptions {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  hasMouse: boolean
  /** Has the other screen, and so on: what is to be undone. */
  isFull: boolean
}

/**
 * The terminal as long as the program has it: mouse reports are taken out of the keys, and however the program ends, the
 * terminal is as it was before.
 */
export class Terminal {
  /** The keys, for Ink. */
  readonly keys: KeysOnly
  readonly #options: TerminalOptions
  readonly #listeners = new Set<(mouse: Mouse) => void>()
  #isOver = false

  constructor(options: TerminalOptions) {
    this.#options = options
    this.keys = new KeysOnly(options.stdin, (mouse) => {
      for (const listener of this.#listeners) listener(mouse)
    })
    process.on('exit', this.#atExit)
  }

  mice: Mice = (listener) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** From here on the mouse is the program's. To be called when Ink has the screen. */
  begin(): void {
    if (this.#options.hasMouse) this.#options.stdout.write(MOUSE_ON)
  }

  /** Stops the program, as Ctrl-Z does elsewhere; resolves when the shell lets it go on. Ink must not have the terminal. */
  async stop(): Promise<void> {
    const { stdout, stdin, hasMouse } = this.#options
    if (hasMouse) stdout.write(MOUSE_OFF)
    stdin.pause()
    const goesOn = new Promise<void>((resolve) => process.once('SIGCONT', () => resolve()))
    process.kill(process.pid, 'SIGSTOP')
    await goesOn
    stdin.resume()
    if (hasMouse) stdout.write(MOUSE_ON)
  }

  /** Lets go of the terminal, once Ink has. */
  close(): void {
    this.#isOver = true
    process.off('exit', this.#atExit)
    if (this.#options.hasMouse) this.#options.stdout.write(MOUSE_OFF)
    this.keys.close()
  }

  /** What nobody caught ends the program here: what it says is readable then. */
  #atExit = (): void => {
    if (this.#isOver) return
    const { stdin, stdout, hasMouse, isFull } = this.#options
    stdout.write((hasMouse ? MOUSE_OFF : '') + (isFull ? AS_IT_WAS : ''))
    if (stdin.isRaw) stdin.setRawMode(false)
  }
}
