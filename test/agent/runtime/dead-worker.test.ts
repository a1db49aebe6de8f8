import { afterEach, describe, expect, it } from 'vitest'
import { type Agent, killLink, linkPid, registered } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { type Server, startServer } from '../../support/server.ts'

const LEASE_S = 2
/** The lease of a worker that lives: a busy machine may take some seconds to connect it again. */
const LIVING_S = 15

interface Task {
  task_id: string
  status: string
  owner: string | null
  notes: { by: string; text: string }[]
  history: { state: string; event?: string; at: string; by: string }[]
}

let server: Server
afterEach(() => server.stop())

const argsOf = (leaseS: number) => ['--lease', String(leaseS), '--heartbeat', String(leaseS / 2)]
const start = async (leaseS = LEASE_S) => {
  server = await startServer({ args: argsOf(leaseS) })
  const lead = await registered(server.url, 'Lead')
  const worker = await registered(server.url, 'Worker')
  const other = await registered(server.url, 'Other')
  const { task } = await lead.ask<{ task: Task }>('delegate', '--anyone', '--task', 'dig')
  return { lead, worker, other, id: task.task_id }
}
const show = async (one: Agent, id: string) => (await one.ask<{ task: Task }>('task', id)).task

/** Resolves when the task is free again; how long that took after `from`, by the server's clock, in seconds. */
const freed = async (one: Agent, id: string, from: number): Promise<number> => {
  let task: Task | undefined
  await until(
    'the task is free again',
    async () => {
      task = await show(one, id)
      return task.status === 'submitted'
    },
    60_000,
  )
  const lost = task!.history.findLast(({ event }) => event === 'lease-lost')
  return (Date.parse(lost!.at) - from) / 1000
}

describe('a worker that is gone', () => {
  it('[TASK-7] killed: its task is offered again after its lease, and ended by another; what it says late is a note', async () => {
    const { lead, worker, other, id } = await start()
    await worker.ask('claim', id)
    await other.run('poll')
    const killed = Date.now()
    await killLink(worker.home)
    const took = await freed(lead, id, killed)
    expect(took).toBeGreaterThan(LEASE_S - 1)

    await other.ask('wait', '--type', 'task_delegation', '--timeout', '30')
    await other.ask('claim', id)
    // [TASK-6] The ghost: a new link of the same agent.
    const late = await worker.run(
      ...`respond --to Lead --msg-id ${id} --json --result`.split(' '),
      'what I found',
    )
    expect({ code: late.code, error: late.json().error?.code }).toEqual({
      code: 4,
      error: 'lease_lost',
    })
    await other.ask('respond', '--to', 'Lead', '--msg-id', id, '--result', 'dug')
    const task = await show(lead, id)
    expect(task).toMatchObject({ status: 'completed', owner: other.id })
    expect(task.notes).toMatchObject([{ by: worker.id, text: 'what I found' }])
    const told = await worker.ask<{ messages: { type: string; event?: string }[] }>('poll')
    expect(told.messages.filter(({ type }) => type === 'task_update')).toMatchObject([
      { event: 'lease-lost' },
    ])
  })

  it('[TASK-7] while it lives it keeps its task far beyond the lease, over a restart of the server, too', async () => {
    const { lead, worker, id } = await start(LIVING_S)
    await worker.ask('claim', id)
    const { port, data } = server
    const until2 = Date.now() + LIVING_S * 1_500
    await until('one and a half leases are over', () => Date.now() > until2)
    await server.kill()
    server = await startServer({ port, data, args: argsOf(LIVING_S) })
    const later = Date.now() + LIVING_S * 1_500
    await until('and as much again', () => Date.now() > later)
    expect(await show(lead, id)).toMatchObject({ status: 'working', owner: worker.id })
    await worker.ask('respond', '--to', 'Lead', '--msg-id', id, '--result', 'dug')
  })

  it('[TASK-7] killed while the server is down: the lease counts from its start', async () => {
    const { lead, worker, id } = await start()
    await worker.ask('claim', id)
    const { port, data } = server
    await server.kill()
    await killLink(worker.home)
    const restarted = Date.now()
    server = await startServer({ port, data, args: argsOf(LEASE_S) })
    expect(await freed(lead, id, restarted)).toBeGreaterThan(LEASE_S - 1)
  })

  it('[TASK-7] silent: its link lives, but no command came for long', async () => {
    process.env.CLAWLINK_LINK_SILENT = '1'
    try {
      const { lead, worker, id } = await start()
      await worker.ask('claim', id)
      const claimed = Date.now()
      const took = await freed(lead, id, claimed)
      expect(took).toBeGreaterThan(1)
      expect(linkPid(worker.home)).not.toBeNull()
    } finally {
      delete process.env.CLAWLINK_LINK_SILENT
    }
  })
})
