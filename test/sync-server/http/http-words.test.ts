import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpWords } from '../../../sync-server/http/http-words.ts'
import { registeredHere } from '../../support/agent.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { startHere } from '../../support/in-process.ts'
import { fetch, type ServerAt } from '../../support/server.ts'

describe('hints in the words of HTTP', () => {
  it.each([
    [
      'stop here; if a person wants it, or on second thoughts, send it with --reset-trace',
      'stop here; if a person wants it, or on second thoughts, send it with "reset_trace": true',
    ],
    [
      'file-get it first, then put your change; or replace it with --force',
      'GET …/files/content first, then put your change; or replace it with "force": true',
    ],
    ['clawlink-agent log', 'GET …/log'],
    ['run discover to see who is here', 'GET …/agents to see who is here'],
    [
      'poll prints the id of each task given to you',
      'GET …/inbox has the id of each task given to you',
    ],
    [
      'to give it back: release; to say that you will not take it: decline',
      'to give it back: POST …/tasks/ID/release; to say that you will not take it: POST …/tasks/ID/decline',
    ],
    ['to go on: clawlink-agent claim t-1', 'to go on: POST …/tasks/t-1/claim'],
    ['name somebody else with --approve-by', 'name somebody else with "approve_by"'],
    [
      'delegate a new task that refers to it: --ref t-1',
      'delegate a new task that refers to it: "ref": "t-1"',
    ],
    ["take it whole: file-get --key 'a b.png' --output PATH", 'take it whole: GET …/files/content'],
    ['did you mean Bob?', 'did you mean Bob?'],
  ])('[TEXT-8] %s', (verbs, http) => {
    expect(httpWords(verbs, false)).toBe(http)
  })
})

describe('who asks', () => {
  let server: ServerAt
  let ann: Member
  beforeAll(async () => {
    server = await startHere()
    ann = await member(server, 'a-ann')
    await ask(server, '/api/workspaces/default/register', { name: 'Ann' }, ann.headers)
  })
  afterAll(() => server.stop())

  it('[TEXT-8] by plain HTTP is told so, by a verb in verbs', async () => {
    const path = '/api/workspaces/default/files/content?key=a.md'
    const put = (content: string) =>
      fetch(`${server.url}/api/workspaces/default/files/content?key=a.md`, {
        ...{ method: 'PUT', headers: ann.headers, body: JSON.stringify({ content }) },
      })
    const answer = await fetch(server.url + path, { headers: ann.headers })
    expect(((await answer.json()) as { error: { hint: string } }).error.hint).not.toMatch(
      /file-list/,
    )
    await put('one')
    const { error } = await ask(
      ...([server, '/api/workspaces/default/tasks/t-none/claim', {}, ann.headers] as const),
    )
    expect(error?.hint).toBe('GET …/tasks to see the open ones')

    const verbs = await registeredHere(server.url, 'Bob', 'alone-here')
    const { error: told } = (await verbs.run('claim', 't-none', '--json')).json()
    expect(told?.hint).toBe('run tasks to see the open ones')
  })

  it('[TEXT-8] with a wrong token, or credential, is told how to come by a new one', async () => {
    const headers = { authorization: 'Bearer nothing' }
    const plain = await ask(server, '/discover', undefined, headers)
    expect(plain.error?.hint).toContain('clawlink-sync invite --http')
    const api = await ask(server, '/api/workspaces/default/agents', undefined, headers)
    expect(api.error?.hint).toContain('POST /api/join')
  })
})
