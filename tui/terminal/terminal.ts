import { KeysOnly, MOUSE_OFF, MOUSE_ON, type Mouse } from './mouse.ts'
import { ASK_GROUND, type Ground } from './theme.ts'

/** Subscribes to mouse events; returns a function that unsubscribes. */
export type Mice = (listener: (mouse: Mouse) => void) => () => void

export interface TerminalOptions {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  hasMouse: boolean
  /** True: the terminal is asked whether its ground is dark or light. */
  asksGround?: boolean
  /** The ground, if it is known without asking. */
  ground?: Ground
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
  readonly #groundListeners = new Set<() => void>()
  #ground: Ground
  #leave = () => {}

  constructor(options: TerminalOptions) {
    this.#options = options
    this.#ground = options.ground ?? null
    this.keys = new KeysOnly(
      options.stdin,
      (mouse) => {
        for (const listener of this.#listeners) listener(mouse)
      },
      (ground) => this.#onGround(ground),
    )
    process.on('uncaughtExceptionMonitor', this.#restore)
  }

  mice: Mice = (listener) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The ground of the terminal, as far as it is known. */
  ground = (): Ground => this.#ground

  onGround = (listener: () => void): (() => void) => {
    this.#groundListeners.add(listener)
    return () => this.#groundListeners.delete(listener)
  }

  #onGround(ground: Ground): void {
    if (ground === null || ground === this.#ground) return
    this.#ground = ground
    for (const listener of this.#groundListeners) listener()
  }

  /**
   * Ends the echo of keys, before the first frame: this begins where the cursor is, which keys typed ahead have moved
   * from the left edge.
   */
  own(): void {
    this.keys.setRawMode(true)
    this.#options.stdout.write('\r')
  }

  /** From here on the mouse is the program's, and the screen is Ink's; `leave` has Ink give it back, at once. */
  begin(leave: () => void): void {
    this.#leave = leave
    if (this.#options.hasMouse) this.#options.stdout.write(MOUSE_ON)
    if (this.#options.asksGround === true) this.#options.stdout.write(ASK_GROUND)
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
    process.off('uncaughtExceptionMonitor', this.#restore)
    if (this.#options.hasMouse) this.#options.stdout.write(MOUSE_OFF)
    this.keys.close()
  }

  /** Before an error that nobody caught is printed, so that it can be read. */
  #restore = (): void => {
    this.#leave()
    this.close()
  }
}
