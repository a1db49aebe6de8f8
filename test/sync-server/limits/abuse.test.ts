import { afterAll, beforeAll, expect, it } from 'vitest'
import { startWorker, type Worker } from '../../../bench/programs.ts'
import { member } from '../../support/auth/members.ts'
import { liveDoc } from '../../support/client.ts'
import type { AttackJob } from '../../support/limits/attacker.ts'
import { ATTACKS, type AttackName, type Outcome } from '../../support/limits/attacks.ts'
import { type HonestPair, honestPair } from '../../support/limits/honest.ts'
import { memoryOf } from '../../support/memory.ts'
import { fetch, type Server, startServer } from '../../support/server.ts'

/** How long each attack takes at first (milliseconds); twice as long where too little came back meanwhile, on a busy machine. */
const MS = 200
/** What the server may grow by while it is abused (MiB). */
const GROWTH = 400
/** Edits of the honest client that are answered during each attack (count), at least. */
const EDITS = 20

let server: Server
let honest: HonestPair
let attacker: Worker<AttackJob, Outcome>
let before: number
const args = ['--log-level', 'error']
beforeAll(async () => {
  server = await startServer({ args })
  const { headers } = await member(server, 'a-honest000001')
  honest = await honestPair(`${server.sync}/default`, headers)
  attacker = await startWorker('../test/support/limits/attacker.ts')
  before = memoryOf(server.process.pid!)
})
afterAll(() => Promise.all([server.stop(), attacker.close()]))

it.each(Object.keys(ATTACKS) as AttackName[])(
  '[LIM-25] %s: an honest client goes on, and nothing is lost',
  async (attack) => {
    const { url, sync, port } = server
    const agent = `a-attacker${String(Object.keys(ATTACKS).indexOf(attack)).padStart(4, '0')}`
    const { headers } = await member(server, agent)
    const victim = { url, sync, port, agent, headers }
    // Whom an attack holds up for as long as it goes on gets no answer, however long that is.
    for (let [ms, answered] = [MS, 0]; answered < EDITS; ms *= 2) {
      let isOver = false
      const attacking = attacker.run({ attack, ms, victim }).finally(() => {
        isOver = true
      })
      const { inTime } = await honest.measure(() => isOver, EDITS)
      console.log(ms, inTime, await attacking)
      answered = Math.min(inTime.barrier, inTime.seen)
    }
    expect(memoryOf(server.process.pid!) - before).toBeLessThan(GROWTH)
  },
)

it('[LIM-25] … nothing, also for who comes new and after a restart', async () => {
  const { length } = honest
  await honest.close()
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
  const { data, port } = server
  await server.stop()
  server = await startServer({ data, port, args })
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  expect(doc.getText('file:honest.txt').length).toBe(length)
  await client.close()
})
