import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bin, root } from '../../test/support/server.ts'
import { openTerminal } from '../../test/support/terminal.ts'
import { FOLDER, type Step } from './shoot.ts'
import { toSvg } from './svg.ts'

/** Columns and rows. */
const SIZES = [
  [60, 15],
  [80, 24],
  [120, 40],
  [200, 60],
] as const
const THEMES = ['dark', 'light'] as const
/** A screen that stays for this long (milliseconds) is drawn. */
const STILL_MS = 300
/** Looks at most (count). */
const MAX_LOOKS = 60

/** A view: the steps that lead to it, and those that lead back. */
export type View = readonly [name: string, there: readonly Step[], back: readonly Step[]]

/**
 * Draws every view in every size, on a dark and a light ground: one session each, whose window is resized. Returns the
 * paths of pictures that are blank.
 */
export const drawGallery = async (
  url: string,
  env: Record<string, string>,
  views: readonly View[],
): Promise<string[]> => {
  const bad: string[] = []
  for (const theme of THEMES) {
    const folder = join(FOLDER, theme)
    mkdirSync(join(root, folder), { recursive: true })
    const terminal = openTerminal(120, 40, env)
    /** The first line ends at the right edge once the window's size has been drawn. */
    const still = async (columns: number): Promise<string[]> => {
      let last = terminal.screen(true)
      for (let looks = 0; looks < MAX_LOOKS; looks++) {
        await sleep(STILL_MS)
        const next = terminal.screen(true)
        const isDrawn = terminal.screen()[0]!.trimEnd().length >= columns - 1
        if (isDrawn && next.join('\n') === last.join('\n')) break
        last = next
      }
      return last
    }
    const walk = async (steps: readonly Step[]): Promise<void> => {
      for (const step of steps) {
        if (typeof step === 'string' || step instanceof RegExp) await terminal.shows(step)
        else if ('press' in step) terminal.press(step.press)
        else terminal.type(step.type)
      }
    }
    terminal.type(`clear; node ${bin('clawlink.mjs')} --theme ${theme} ${url}`)
    terminal.press('Enter')
    await terminal.shows('connected')
    for (const [name, there, back] of views) {
      await walk(there)
      for (const [columns, rows] of SIZES) {
        terminal.resize(columns, rows)
        const screen = await still(columns)
        const file = join(folder, `${name}-${columns}x${rows}.svg`)
        writeFileSync(join(root, file), toSvg(screen, columns, `clawlink: ${name}`, theme))
        if (
          terminal
            .screen()
            .slice(1, -1)
            .every((line) => line.trim() === '')
        )
          bad.push(file)
      }
      terminal.resize(120, 40)
      await walk(back)
    }
    terminal.press('C-c')
    terminal.close()
  }
  return bad
}
