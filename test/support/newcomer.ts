import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './client.ts'
import { root } from './server.ts'

/** What the README has somebody type who meets ClawLink for the first time, and what is to be seen. */
const walk = (): { command: string; output: string }[] => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const block = /<!-- newcomer -->\n```shell-session\n([\s\S]*?)```/.exec(readme)![1]!
  return block.split(/^(?=\$ )/m).map((step) => {
    const [, command, output] = /^\$ (.*)\n([\s\S]*)$/.exec(step)!
    return { command: command!, output: output! }
  })
}

export interface Walked {
  commands: string[]
  /** Seconds that each took: to its end, or until it was seen to be ready. */
  seconds: number[]
  /** What the last but one printed once it was answered. */
  answer: string
}

/** Types them word for word, as in terminals of their own; `skip` so many. Throws where one does not do what it should. */
export const walkAsNewcomer = async (
  env: Record<string, string>,
  cwd: string,
  skip = 0,
): Promise<Walked> => {
  const ids = new Map<string, string>()
  const staying: { child: ChildProcess; text: () => string }[] = []
  const walked: Walked = { commands: [], seconds: [], answer: '' }
  const start = (command: string) => {
    let said = ''
    const child = spawn('/bin/sh', ['-c', command], { env, cwd, detached: true })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk) => {
        said += chunk
      })
    }
    return { child, text: () => said }
  }
  const ended = async ({ child, text }: (typeof staying)[number], command: string) => {
    if (child.exitCode === null) await once(child, 'close')
    if (child.exitCode !== 0) throw new Error(`${command}\nexits ${child.exitCode}: ${text()}`)
  }
  try {
    for (const { command, output } of walk().slice(skip)) {
      const typed = command.replaceAll(/\bt-[0-9a-z]{12}\b/g, (id) => ids.get(id) ?? id)
      const began = performance.now()
      const one = start(typed)
      const ready = /^clawlink-sync/.test(typed)
        ? /^ {2}local/m
        : /--wait/.test(typed)
          ? /t-\w+/
          : null
      if (ready === null) await ended(one, typed)
      else {
        staying.push(one)
        await until(`"${typed}" is ready`, () => {
          if (one.child.exitCode !== null) throw new Error(`"${typed}" ended: ${one.text()}`)
          return ready.test(one.text())
        })
      }
      for (const [i, id] of (output.match(/\bt-[0-9a-z]{12}\b/g) ?? []).entries()) {
        ids.set(id, one.text().match(/\bt-[0-9a-z]{12}\b/g)![i]!)
      }
      walked.commands.push(typed)
      walked.seconds.push((performance.now() - began) / 1000)
    }
    const asked = staying.at(-1)!
    await ended(asked, walked.commands.at(-2)!)
    walked.answer = asked.text()
    return walked
  } finally {
    for (const home of ['alice', 'bob']) {
      await once(start(`CLAWLINK_HOME=~/${home} clawlink-agent down`).child, 'close')
    }
    for (const { child } of staying) {
      if (child.exitCode !== null) continue
      process.kill(-child.pid!, 'SIGTERM')
      await once(child, 'close')
    }
  }
}
