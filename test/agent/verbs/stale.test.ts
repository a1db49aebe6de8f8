import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Message } from '../../../workspace/messages/message.ts'
import type { Task } from '../../../workspace/tasks/tasks.ts'
import { type Agent, registered, registeredHere, WAYS_HERE } from '../../support/agent.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let lead: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  lead = await registeredHere(server.url, 'Lead')
})
afterAll(() => server.stop())

const put = async (who: Agent, key: string, content: string) => {
  writeFileSync(join(who.cwd, 'f'), content)
  return who.ask('file-put', '--key', key, '--file', 'f')
}
const delegate = async (to: string, ...more: string[]): Promise<string> =>
  (await lead.ask<{ task: Task }>('delegate', '--to', to, '--task', 'do it', ...more)).task.task_id

/** What Lead is told of the end of a task. */
const told = async (id: string): Promise<Message | undefined> => {
  const { messages } = await lead.ask<{ messages: Message[] }>(
    'poll',
    '--wait',
    '20',
    '--limit',
    '200',
  )
  return messages.find(
    (one) => one.message_id === id && 'status' in one && one.status !== 'in_progress',
  )
}

describe.each(WAYS_HERE)('an agent %s', (way) => {
  let bob: Agent & { id: string }
  const name = way === 'link-here' ? 'Bob' : 'Rob'
  const key = (file: string) => `${way}/${file}`
  beforeAll(async () => {
    bob = await registered(server.url, name, way)
  })

  it('[STALE-1] [STALE-2] a result made from what others changed since says so to both sides', async () => {
    await put(lead, key('plan.md'), 'one\ntwo\nthree\nfour\n')
    await put(lead, key('other.md'), 'other\n')
    await put(lead, key('old.md'), 'old\n')
    await bob.ask('file-get', key('old.md'))
    const id = await delegate(name)
    await bob.ask('claim', id)
    await bob.ask('file-get', key('plan.md'))
    await bob.ask('file-get', key('other.md'))
    // Its own change is no news to it; one of a file that it read before the grant is not of the result.
    await bob.ask('file-edit', key('plan.md'), '--find', 'one', '--replace', 'ONE')
    await put(lead, key('old.md'), 'new\n')
    await lead.ask('file-get', key('plan.md'))
    await lead.ask('file-edit', key('plan.md'), '--find', 'three', '--replace', '3')
    const stale = [
      {
        file_key: key('plan.md'),
        read_version: 1,
        now_version: 3,
        lines: [{ from_line: 3, to_line: 3 }],
      },
    ]
    const done = await bob.atLink('respond', '--msg-id', id, '--result', 'done')
    expect(done.stdout).toContain(`stale: ${key('plan.md')} read at version 1, now 3, lines 3\n`)
    expect(await told(id)).toMatchObject({ status: 'completed', stale })
    expect((await lead.ask<{ task: Task }>('task', id)).task.stale).toEqual(stale)
    expect((await lead.atLink('task', id)).stdout).toContain(`stale: ${key('plan.md')} read at`)
  })

  it('[STALE-2] only the lines that were read count, and an artifact whenever it was read', async () => {
    await put(lead, key('long.md'), 'one\ntwo\nthree\nfour\n')
    await put(lead, key('result.md'), 'result\n')
    await bob.ask('file-get', key('result.md'))
    const id = await delegate(name)
    await bob.ask('claim', id)
    await bob.ask('file-get', key('long.md'), '--lines', '1-2')
    await lead.ask('file-edit', key('long.md'), '--find', 'four', '--replace', '4')
    await put(lead, key('result.md'), 'RESULT\n')
    const { task } = await bob.ask<{ task: Task }>(
      ...['respond', '--msg-id', id, '--result', 'done', '--artifact', key('result.md')],
    )
    expect(task.stale).toMatchObject([{ file_key: key('result.md'), lines: [{ from_line: 1 }] }])
    expect(task.artifacts).toEqual([{ file_key: key('result.md'), version: 2 }])
  })

  it('[STALE-3] delegate --fresh refuses such a result until its author has read the files again', async () => {
    await put(lead, key('fresh.md'), 'one\ntwo\n')
    const id = await delegate(name, '--fresh')
    await bob.ask('claim', id)
    await bob.ask('file-get', key('fresh.md'))
    await lead.ask('file-edit', key('fresh.md'), '--find', 'two', '--replace', '2')
    const refused = await bob.atLink('respond', '--msg-id', id, '--result', 'done', '--json')
    expect([refused.code, refused.json().error?.code]).toEqual([4, 'stale'])
    expect(refused.json().error).toMatchObject({
      message: `others changed ${key('fresh.md')} since you read it: read at version 1, now 2, lines 2`,
      hint: `file-get --key ${key('fresh.md')}, check your result against it, then respond to ${id} again`,
    })
    expect((await lead.ask<{ task: Task }>('task', id)).task).toMatchObject({
      ...{ status: 'working', fresh: true },
    })
    await bob.ask('file-get', key('fresh.md'))
    const { task } = await bob.ask<{ task: Task }>('respond', '--msg-id', id, '--result', 'done')
    expect(task).toMatchObject({ status: 'completed' })
    expect(task.stale).toBeUndefined()
  })
})

describe('an agent with HTTP only', () => {
  const ws = '/api/workspaces/default'
  let eve: Member
  beforeAll(async () => {
    eve = await member(server, 'a-eve')
    await ask(server, `${ws}/register`, { name: 'Eve' }, eve.headers)
  })
  const post = async (rest: string, body: object) =>
    ask<{ task: Task }>(server, `${ws}/${rest}`, body, eve.headers)

  it('[STALE-1] [STALE-2] [STALE-3] names what it read in `basis`; its own puts count by themselves', async () => {
    await put(lead, 'http.md', 'one\ntwo\n')
    const id = await delegate('Eve', '--fresh')
    await post(`tasks/${id}/claim`, {})
    await lead.ask('file-edit', 'http.md', '--find', 'two', '--replace', '2')
    const basis = [{ file_key: 'http.md', version: 1 }]
    const done = { state: 'completed', message: 'done' }
    const refused = await post(`tasks/${id}/status`, { ...done, basis })
    expect(refused).toMatchObject({ status: 409, error: { code: 'stale' } })
    const lines = [{ file_key: 'http.md', version: 1, from_line: 1, to_line: 1 }]
    expect((await post(`tasks/${id}/status`, { ...done, basis: lines })).data.task).toMatchObject({
      status: 'completed',
    })

    const again = await delegate('Eve')
    await post(`tasks/${again}/claim`, {})
    await globalThis.fetch(`${server.url}${ws}/files/content`, {
      ...{ method: 'PUT', headers: eve.headers },
      body: JSON.stringify({ key: 'mine.md', content: 'mine\n' }),
    })
    await lead.ask('file-get', 'mine.md')
    await lead.ask('file-append', 'mine.md', 'yours')
    const { data } = await post(`tasks/${again}/status`, done)
    expect(data.task.stale).toEqual([
      {
        file_key: 'mine.md',
        read_version: 1,
        now_version: 2,
        lines: [{ from_line: 2, to_line: 2 }],
      },
    ])
  })
})
