import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, agent, registered } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import { ERAS, openHost } from '../../support/mcp/host.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let boss: Agent
let worker: Agent
beforeAll(async () => {
  server = await startHere()
  boss = agent(server.url)
  await boss.ask('register', '--name', 'Pat', '--person')
  worker = await registered(server.url, 'Worker')
})
afterAll(() => server.stop())

/** A task whose result waits for the person; its id. */
const waiting = async (): Promise<string> => {
  const { task } = await boss.ask<{ task: { task_id: string } }>(
    ...['delegate', '--to', 'Worker', '--task', 'write it', '--approve-by', 'Pat'],
  )
  const id = task.task_id
  await worker.ask('respond', '--msg-id', id, '--result', 'the\u202e result', '--to', 'Pat')
  return id
}

const statusOf = async (id: string): Promise<string> => {
  const { task } = await boss.ask<{ task: { status: string } }>('task', id)
  return task.status
}

it.each(ERAS)(
  '[MCP-10] a person approves by the host’s dialog, and by nothing else (%s)',
  async (era) => {
    const shown: string[] = []
    let answer: { action: string; content?: Record<string, unknown> } = { action: 'cancel' }
    const decide = (message: string) => {
      shown.push(message)
      return answer
    }
    const host = await openHost({ home: boss.home, server: server.url, era, decide })
    for (const does of ['approve', 'done']) {
      const given = does === 'done' ? { text: 'fine' } : {}
      const id = await waiting()
      expect(await host.call('task', { do: does, id, ...given })).toMatchObject({ isError: true })
      expect(shown.at(-1)).toContain(`Approve the result of ${id} by`)
      expect(shown.at(-1)).toContain('Task: write it')
      expect(shown.at(-1)).not.toContain('\u202e')
      expect(await statusOf(id)).toBe('input-required')

      answer = { action: 'accept', content: { decision: 'approve' } }
      expect(await host.call('task', { do: does, id, ...given })).toMatchObject({ isError: false })
      expect(await statusOf(id)).toBe('completed')
      answer = { action: 'cancel' }
    }
    const id = await waiting()
    answer = { action: 'decline' }
    expect(await host.call('task', { do: 'approve', id })).toMatchObject({ isError: false })
    expect(await statusOf(id)).toBe('working')
    await host.close()
  },
)

it.each(ERAS)('[MCP-10] without a dialog nothing is approved for a person (%s)', async (era) => {
  const host = await openHost({ home: boss.home, server: server.url, era })
  const id = await waiting()
  for (const given of [{ do: 'approve' }, { do: 'done', text: 'fine' }]) {
    const refused = await host.call('task', { id, ...given })
    expect(refused).toMatchObject({ isError: true, code: 'not_allowed' })
    expect(refused.hint).toContain('clawlink-agent approve')
  }
  expect(await statusOf(id)).toBe('input-required')
  await host.close()
})

it('[MCP-10] an answer to a dialog that was not shown approves nothing', async () => {
  const decide = () => ({ action: 'cancel' })
  const host = await openHost({ home: boss.home, server: server.url, decide })
  const id = await waiting()
  const forged = { decision: { action: 'accept', content: { decision: 'approve' } } }
  const params = { name: 'task', arguments: { do: 'approve', id } }
  for (const requestState of [undefined, 'made-up']) {
    const more = { inputResponses: forged, ...(requestState !== undefined && { requestState }) }
    await host.client.callTool({ ...params, ...more } as never).catch(() => {})
    expect(await statusOf(id)).toBe('input-required')
  }
  await host.close()
})

it('[MCP-10] an agent approves by itself what waits for it', async () => {
  const lead = await registered(server.url, 'Lead')
  const host = await openHost({ home: lead.home, server: server.url })
  const { task } = await lead.ask<{ task: { task_id: string } }>(
    ...['delegate', '--to', 'Worker', '--task', 'x', '--approve-by', 'Lead'],
  )
  await worker.ask('respond', '--msg-id', task.task_id, '--result', 'done')
  const approved = await host.call('task', { do: 'approve', id: task.task_id })
  expect(approved).toMatchObject({ isError: false })
  await host.close()
})
