import type { Call } from './call.ts'
import { oneLine } from './text.ts'

/** A picture every so often is enough for an eye. */
const DRAW_MS = 100
const BAR_CELLS = 20
const NAME_CELLS = 24

/** The progress of a transfer on one line of at most 79 columns. `done`, `total`: bytes. */
export const progressLine = (what: string, name: string, done: number, total: number): string => {
  const part = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.floor(part * BAR_CELLS)
  const bar = '#'.repeat(filled).padEnd(BAR_CELLS, '.')
  const short = [...oneLine(name)]
  const shown =
    short.length > NAME_CELLS ? `…${short.slice(1 - NAME_CELLS).join('')}` : short.join('')
  const percent = `${Math.floor(part * 100)}%`.padStart(4)
  return `${what} ${shown} ${bar}${percent} of ${megabytes(total)}`
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** A line on stderr that shows how far something is, where stderr is a terminal and no JSON is asked for. */
export class Progress {
  readonly #draw: ((text: string) => void) | null
  readonly #label: (bytes: number) => string
  #drawn = 0

  constructor(call: Call, what: string, name: string, total: number) {
    const { progress, say } = call.request
    this.#draw = progress === true && !call.has('json') ? say : null
    this.#label = (bytes) => progressLine(what, name, bytes, total)
  }

  show(bytes: number): void {
    const now = Date.now()
    if (this.#draw === null || now - this.#drawn < DRAW_MS) return
    this.#drawn = now
    this.#draw(`\r\u001b[K${this.#label(bytes)}`)
  }

  /** Takes the line away. */
  close(): void {
    if (this.#drawn > 0) this.#draw?.('\r\u001b[K')
  }
}
