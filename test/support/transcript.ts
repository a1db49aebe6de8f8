import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { agentHere, endLink } from './agent.ts'
import { atEnd } from './at-end.ts'
import { bin, type ServerAt, tempDir } from './server.ts'

/** One line `who$ command` of a session that a document shows, with what it prints below. */
export interface Step {
  who: string
  command: string
  output: string
}

/** The steps of every fenced console block in a text that says who types, in its order. */
export const transcriptOf = (markdown: string): Step[] =>
  [...markdown.matchAll(/^```console\n(?=\w+\$ )([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block!.split(/^(?=\w+\$ )/m).map((step) => {
      const [, who, command, output] = /^(\w+)\$ (.*)\n([\s\S]*)$/.exec(step)!
      return { who: who!, command: command!, output: output! }
    }),
  )

/** Who is present comes by and by: what shows it is asked again for so long, with such pauses. */
const PRESENCE_MS = 10_000
const PAUSE_MS = 150

const ID = /\b[atm]-[0-9a-z]{12}\b/g

/** A folder with a `clawlink-agent` that is this repository's, for PATH. */
export const binDir = (): string => {
  const dir = tempDir('bin')
  const shim = join(dir, 'clawlink-agent')
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${bin('clawlink-agent.cjs')}' "$@"\n`)
  chmodSync(shim, 0o755)
  return dir
}

export interface Stage {
  /** The folder that `who` works in; below it is that agent's CLAWLINK_HOME. */
  dirOf: (who: string) => string
  /** Runs a step: what it really printed, and what the document says, alike where only ids, times and names of machines differ. */
  play: (step: Step) => Promise<{ shown: string; expected: string }>
}

/** Runs a command line as typed, in a folder, with this home; its stdout and stderr. */
type Shell = (command: string, cwd: string, home: string) => Promise<string>

/** A shell, in which `clawlink-agent` is the program. */
export const realShell = (): Shell => {
  const path = `${binDir()}:${process.env.PATH}`
  return (command, cwd, home) => {
    const env = { ...process.env, CLAWLINK_HOME: home, PATH: path }
    return new Promise((resolve) => {
      execFile('sh', ['-c', `${command} 2>&1`], { cwd, env }, (_, stdout) => resolve(stdout))
    })
  }
}

/** Words of a shell's command line that are only words, some of them quoted; null: it is more than that. */
const wordsOf = (command: string): string[] | null => {
  const words = /^(?:(?:[^\s"'\\$`|&;<>*?~(){}#]|"[^"\\$`]*"|'[^']*')+(?: +|$))+$/
  if (!words.test(command)) return null
  const parts = command.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)!
  return parts.map((part) => part.replaceAll(/"([^"]*)"|'([^']*)'/g, '$1$2'))
}

/** The same, but `clawlink-agent` and its link are carried out in this process, which takes a tenth of the CPU. */
export const shellHere = (): Shell => {
  const real = realShell()
  return async (command, cwd, home) => {
    const words = wordsOf(command)
    if (words?.[0] !== 'clawlink-agent') return real(command, cwd, home)
    const { stdout, stderr } = await agentHere(undefined, home, 'link-here', cwd).run(
      ...words.slice(1),
    )
    return stdout + stderr
  }
}

/** Where the agents of a transcript work, one folder and one identity each, against `server`. */
export const stageFor = (server: ServerAt, shell: Shell): Stage => {
  const base = tempDir('transcript')
  /** Ids are new in every run: the document's, by those that came in their place. */
  const ids = new Map<string, string>()
  const translate = (text: string) =>
    text.replaceAll('http://127.0.0.1:9077', server.url).replaceAll(ID, (id) => ids.get(id) ?? id)
  const sameFor = (text: string, machine: string) =>
    text
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(new RegExp(`(machine=|"machine":"|  )${machine}(?=["\\s])`, 'g'), '$1M')
  const dirOf = (who: string) => {
    const dir = join(base, who)
    if (mkdirSync(dir, { recursive: true }) !== undefined) atEnd(() => endLink(join(dir, 'home')))
    return dir
  }
  const run = async ({ who, command, output }: Step): Promise<string> => {
    const cwd = dirOf(who)
    const stdout = await shell(translate(command), cwd, join(cwd, 'home'))
    const real = stdout.match(ID) ?? []
    for (const [i, id] of (output.match(ID) ?? []).entries()) {
      if (!ids.has(id)) ids.set(id, real[i] ?? 'missing')
    }
    return stdout
  }
  return {
    dirOf,
    play: async (step) => {
      const deadline = Date.now() + PRESENCE_MS
      for (;;) {
        const shown = sameFor(await run(step), hostname())
        const expected = sameFor(translate(step.output), 'laptop')
        const looks = /^clawlink-agent (discover|prime)\b/.test(step.command)
        if (shown === expected || !looks || Date.now() > deadline) return { shown, expected }
        await pause(PAUSE_MS)
      }
    },
  }
}
