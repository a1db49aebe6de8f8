import '../../../tui/terminal/polyfill.ts'
import { cleanup, render } from 'ink-testing-library'
import type { Attached } from '../../../client/resident/attach.ts'
import { App, type UiEnv } from '../../../tui/app.tsx'
import type { Mouse } from '../../../tui/terminal/mouse.ts'
import { widthOf } from '../../../tui/text/display.ts'
import { until } from '../client.ts'

export { cleanup }

const ANSI = /\u001b\[[0-9;?]*[A-Za-z]/g

export interface Shown {
  /** What the terminal shows, line by line, without colours. */
  lines: () => string[]
  text: () => string
  /** With colours. */
  raw: () => string
  keys: (...keys: string[]) => void
  resize: (columns: number, rows: number) => void
  mouse: (mouse: Mouse) => void
  /** Resolves when the frame has this text. */
  sees: (text: string | RegExp) => Promise<void>
  quits: () => number
  bells: () => number
}

/** Names of keys → what a terminal sends. */
const KEYS: Readonly<Record<string, string>> = {
  enter: '\r',
  // As terminals with the kitty protocol send it: a lone escape is one only when nothing follows for a while.
  esc: '\u001b[27u',
  tab: '\t',
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  'ctrl-s': '\u0013',
  'ctrl-j': '\n',
  backspace: '\u007f',
}

/** The app on a terminal of this size. */
export const show = async (
  attached: Attached,
  columns: number,
  rows: number,
  env: UiEnv = {},
  now?: number,
): Promise<Shown> => {
  let quits = 0
  let bells = 0
  const moused = new Set<(mouse: Mouse) => void>()
  const app = render(
    <App
      {...{ attached, env, ...(now !== undefined && { now: () => now }) }}
      mice={(listener) => {
        moused.add(listener)
        return () => moused.delete(listener)
      }}
      onQuit={() => quits++}
      onBell={() => bells++}
    />,
  )
  const resize = (width: number, height: number) => {
    Object.defineProperty(app.stdout, 'columns', { value: width, configurable: true })
    Object.defineProperty(app.stdout, 'rows', { value: height, configurable: true })
    app.stdout.emit('resize')
  }
  const raw = () => app.lastFrame() ?? ''
  const lines = () => raw().replace(ANSI, '').replace(/ +$/gm, '').split('\n')
  const text = () => lines().join('\n')
  resize(columns, rows)
  await until(
    `a frame of ${columns}×${rows}`,
    () => lines().length === rows && Math.max(...lines().map(widthOf)) <= columns,
  )
  return {
    ...{ lines, text, raw, resize },
    keys: (...keys) => {
      for (const key of keys) app.stdin.write(KEYS[key] ?? key)
    },
    mouse: (mouse) => {
      for (const listener of moused) listener(mouse)
    },
    sees: (wanted) =>
      until(`the frame has ${wanted}:\n${text()}`, () =>
        typeof wanted === 'string' ? text().includes(wanted) : wanted.test(text()),
      ),
    quits: () => quits,
    bells: () => bells,
  }
}
