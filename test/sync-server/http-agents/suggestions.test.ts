import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { joinLink } from '../../../protocol/roles.ts'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { agent } from '../../support/agent.ts'
import { ask, invite, type Member, member } from '../../support/auth/members.ts'
import { runSeed } from '../../support/client.ts'
import { runByHttp, suggesters } from '../../support/http-agents/suggestions-by-http.ts'
import { type Server, startServer } from '../../support/server.ts'

let server: Server
let ann: Member
let sue: Member

// biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of each field
type Data = any

/** The data of an answer, or the code of its error. */
const call = async (who: Member, path: string, body?: object): Promise<Data> => {
  const at = `/api/workspaces/default/${path}`
  const { data, error } = await ask<Data>(server, at, body, who.headers)
  return error === undefined ? data : { code: error.code }
}
const put = async (who: Member, key: string, content: string): Promise<void> => {
  const answer = await globalThis.fetch(`${server.url}/api/workspaces/default/files/content`, {
    ...{ method: 'PUT', headers: who.headers },
    body: JSON.stringify({ key, content, force: true }),
  })
  expect(answer.status).toBe(200)
}
const read = async (key: string): Promise<Data> =>
  (await call(ann, `files/content?key=${key}`)).file
const inbox = async (who: Member, types: string): Promise<Data[]> =>
  (await call(who, `inbox?types=${types}`)).messages

beforeAll(async () => {
  server = await startServer()
  ann = await member(server, 'a-ann')
  sue = await member(server, 'a-sue', 'suggest')
  for (const who of [ann, sue]) await call(who, 'register', { name: who.agent })
})
afterAll(async () => {
  await server.stop()
  // verify knows all that a suggestion stores.
  expect((await verifyFolder(server.data)).problems).toEqual([])
})

describe('the role suggest', () => {
  it('[SUGGEST-2] [SUGGEST-4] [SUGGEST-6] suggests by HTTP, is told what became of it, and does nothing else', async () => {
    await put(ann, 'plan.md', 'one\ntwo\nthree\n')
    const { suggestion } = await call(sue, 'suggestions', {
      ...{ key: 'plan.md', find: 'two', replace: 'zwei', note: 'German' },
    })
    const id = suggestion.suggestion_id
    expect(await inbox(ann, 'file_suggestion')).toMatchObject([{ message_id: id, note: 'German' }])
    for (const [path, body] of [
      ['files/edit', { key: 'plan.md', find: 'one', replace: 'eins' }],
      ['files/append', { key: 'plan.md', text: 'x' }],
      ['broadcasts', { content: 'x' }],
      ['messages', { to: 'a-ann', content: 'x' }],
      ['tasks', { to: 'a-ann', task: 'x' }],
      [`suggestions/${id}/accept`, {}],
    ] as const) {
      expect(await call(sue, path, body), path).toEqual({ code: 'not_allowed' })
    }
    const max = await member(server, 'a-max', 'suggest')
    await call(max, 'register', { name: 'Max' })
    expect(await call(max, `suggestions/${id}/reject`, { reason: 'x' })).toEqual({
      code: 'not_allowed',
    })
    expect(await call(ann, `suggestions/${id}/accept`, {})).toMatchObject({ accepted: [1] })
    expect(await read('plan.md')).toMatchObject({
      ...{ content: 'one\nzwei\nthree\n', last_editor: 'a-sue' },
    })
    expect((await call(ann, 'files/blame?key=plan.md')).ranges).toContainEqual(
      expect.objectContaining({ agent_id: 'a-sue', via: 'a-ann', from_line: 2, to_line: 2 }),
    )
    expect(await inbox(sue, 'suggestion_judged')).toMatchObject([
      { message_id: id, from_agent: 'a-ann', verdict: 'accepted', hunks: [1] },
    ])
    const own = await call(sue, 'suggestions', { key: 'plan.md', find: 'one', replace: 'eins' })
    expect(
      (await call(sue, `suggestions/${own.suggestion.suggestion_id}/reject`, {})).suggestion.state,
    ).toBe('withdrawn')
  })

  it('[SUGGEST-4] [SUGGEST-6] suggests in the CLI, with a replica that writes nothing', async () => {
    await put(ann, 'cli.md', 'one\ntwo\n')
    const cli = agent(server.url)
    const stdin = joinLink(server.url, 'default', await invite(server, { role: 'suggest' }))
    await cli.runWith({ stdin }, 'join', '-')
    await cli.ask('register', '--name', 'Cli')
    await cli.ask('file-get', '--key', 'cli.md')
    await put(ann, 'cli.md', 'zero\none\ntwo\n')
    const filed = await cli.ask<Data>('file-suggest', 'cli.md', '--content', 'one\nTWO\n')
    expect(filed.suggestion).toMatchObject({ hunks: 1, changes: [{ line: 3, new: 'TWO\n' }] })
    const id: string = filed.suggestion.suggestion_id
    const shown = await cli.run('file-suggestions', '--id', id)
    expect(shown.stdout).toContain('@@ hunk 1 line 3 applies @@\n-two\n+TWO\n')
    for (const argv of [
      ['file-append', 'cli.md', 'x'],
      ['broadcast', 'x'],
      ['file-accept', id],
    ]) {
      const { code, stdout, stderr } = await cli.run(...argv)
      expect([argv[0], code, stdout + stderr]).toEqual([
        ...[argv[0], 5, expect.stringContaining('a link to suggest')],
      ])
    }
    await call(ann, `suggestions/${id}/reject`, { reason: 'two is fine' })
    const polled = await cli.ask<Data>('poll', '--wait', '20', '--type', 'suggestion_judged')
    expect(polled.messages).toMatchObject([{ message_id: id, reason: 'two is fine' }])
    const { profiles } = await cli.ask<Data>('status')
    expect(profiles[0]).toMatchObject({ role: 'suggest', unsent: false, connected: true })
    expect((await read('cli.md')).content).toBe('zero\none\ntwo\n')
  })
})

it('[SUGGEST-2] of six who accept at once one does; a repeat under a key is the first answer', async () => {
  const judges = await Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      const one = await member(server, `a-judge-${i}`)
      await call(one, 'register', { name: `judge ${i}` })
      return one
    }),
  )
  const lines = Array.from({ length: 30 }, (_, i) => `line ${i}\n`)
  await put(ann, 'race.md', lines.join(''))
  const content = lines.map((line, i) => (i % 5 === 0 ? `${line}new ${i}\n` : line)).join('')
  const { suggestion } = await call(ann, 'suggestions', { key: 'race.md', content })
  expect(suggestion.hunks).toBe(6)
  const id = suggestion.suggestion_id
  const answers: Data[] = await Promise.all(
    judges.flatMap((judge) =>
      [[1], [2, 3], [4, 5, 6]].map((hunks) => call(judge, `suggestions/${id}/accept`, { hunks })),
    ),
  )
  const done = answers.filter(({ code }) => code === undefined)
  expect(done.flatMap(({ accepted }) => accepted).sort()).toEqual([1, 2, 3, 4, 5, 6])
  expect(answers.filter(({ code }) => code === 'suggestion_state')).toHaveLength(15)
  expect(await read('race.md')).toMatchObject({ content, last_editor: 'a-ann' })

  const [one] = judges
  const more = await call(ann, 'suggestions', { key: 'race.md', find: 'line 1\n', replace: '' })
  const at = `/api/workspaces/default/suggestions/${more.suggestion.suggestion_id}/accept`
  const keyed = { ...one!.headers, 'idempotency-key': 'k-1' }
  const first = await ask(server, at, {}, keyed)
  expect(await ask(server, at, {}, keyed)).toEqual(first)
  expect(first.data).toMatchObject({ accepted: [1] })
})

it('[SUGGEST-2] [SUGGEST-3] [SUGGEST-4] of six who edit, suggest and judge at once, no hunk is lost, doubled or misplaced', async () => {
  const seed = runSeed('suggestions over HTTP')
  const agents = await suggesters(server)
  let judged = 0
  for (let run = 0; run < 6; run++) {
    const { broken, accepted, rejected } = await runByHttp(server, agents, seed + run)
    expect(broken).toEqual([])
    judged += accepted + rejected
  }
  expect(judged).toBeGreaterThan(20)
})
