import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { addTask, getTask, taskHistory } from '../../../workspace/tasks/tasks.ts'
import { liveDoc, until } from '../../support/client.ts'
import { fetch, root, type Server, startServer } from '../../support/server.ts'

const PROCESSES = 8
const TASKS = 200

let server: Server
beforeAll(async () => {
  server = await startServer({ args: ['--log-level', 'error'] })
})
afterAll(() => server.stop())

/** A racer that is up and waits: `begin` has it go for the first task; `go` for all, to the HTTP status of each. */
const racer = async (agent: string) => {
  const worker = ['test/support/race-worker.mjs', server.url, agent]
  const child = spawn(process.execPath, worker, { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  await until('the racer is up', () => out.startsWith('ready\n'))
  return {
    begin: async (tasks: readonly string[]): Promise<void> => {
      child.stdin.write(`${tasks.join(' ')}\n`)
      await until('it has begun', () => out.startsWith('ready\nbegun\n'))
    },
    go: async (): Promise<Record<string, number>> => {
      child.stdin.end('go\n')
      await once(child, 'close')
      return JSON.parse(out.slice('ready\nbegun\n'.length))
    },
  }
}

const post = (task: string, body: object) =>
  fetch(`${server.url}/api/workspaces/default/tasks/${task}/status`, {
    method: 'POST',
    body: JSON.stringify(body),
  })

it(`[TASK-1] ${PROCESSES} processes race to move ${TASKS} tasks to working: exactly one wins each`, async () => {
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const tasks = Array.from({ length: TASKS }, (_, i) => `t-${i}` as TaskId)
  const agent = (id: string) => ({
    id: id as AgentId,
    name: id,
    capabilities: [],
    machine: 'm',
    description: '',
    now: 1,
  })
  for (let p = 0; p < PROCESSES; p++) registerAgent(doc, agent(`a-${p}`))
  registerAgent(doc, agent('boss'))
  const facts = {
    description: 'x',
    context: null,
    priority: 'normal',
    from: 'boss' as AgentId,
  } as const
  for (const id of tasks) addTask(doc, { ...facts, id, to: null, now: 1 })
  await client.barrier()

  const racers = await Promise.all(Array.from({ length: PROCESSES }, (_, p) => racer(`a-${p}`)))
  // Each begins with another task, and goes on when all have: nobody can have won everything before.
  const from = (p: number) => [...tasks.slice(p), ...tasks.slice(0, p)]
  await Promise.all(racers.map(({ begin }, p) => begin(from(p))))
  const outcomes = await Promise.all(racers.map(({ go }) => go()))
  await client.barrier()
  const winners = new Set<number>()
  for (const id of tasks) {
    const statuses = outcomes.map((outcome) => outcome[id])
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 409)).toHaveLength(PROCESSES - 1)
    const winner = statuses.indexOf(200)
    winners.add(winner)
    expect(getTask(doc, id)).toMatchObject({ status: 'working', owner: `a-${winner}`, revision: 1 })
    expect(taskHistory(doc, id)).toHaveLength(1)
  }
  expect(winners.size).toBe(PROCESSES)

  // [TASK-3] A finished task stays as it is, whoever asks for whatever.
  for (const [i, id] of tasks.slice(0, 40).entries()) {
    const { owner } = getTask(doc, id)
    const end = ['completed', 'failed'][i % 2]!
    expect((await post(id, { by: owner, state: end, message: 'r', key: 'end' })).status).toBe(200)
    for (const state of ['working', 'completed', 'failed', 'canceled', 'rejected']) {
      for (const by of [owner, 'boss', 'a-1']) {
        const answer = await post(id, { by, state, message: 'other', key: `${by}-${state}` })
        expect(answer.status).toBe(409)
      }
    }
    await until('the replica has it', () => getTask(doc, id).status === end)
    expect(getTask(doc, id)).toMatchObject({ message: 'r', revision: 2 })
  }
  await client.close()
})

it('[TASK-4] a command repeated under its key is answered again, and done once', async () => {
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const id = 't-repeat' as TaskId
  const boss = 'boss' as AgentId
  addTask(doc, {
    id,
    description: 'x',
    context: null,
    priority: 'high',
    from: boss,
    to: null,
    now: 1,
  })
  await client.barrier()
  const command = { by: 'a-1', state: 'completed', message: 'done', key: 'k1' }
  const answers = await Promise.all(Array.from({ length: 5 }, () => post(id, command)))
  for (const answer of answers) {
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ ok: true, data: { task: { status: 'completed' } } })
  }
  const other = await post(id, { ...command, message: 'something else' })
  expect(await other.json()).toMatchObject({ ok: false, error: { code: 'key_reused' } })
  await client.barrier()
  await until('the replica has it', () => getTask(doc, id).revision === 1)
  expect(taskHistory(doc, id)).toHaveLength(1)
  await client.close()
})
