import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bin, root } from '../../test/support/server.ts'
import { noTerminal, openTerminal } from '../../test/support/terminal.ts'
import { toSvg } from './svg.ts'

/** One step: wait until the screen shows a text, press a key (tmux's name), or type a text. */
export type Step = string | RegExp | { press: string } | { type: string }

/** Where the pictures are, below the root of the repository. */
export const FOLDER = join('docs', 'screenshots')

/**
 * Makes pictures: a person runs `clawlink` in a real terminal of that size, does the steps, and the screen is drawn as it is.
 * Returns the path of the picture.
 */
export const shooting =
  (url: string, env: Record<string, string>) =>
  async (
    name: string,
    title: string,
    [columns, rows]: readonly [number, number],
    steps: readonly Step[],
  ): Promise<string> => {
    if (noTerminal !== null) throw new Error(noTerminal)
    const terminal = openTerminal(columns, rows, env)
    terminal.type(`clear; node ${bin('clawlink.mjs')} ${url}`)
    terminal.press('Enter')
    await terminal.shows('connected')
    for (const step of steps) {
      if (typeof step === 'string' || step instanceof RegExp) await terminal.shows(step)
      else if ('press' in step) terminal.press(step.press)
      else terminal.type(step.type)
    }
    const file = join(FOLDER, `${name}.svg`)
    mkdirSync(join(root, FOLDER), { recursive: true })
    writeFileSync(join(root, file), toSvg(terminal.screen(true), columns, title))
    terminal.press('C-c')
    terminal.close()
    return file
  }
