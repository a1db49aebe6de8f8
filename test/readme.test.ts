import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { root, startServer } from './support/server.ts'
import { realShell, stageFor, transcriptOf } from './support/transcript.ts'

it('the README’s transcript is what these commands print', async () => {
  const server = await startServer({ port: 0 })
  onTestFinished(async () => void (await server.stop()))
  const stage = stageFor(server, realShell())
  const steps = transcriptOf(readFileSync(join(root, 'README.md'), 'utf8'))
  expect(steps.length).toBeGreaterThan(10)
  for (const step of steps) {
    const { shown, expected } = await stage.play(step)
    expect(shown, step.command).toBe(expected)
  }
})
