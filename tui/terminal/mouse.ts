import { Transform } from 'node:stream'
import { withF1 } from './press.ts'
import { type Ground, splitGround } from './theme.ts'

/** A mouse event; column and row are 0-based cells. */
export interface Mouse {
  kind: 'click' | 'up' | 'down'
  x: number
  y: number
}

/** Reports of buttons and the wheel, in decimal (SGR); without movements, which are many and of no use here. */
export const MOUSE_ON = '\u001b[?1000h\u001b[?1006h'
export const MOUSE_OFF = '\u001b[?1006l\u001b[?1000l'

const REPORT = /\u001b\[<(\d{1,5});(\d{1,5});(\d{1,5})([Mm])/g
/** A report that has only begun. */
const BEGUN = /\u001b\[<[\d;]{0,17}$/

/** Takes the reports out of what a terminal sent; `pending` is what may be the beginning of one. */
export const splitMouse = (text: string): { mice: Mouse[]; rest: string; pending: string } => {
  const mice: Mouse[] = []
  const rest = text.replace(REPORT, (_, button: string, column: string, row: string, end) => {
    const code = Number(button)
    const [x, y] = [Number(column) - 1, Number(row) - 1]
    if ((code & 64) !== 0) mice.push({ kind: (code & 1) === 0 ? 'up' : 'down', x, y })
    else if ((code & 3) === 0 && end === 'M') mice.push({ kind: 'click', x, y })
    return ''
  })
  const pending = BEGUN.exec(rest)?.[0] ?? ''
  return { mice, rest: rest.slice(0, rest.length - pending.length), pending }
}

/**
 * A terminal's input without the reports of its mouse and the answers about its ground, which go to their listeners. Ink
 * reads keys from it as it would from the terminal itself, whose modes it passes on.
 */
export class KeysOnly extends Transform {
  readonly isTTY = true
  #pending = ''
  readonly #terminal: NodeJS.ReadStream
  readonly #onMouse: (mouse: Mouse) => void
  readonly #onGround: (ground: Ground) => void

  constructor(
    terminal: NodeJS.ReadStream,
    onMouse: (mouse: Mouse) => void,
    onGround: (ground: Ground) => void = () => {},
  ) {
    super({ decodeStrings: false, encoding: 'utf8' })
    this.#terminal = terminal
    this.#onMouse = onMouse
    this.#onGround = onGround
    terminal.setEncoding('utf8')
    terminal.pipe(this)
  }

  override _transform(chunk: string, _encoding: string, done: () => void): void {
    const { grounds, ...sent } = splitGround(this.#pending + withF1(chunk))
    const { mice, rest, pending } = splitMouse(sent.rest)
    this.#pending = pending + sent.pending
    if (rest !== '') this.push(rest)
    for (const mouse of mice) this.#onMouse(mouse)
    for (const ground of grounds) this.#onGround(ground)
    done()
  }

  setRawMode(isRaw: boolean): this {
    this.#terminal.setRawMode(isRaw)
    return this
  }

  ref(): this {
    this.#terminal.ref()
    return this
  }

  unref(): this {
    this.#terminal.unref()
    return this
  }

  /** Lets go of the terminal. */
  close(): void {
    this.#terminal.unpipe(this)
    this.#terminal.pause()
    this.end()
  }
}
