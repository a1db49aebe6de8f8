import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kind } from './kind.ts'
import type { Model } from './model/scripted-model.ts'
import { idle, openSession } from './session.ts'
import type { Team } from './team.ts'

/** How a profile fared that two hosts have open at once. */
export interface Shared {
  tasks: number
  /** Tasks that were worked on exactly once. */
  once: number
  /** Turns that began, by host. */
  turns: Record<string, number>
}

/** Two hosts open on one profile; tasks come to it one by one, then all at once. */
export const shareProfile = async (
  kinds: readonly [Kind, Kind],
  options: { team: Team; model: Model; path: string; tasks: number },
): Promise<Shared> => {
  const { team, model, path, tasks } = options
  const name = 'shared'
  const home = await team.newMember(name, path)
  const nameOf = (kind: Kind) => `${name}-${kind.name}`
  for (const kind of kinds) {
    kind.setUp(home, model.url(nameOf(kind)))
    await home.run('clawlink-agent', 'hosts', 'install', kind.name)
  }
  const sessions = []
  try {
    for (const kind of kinds) {
      sessions.push(await openSession(kind, { home, name: nameOf(kind), model }))
    }
    const before = model.turns.length
    const half = Math.ceil(tasks / 2)
    const given: string[] = []
    for (let i = 0; i < half; i++) {
      const { task } = await team.delegate(name, `task ${i}`)
      given.push(task)
      await team.hasResult(`done: ${task}`)
    }
    for (let i = half; i < tasks; i++) given.push((await team.delegate(name, `task ${i}`)).task)
    for (const kind of kinds) await idle(model, nameOf(kind), 10_000)
    const done = readFileSync(join(home.project, 'done.txt'), 'utf8').trim().split('\n')
    const turns = model.turns.slice(before)
    return {
      tasks,
      once: given.filter((task) => done.filter((one) => one === task).length === 1).length,
      turns: Object.fromEntries(
        kinds.map((kind) => [
          kind.name,
          turns.filter(({ session }) => session === nameOf(kind)).length,
        ]),
      ),
    }
  } finally {
    for (const session of sessions) await session.close()
  }
}
