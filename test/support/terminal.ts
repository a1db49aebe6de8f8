import { execFileSync, spawnSync } from 'node:child_process'
import { statSync, writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from './client.ts'
import { root, tempDir } from './server.ts'

/** Why programs cannot be run in a terminal here; null: they can. */
export const noTerminal: string | null =
  spawnSync('tmux', ['-V']).status === 0 ? null : 'tmux is not installed'

let terminals = 0
/** Milliseconds before each look for new output. */
const LOOK_MS = 10
const PATIENCE_MS = 60_000

/** A real terminal (tmux) with a shell in it, in which programs are run by typing. */
export interface Terminal {
  /** Types text as it is. */
  type: (text: string) => void
  /** Presses keys by tmux's names: `Enter`, `Escape`, `C-z`, `Up`. */
  press: (...keys: string[]) => void
  /** The screen, line by line, without trailing blanks; `colours`: with the sequences that colour it. */
  screen: (colours?: boolean) => string[]
  /** Resolves once the screen shows `what`; throws with the screen otherwise. */
  shows: (what: string | RegExp, ms?: number) => Promise<void>
  /** Resolves once the screen shows `what` no longer. */
  hides: (what: string | RegExp, ms?: number) => Promise<void>
  resize: (columns: number, rows: number) => void
  /** The process that has the terminal: the child of the shell. */
  program: () => number
  modes: () => { otherScreen: boolean; mouse: boolean; cursor: boolean }
  /** The cell of the terminal's cursor, from 0. */
  cursor: () => { x: number; y: number }
  close: () => void
}

export const openTerminal = (
  columns: number,
  rows: number,
  env: Record<string, string> = {},
): Terminal => {
  const dir = tempDir('tmux')
  const [socket, output] = [`${dir}/s`, `${dir}/output`]
  writeFileSync(output, '')
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], { encoding: 'utf8' })
  const name = `t${++terminals}`
  const { TMUX: _, CI: __, NODE_EXTRA_CA_CERTS: ___, ...rest } = process.env
  execFileSync(
    'tmux',
    [
      ...['-S', socket, '-f', '/dev/null', 'new-session', '-d', '-s', name],
      ...['-x', String(columns), '-y', String(rows), 'env', 'PS1=$ ', 'bash', '--norc'],
    ],
    { cwd: root, env: { ...rest, LANG: 'C.UTF-8', TERM: 'xterm-256color', ...env } },
  )
  tmux('set', '-g', 'status', 'off')
  tmux('set', '-g', 'escape-time', '0')
  // What it writes is counted, as a look at the screen costs 15 ms of CPU; tmux has drawn what is in the file.
  tmux('pipe-pane', '-t', name, `exec cat >> ${output}`)
  const screen = (colours = false): string[] =>
    tmux('capture-pane', '-p', ...(colours ? ['-e', '-N'] : []), '-t', name)
      .replace(/\n$/, '')
      .split('\n')
  /** The screen as it was after so many bytes of output. */
  let seen = { bytes: -1, text: '' }
  const has = (what: string | RegExp): boolean => {
    const bytes = statSync(output).size
    if (bytes !== seen.bytes) seen = { bytes, text: screen().join('\n') }
    const { text } = seen
    return typeof what === 'string' ? text.includes(what) : what.test(text)
  }
  const wait = async (what: string | RegExp, wanted: boolean, ms: number): Promise<void> => {
    seen.bytes = -1 // a screen of another size is another one without a byte
    const looks = async () => {
      await pause(LOOK_MS)
      return has(what) === wanted
    }
    await until('', looks, ms).catch(() => {
      const said = wanted ? 'does not show' : 'goes on showing'
      throw new Error(`the screen ${said} ${what}:\n${screen().join('\n')}`)
    })
  }
  return {
    type: (text) => void tmux('send-keys', '-t', name, '-l', '--', text),
    press: (...keys) => void tmux('send-keys', '-t', name, ...keys),
    screen,
    shows: (what, ms = PATIENCE_MS) => wait(what, true, ms),
    hides: (what, ms = PATIENCE_MS) => wait(what, false, ms),
    resize: (x, y) => void tmux('resize-window', '-t', name, '-x', String(x), '-y', String(y)),
    program: () => {
      const shell = tmux('display', '-p', '-t', name, '#{pane_pid}').trim()
      return Number(execFileSync('ps', ['-o', 'pid=', '--ppid', shell], { encoding: 'utf8' }))
    },
    modes: () => {
      const flags = '#{alternate_on} #{mouse_any_flag} #{cursor_flag}'
      const [other, mouse, cursor] = tmux('display', '-p', '-t', name, flags).trim().split(' ')
      return { otherScreen: other === '1', mouse: mouse === '1', cursor: cursor === '1' }
    },
    cursor: () => {
      const at = tmux('display', '-p', '-t', name, '#{cursor_x} #{cursor_y}').trim().split(' ')
      return { x: Number(at[0]), y: Number(at[1]) }
    },
    close: () => void spawnSync('tmux', ['-S', socket, 'kill-server']),
  }
}
