import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let lead: Agent & { id: string }
let scout: Agent & { id: string }

beforeAll(async () => {
  server = await startHere()
  lead = await registeredHere(server.url, 'Lead')
  scout = await registeredHere(server.url, 'Scout')
})
afterAll(() => server.stop())

it('[MSG-9] a paused agent is told by prime and poll, until it is resumed', async () => {
  const { agent } = await lead.ask<{ agent: object }>('pause', 'scout', 'the plan\x1b[31m changes')
  expect(agent).toMatchObject({ paused: { by: lead.id, note: 'the plan\x1b[31m changes' } })

  for (const verb of ['prime', 'poll']) {
    const { stderr } = await scout.atLink(verb, ...(verb === 'poll' ? ['--peek'] : []))
    expect(stderr).toMatch(
      /you are paused by a-\w+ \(Lead\) since \S+: "the plan\\u001b\[31m changes"/,
    )
    const { paused } = await scout.ask<{ paused: object }>(verb)
    expect(paused).toMatchObject({ by: lead.id })
  }
  expect((await lead.atLink('poll')).stderr).not.toContain('paused')

  await lead.ask('resume', 'Scout')
  for (const verb of ['prime', 'poll']) {
    expect((await scout.atLink(verb)).stderr).not.toContain('paused')
    expect(await scout.ask(verb)).not.toHaveProperty('paused')
  }
})

it('[MSG-9] pausing nobody is refused', async () => {
  const { code, stderr } = await lead.atLink('pause', 'scuot')
  expect(code).toBe(3)
  expect(stderr).toContain('Scout')
})
