import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { bin, root, startServer, tempDir } from './support/server.ts'

/** The commands of the transcript, each with what it prints. */
const transcript = (): { who: string; command: string; output: string }[] => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const block = /<!-- transcript -->\n```console\n([\s\S]*?)```/.exec(readme)![1]!
  const steps = block.split(/^(?=\w+\$ )/m)
  return steps.map((step) => {
    const [, who, command, output] = /^(\w+)\$ (.*)\n([\s\S]*)$/.exec(step)!
    return { who: who!, command: command!, output: output! }
  })
}

it('the README’s transcript is what these commands print', async () => {
  const server = await startServer({ port: 0 })
  const base = tempDir('readme')
  const path = join(base, 'bin')
  mkdirSync(path)
  const shim = join(path, 'clawlink-agent')
  writeFileSync(shim, `#!/bin/sh\nexec '${process.execPath}' '${bin('clawlink-agent.cjs')}' "$@"\n`)
  chmodSync(shim, 0o755)

  /** Ids are new in every run: the README's, by those that came in their place. */
  const ids = new Map<string, string>()
  const translate = (text: string) =>
    text
      .replaceAll('http://127.0.0.1:9077', server.url)
      .replaceAll(/\b[atm]-[0-9a-z]{12}\b/g, (id) => ids.get(id) ?? id)
  const sameFor = (text: string, machine: string) =>
    text
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(`machine=${machine}`, 'machine=M')
  const steps = transcript()
  expect(steps.length).toBeGreaterThan(10)
  for (const { who, command, output } of steps) {
    const cwd = join(base, who)
    mkdirSync(cwd, { recursive: true })
    const env = {
      ...process.env,
      CLAWLINK_HOME: join(cwd, 'home'),
      PATH: `${path}:${process.env.PATH}`,
    }
    const shown = spawnSync('sh', ['-c', `${translate(command)} 2>&1`], {
      cwd,
      env,
      encoding: 'utf8',
    })
    const real = shown.stdout.match(/\b[atm]-[0-9a-z]{12}\b/g) ?? []
    for (const [i, id] of (output.match(/\b[atm]-[0-9a-z]{12}\b/g) ?? []).entries()) {
      if (!ids.has(id)) ids.set(id, real[i] ?? 'missing')
    }
    expect(sameFor(shown.stdout, hostname()), command).toBe(sameFor(translate(output), 'laptop'))
  }
  await server.stop()
})
