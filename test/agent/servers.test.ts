import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agent } from '../support/agent.ts'
import { type Server, startServer } from '../support/server.ts'

let one: Server
let two: Server
beforeAll(async () => {
  ;[one, two] = await Promise.all([startServer(), startServer()])
})
afterAll(() => Promise.all([one.stop(), two.stop()]))

it('[C8] a look at another server moves nothing; register does, and says so', async () => {
  const ann = agent()
  const state = () => readFileSync(join(ann.home, 'agent_state.json'), 'utf8')
  const first = await ann.run('--relay', one.url, 'register', '--name', 'Ann')
  expect(first).toMatchObject({ code: 0, stderr: '' })
  const before = state()
  for (const look of [['discover'], ['tasks'], ['log'], ['file-list'], ['info'], ['whoami']]) {
    expect((await ann.run('--relay', two.url, ...look)).code).toBe(0)
  }
  expect(state()).toBe(before)
  expect(await ann.ask('discover')).toMatchObject({ count: 1 })
  const moved = await ann.run('--relay', two.url, 'register', '--name', 'Ann')
  expect(moved.stderr).toContain(`is now default of ${two.url}; it was default of ${one.url}`)
  expect(await ann.ask('whoami')).toMatchObject({ server: two.url })
})
