import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { childEnv, tempDir } from './programs.ts'

/** What a program draws and when, and keys for it: a real terminal (tmux, in control mode). */
export interface Screen {
  /** The process in it. */
  pid: number
  /** Types text; resolves to when that was handed over (ms, `performance.now`). */
  type: (text: string) => number
  press: (key: string) => number
  /** Resolves to when the program first writes `text`, from now on; rejects after `limit` ms. */
  drawn: (text: string, limit?: number) => Promise<number>
  /** Bytes that the program has written so far. */
  written: () => number
  close: () => void
}

export const hasScreens = (): boolean => spawnSync('tmux', ['-V']).status === 0

/** The bytes of a line of tmux, one a UTF-16 unit: it writes all but printable ASCII in octal, and parts characters. */
const bytesOf = (line: string): string =>
  line.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )

/** Runs `command` (words) on a screen of its own. */
export const openScreen = async (
  command: readonly string[],
  env: NodeJS.ProcessEnv,
  [columns, rows]: readonly [number, number] = [120, 40],
): Promise<Screen> => {
  const socket = join(tempDir(), 's')
  const at = ['-S', socket, '-f', '/dev/null']
  const { TMUX: _, ...rest } = childEnv
  const tmux: ChildProcess = spawn(
    'tmux',
    [
      ...[...at, '-C', 'new-session', '-s', 's', '-x', String(columns), '-y', String(rows), '--'],
      ...command,
    ],
    {
      env: { ...rest, ...env, TERM: 'xterm-256color', LANG: 'C.UTF-8' },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const waiting = new Set<{ text: string; seen: (at: number) => void }>()
  let bytes = 0
  let tail = ''
  let line = ''
  tmux.stdout!.setEncoding('latin1')
  tmux.stdout!.on('data', (chunk: string) => {
    const at = performance.now()
    const lines = (line + chunk).split('\n')
    line = lines.pop()!
    for (const one of lines) {
      const output = /^%output %\d+ (.*)$/.exec(one)?.[1]
      if (output === undefined) continue
      const text = bytesOf(output)
      bytes += text.length
      tail = (tail + text).slice(-16_384)
      for (const waiter of waiting) {
        if (!tail.includes(waiter.text)) continue
        waiting.delete(waiter)
        waiter.seen(at)
      }
    }
  })
  tmux.stdin!.write(`resize-window -t s -x ${columns} -y ${rows}\n`)
  await once(tmux.stdout!, 'data')
  const shown = spawnSync('tmux', [...at, 'display', '-p', '-t', 's', '#{pane_pid}'], {
    encoding: 'utf8',
  })
  const send = (words: string): number => {
    tmux.stdin!.write(`send-keys -t s ${words}\n`)
    return performance.now()
  }
  return {
    pid: Number(shown.stdout),
    type: (text) => send(`-l -- '${text}'`),
    press: (key) => send(key),
    drawn: (text, limit = 10_000) =>
      new Promise((resolve, reject) => {
        tail = ''
        const waiter = {
          text: Buffer.from(text).toString('latin1'),
          seen: (at: number) => {
            clearTimeout(timer)
            resolve(at)
          },
        }
        const timer = setTimeout(() => {
          waiting.delete(waiter)
          reject(new Error(`"${text}" was not drawn within ${limit} ms`))
        }, limit)
        waiting.add(waiter)
      }),
    written: () => bytes,
    close: () => void spawnSync('tmux', [...at, 'kill-server']),
  }
}
