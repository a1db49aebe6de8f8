import { expect, it } from 'vitest'
import { orLong, runSeed } from '../../support/client.ts'
import { runKills } from '../../support/tasks/kills.ts'

it('[DUR-4] [TASK-1] [TASK-4] [TASK-17] kill -9 of the server takes back no command on a task that was answered, and does none twice', async () => {
  const done = await runKills(runSeed('kills while tasks are done') % 1e6, orLong(5, 25))
  console.log(done)
  expect(done.tasks).toBeGreaterThan(5)
  expect(done.commands).toBeGreaterThan(10)
})
