import { afterAll, beforeAll, expect, it } from 'vitest'
import { runRace } from '../../support/claim-race.ts'
import { type Server, startServer } from '../../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({ args: ['--log-level', 'error'] })
})
afterAll(() => server.stop())

it('[TASK-10] [TASK-27] 10 processes that claim next until there is none: each task once, none left, none twice', async () => {
  const race = await runRace(server, { processes: 10, tasks: 150 })
  expect(race.claimed).toEqual(race.tasks)
  expect(race.left).toBe(0)
  expect(race.winners).toBeGreaterThan(1)
})
