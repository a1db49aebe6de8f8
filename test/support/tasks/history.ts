import { seeded } from '../client.ts'
import { Watch } from './checks.ts'
import { checkEnd } from './ending.ts'
import { Run } from './operations.ts'
import { TaskWorld } from './world.ts'

const OPERATIONS = 90

/**
 * One random history: everything that agents, time and kills can do to tasks, in an order that the seed decides, looked at
 * after every step; then all come back and work, and everything has to end. Throws with seed and operations.
 */
export const runHistory = async (seed: number): Promise<Record<string, number>> => {
  const random = seeded(seed)
  const world = new TaskWorld(random)
  const run = new Run(world)
  const watch = new Watch(world)
  const done: string[] = []
  try {
    for (const name of ['1', '2', '3', '4'].slice(0, 2 + world.below(3))) {
      const member = world.add(name)
      member.connect()
      member.exchange()
      done.push(`${member.id}: ${run.join(member)}`)
    }
    for (let i = 0; i < OPERATIONS; i++) {
      const member = world.pick(world.members)
      done.push(`${member.id}: ${await run.step(member)}`)
      watch.check()
    }
    await checkEnd(run, watch)
  } catch (error) {
    const wrong = new Error(
      `SEED=${seed}: ${(error as Error).message}\n${done.map((line, i) => `${i}. ${line}`).join('\n')}`,
    )
    wrong.cause = error
    throw wrong
  }
  return run.counts
}
