import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { actorSuite, CONTRACTS } from '../../support/actions/actor-suite.ts'
import { httpAgents, replicas } from '../../support/actions/actors.ts'

const FOLDER = new URL('../../../workspace/actions/', import.meta.url)

it('every action has a contract', async () => {
  const names: string[] = []
  for (const file of readdirSync(FOLDER)) {
    if (!file.endsWith('.ts')) continue
    const exported = (await import(new URL(file, FOLDER).href)) as Record<string, unknown>
    for (const [name, one] of Object.entries(exported)) {
      if (typeof one === 'object' && one !== null && 'run' in one && 'input' in one)
        names.push(name)
    }
  }
  expect(names.sort()).toEqual(Object.keys(CONTRACTS).sort())
})

actorSuite(replicas)
actorSuite(httpAgents)
