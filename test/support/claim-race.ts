import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { bundle } from '../../bench/programs.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { registerAgent } from '../../workspace/agents/agents.ts'
import { addTask, listTasks } from '../../workspace/tasks/tasks.ts'
import { liveDoc, until } from './client.ts'
import { root, type Server } from './server.ts'

export interface Race {
  /** Ids of all tasks, sorted. */
  tasks: string[]
  /** Ids of what was granted, sorted; one that was granted twice is twice in it. */
  claimed: string[]
  /** Tasks that nobody got (count). */
  left: number
  /** Processes that got any (count). */
  winners: number
  /** How long each command took, in milliseconds. */
  times: number[]
  /** From the first command to the last answer, in milliseconds. */
  took: number
}

/** What each of so many processes got, and how long it all took, in milliseconds. */
export const race = async (url: string, workspace: string, processes: number) => {
  const racer = await bundle('../test/support/claim-racer.ts')
  const racers = await Promise.all(
    Array.from({ length: processes }, async (_, p) => {
      const args = [racer, url, workspace, `a-${p}`]
      const child = spawn(process.execPath, args, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
      let out = ''
      child.stdout.on('data', (chunk) => {
        out += chunk
      })
      await until('a racer is up', () => out.startsWith('ready\n'), 60_000)
      return async () => {
        child.stdin.end('go\n')
        await once(child, 'close')
        return JSON.parse(out.slice('ready\n'.length)) as { claimed: string[]; times: number[] }
      }
    }),
  )
  const began = performance.now()
  const outcomes = await Promise.all(racers.map((go) => go()))
  const took = performance.now() - began
  return { outcomes, took }
}

/**
 * So many processes claim the next task, one command at a time, until there is none. Each is an agent of its own that
 * speaks the server's HTTP, with the client that `clawlink-agent` uses; they begin together.
 */
export const runRace = async (
  server: Pick<Server, 'url' | 'sync'>,
  { processes, tasks: count }: { processes: number; tasks: number },
): Promise<Race> => {
  const { client, doc } = await liveDoc(`${server.sync}/race-${processes}-${count}`)
  const workspace = `race-${processes}-${count}`
  const register = (id: string) =>
    registerAgent(doc, {
      ...{ id: id as AgentId, name: id, capabilities: [], machine: '', description: '', now: 1 },
    })
  register('a-boss')
  for (let p = 0; p < processes; p++) register(`a-${p}`)
  const tasks = Array.from({ length: count }, (_, i) => `t-${String(i).padStart(5, '0')}`)
  const facts = { description: 'x', context: null, priority: 'normal' } as const
  for (const id of tasks) {
    addTask(doc, { ...facts, id: id as TaskId, from: 'a-boss' as AgentId, to: null, now: 1 })
  }
  await client.barrier()

  const { outcomes, took } = await race(server.url, workspace, processes)
  await client.barrier()
  const left = listTasks(doc).filter(({ status }) => status === 'submitted').length
  await client.close()
  return {
    ...{ tasks, left, took },
    claimed: outcomes.flatMap(({ claimed }) => claimed).sort(),
    winners: outcomes.filter(({ claimed }) => claimed.length > 0).length,
    times: outcomes.flatMap(({ times }) => times),
  }
}
