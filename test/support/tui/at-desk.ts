import type { Attached } from '../../../client/resident/attach.ts'
import { Controller } from '../../../tui/control/controller.ts'
import type { Press } from '../../../tui/terminal/press.ts'
import { type Row, rowText } from '../../../tui/ui/rows.ts'
import { screenRows } from '../../../tui/views/screen.ts'

export interface AtDesk {
  desk: Controller
  /** Presses keys by name; what is longer than a name of a key is typed. */
  keys: (...names: string[]) => void
  type: (text: string) => void
  rows: () => readonly Row[]
  lines: () => string[]
  text: () => string
  /** Clicks where the text stands. */
  click: (text: string) => void
  quits: () => number
  /** The reasons given for quitting. */
  whys: () => string[]
  /** The texts that were copied. */
  copied: () => string[]
  rings: () => number
}

/** Somebody at a desk, without a terminal. */
export const atDesk = (
  attached: Attached,
  now: () => number,
  { columns = 120, rows = 30, plain = false } = {},
): AtDesk => {
  let quits = 0
  const whys: string[] = []
  const copied: string[] = []
  let rings = 0
  const desk = new Controller(attached, {
    ...{ columns, rows, plain, now },
    suspend: () => {},
    quit: (why) => {
      quits++
      if (why !== undefined) whys.push(why)
    },
    copy: (text) => copied.push(text),
    ring: () => rings++,
  })
  const press = (name: string): Press => ({
    name: name === ' ' ? 'space' : name,
    text: [...name].length === 1 ? name : '',
  })
  const shown = (): readonly Row[] => {
    const { head, body, foot } = screenRows(desk.look)
    return [head, ...(body ?? []), foot]
  }
  const lines = () => shown().map(rowText)
  return {
    ...{ desk, rows: shown, lines },
    keys: (...names) => {
      for (const name of names) desk.press(press(name))
    },
    type: (text) => {
      for (const char of text) desk.press(press(char))
    },
    text: () => lines().join('\n'),
    click: (text) => {
      const y = lines().findIndex((line) => line.includes(text))
      if (y < 0) throw new Error(`"${text}" is not on the screen:\n${lines().join('\n')}`)
      desk.mouse({ kind: 'click', x: lines()[y]!.indexOf(text), y })
    },
    quits: () => quits,
    whys: () => whys,
    copied: () => copied,
    rings: () => rings,
  }
}
