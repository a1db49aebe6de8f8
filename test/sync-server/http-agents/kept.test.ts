import { Level } from 'level'
import { expect, it } from 'vitest'
import { seal, unsealed } from '../../../sync-server/storage/integrity/checksummed.ts'
import { member } from '../../support/auth/members.ts'
import { Plain } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import { place, sync, syncJson } from '../../support/ops/commands.ts'
import { logAt } from '../../support/sync-server/log-at.ts'

/** The Yjs client ids under which an agent has written. */
const clientsOf = async (data: string, agent: string): Promise<number[]> => {
  const log = await logAt(data)
  const owners = await log.owners('default')
  await log.close()
  return [...owners].filter(([, owner]) => owner === agent).map(([client]) => client)
}

it('[HTTP-13] what HTTP agents have is backed up, restored and checked; none goes on under its old client id', async () => {
  const server = await startHere()
  const at = ['--data', server.data]
  const { token, url } = await syncJson<{ token: string; url: string }>(
    ...(['invite', '--http', '--name', 'bots', ...at] as const),
  )
  expect([token, url]).toEqual([expect.stringMatching(/^clh_/), server.url])
  const one = new Plain(url, token)
  for (const id of ['b-a', 'b-b']) await one.post('/register', { agent_id: id, name: id })
  await one.post('/broadcast', { from_agent: 'b-a', content: 'before the backup' })
  const key = { 'idempotency-key': 'once' }
  const body = { from_agent: 'b-a', to_agent: 'b-b', task: 'before the backup' }
  const first = await one.post('/delegate', body, key)
  await one.post('/files', { agent_id: 'b-a', file_key: 'f.md', content: '1\n2\n3\n' })
  const backup = place('backup')
  expect((await sync('backup', backup, ...at)).code).toBe(0)
  // What comes after it is not in it.
  await one.post('/broadcast', { from_agent: 'b-a', content: 'after the backup' })
  await server.stop()
  const before = await clientsOf(server.data, 'b-a')
  expect(before).toHaveLength(1)

  const data = place('restored')
  expect((await sync('restore', backup, '--data', data)).code).toBe(0)
  expect(await sync('verify', '--data', data)).toMatchObject({ code: 0 })
  const again = await startHere({ data })
  const two = new Plain(again.url, token)
  // The token, who has registered with it, what waits, what was answered, and what was in hand.
  expect((await two.post('/delegate', body, key)).message_id).toBe(first.message_id)
  const { messages } = await two.get('/poll/b-b')
  expect(messages).toMatchObject([
    { type: 'knowledge_broadcast', content: 'before the backup' },
    { type: 'task_delegation', task: 'before the backup' },
    { type: 'file_updated', file_key: 'f.md' },
  ])
  expect(
    await two.post('/files', { agent_id: 'b-a', file_key: 'f.md', content: '1\ntwo\n3\n' }),
  ).toMatchObject({ status: 'saved', version: 2 })
  await again.stop()
  const after = await clientsOf(data, 'b-a')
  expect(after.length).toBe(2)
  expect(after).toEqual(expect.arrayContaining(before))

  // The commands do the same on data that no server has.
  const { invites } = await syncJson<{ invites: { invite: string; http?: string }[] }>(
    ...(['invites', '--data', data] as const),
  )
  expect(invites).toMatchObject([{ http: 'bots', role: 'write', uses: null, expires_at: null }])
  const { agents } = await syncJson<{ agents: object[] }>('agents', '--data', data)
  expect(agents).toMatchObject([
    { agent_id: 'b-a', invite: invites[0]!.invite },
    { agent_id: 'b-b', invite: invites[0]!.invite },
  ])
  expect((await sync('revoke', invites[0]!.invite, '--data', data)).code).toBe(0)
  expect((await sync('invite', '--http', '--role', 'admin', '--data', data)).code).toBe(2)
  expect((await sync('invite', '--http', '--uses', '3', '--data', data)).code).toBe(2)

  // Damage of what is kept is found.
  const db = new Level<string, Uint8Array>(data, { valueEncoding: 'view' })
  await db.put('g:default/b-a/s', seal(Buffer.from('{"client":')))
  await db.close()
  const verified = await sync('verify', '--data', data)
  expect([verified.code, verified.stdout]).toEqual([1, expect.stringContaining('g:default/b-a/s')])
})

it('[HTTP-9] a repeat gets the answer that the version before has kept, whatever the order of its fields', async () => {
  const server = await startHere()
  const { headers } = await member(server, 'a-one')
  const post = async (url: string, rest: string, body: string, key?: string) => {
    const keyed = key === undefined ? headers : { ...headers, 'idempotency-key': key }
    const at = `${url}/api/workspaces/default/${rest}`
    const answer = await globalThis.fetch(at, { method: 'POST', headers: keyed, body })
    return (await answer.json()) as { data?: object; error?: { code: string } }
  }
  await post(server.url, 'register', '{"name":"One"}')
  const asked = '{"task":"it","to":"One","deadline":"2199-01-01T00:00:00Z","context":{"a":1,"b":2}}'
  const other = '{"context":{"b":2,"a":1},"deadline":"2199-01-01T00:00:00Z","to":"One","task":"it"}'
  const [first, second] = [
    await post(server.url, 'tasks', asked, 'old'),
    await post(server.url, 'tasks', asked, 'new'),
  ]
  expect(await post(server.url, 'tasks', other, 'new')).toEqual(second)
  await server.stop()

  const db = new Level<string, Uint8Array>(server.data, { valueEncoding: 'view' })
  const at = 'g:default/a-one/k:old'
  const { form, ...kept } = JSON.parse(Buffer.from(unsealed((await db.get(at))!)!).toString())
  expect(form).toBe(2)
  const before = { ...kept, digest: 'of a deadline in milliseconds' }
  await db.put(at, seal(Buffer.from(JSON.stringify(before))))
  await db.close()

  const again = await startHere({ data: server.data })
  expect(await post(again.url, 'tasks', other, 'old')).toEqual(first)
  expect(await post(again.url, 'tasks', other, 'new')).toEqual(second)
  const refused = { error: { code: 'key_reused' } }
  expect(await post(again.url, 'broadcasts', '{"content":"x"}', 'old')).toMatchObject(refused)
  expect(await post(again.url, 'tasks', '{"task":"x","to":"One"}', 'new')).toMatchObject(refused)
  await again.stop()
})
