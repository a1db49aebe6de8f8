import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { endLink } from './agent.ts'
import { atEnd } from './at-end.ts'
import { bin, type Server, tempDir } from './server.ts'

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
  play: (step: Step) => { shown: string; expected: string }
}

/** Where the agents of a transcript work, one folder and one identity each, against `server`. */
export const stageFor = (server: Server): Stage => {
  const base = tempDir('transcript')
  const path = `${binDir()}:${process.env.PATH}`
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
  const run = ({ who, command, output }: Step): string => {
    const cwd = dirOf(who)
    const env = { ...process.env, CLAWLINK_HOME: join(cwd, 'home'), PATH: path }
    const { stdout } = spawnSync('sh', ['-c', `${translate(command)} 2>&1`], {
      ...{ cwd, env },
      encoding: 'utf8',
    })
    const real = stdout.match(ID) ?? []
    for (const [i, id] of (output.match(ID) ?? []).entries()) {
      if (!ids.has(id)) ids.set(id, real[i] ?? 'missing')
    }
    return stdout
  }
  return {
    dirOf,
    play: (step) => {
      const deadline = Date.now() + PRESENCE_MS
      for (;;) {
        const shown = sameFor(run(step), hostname())
        const expected = sameFor(translate(step.output), 'laptop')
        const looks = /^clawlink-agent (discover|prime)\b/.test(step.command)
        if (shown === expected || !looks || Date.now() > deadline) return { shown, expected }
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
      }
    },
  }
}
