import { once } from 'node:events'
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask, member } from '../../support/auth/members.ts'
import { startHere } from '../../support/in-process.ts'
import { asOwner, fetch, type ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  const args = ['--limit', 'body=1000,offences=3', '--log-level', 'error']
  server = await startHere({ args })
})
afterAll(() => server.stop())

it('[LIM-27] whoever sends all of a body that is too large, and only then listens, reads why it is refused', async () => {
  const url = `${server.url}/api/workspaces/default/tasks/next`
  for (const length of [{}, { 'content-length': 4_000_000 }]) {
    const sent = request(url, { method: 'POST', headers: { ...asOwner(url), ...length } })
    const answer = once(sent, 'response')
    for (let i = 0; i < 40; i++) {
      await new Promise((done) => sent.write(Buffer.alloc(100_000, 120), done))
    }
    sent.end()
    const [{ statusCode }] = (await answer) as [{ statusCode: number }]
    expect(statusCode).toBe(413)
    sent.destroy()
  }
})

it('[LIM-27] a compressed body is refused before it is read', async () => {
  const answer = await fetch(`${server.url}/api/workspaces/default/tasks/next`, {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync('{}'),
  })
  expect(answer.status).toBe(400)
  const { error } = (await answer.json()) as { error: { code: string; message: string } }
  expect(error.code).toBe('usage')
  expect(error.message).toContain('gzip')
})

it('[LIM-26] an agent that sends bodies that are too large again and again has to wait; others need not', async () => {
  const [ann, bob] = [
    await member(server, 'a-ann000000001'),
    await member(server, 'a-bob000000001'),
  ]
  const large = { content: 'x'.repeat(2_000) }
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) {
    statuses.push(
      (await ask(server, '/api/workspaces/default/broadcasts', large, ann.headers)).status,
    )
  }
  expect(statuses).toEqual([413, 413, 413, 429])
  const { error } = await ask(server, '/discover', undefined, ann.headers)
  expect(error).toMatchObject({ code: 'too_many' })
  expect((await ask(server, '/discover', undefined, bob.headers)).status).toBe(200)
})
