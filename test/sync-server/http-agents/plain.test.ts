import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, bearer } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { httpToken, type PlainAnswer } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
const token = { default: '', team: '' }
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'failures=1000000'] })
  token.default = await httpToken(server)
  token.team = await httpToken(server, { workspace: 'team' })
})
afterAll(() => server.stop())
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const iso = expect.stringMatching(ISO)
const text = expect.any(String)
const number = expect.any(Number)
const agentShape = (id: string) => ({
  agent_id: id,
  name: expect.any(String),
  capabilities: expect.any(Array),
  machine: expect.any(String),
  description: expect.any(String),
  status: 'online',
  registered_at: iso,
  last_heartbeat: number,
})

describe.each([
  ['default', '', 'header'],
  ['default', '', 'url'],
  ['team', '/w/team', 'header'],
] as const)('in %s, at "%s", token in the %s', (workspace, prefix, where) => {
  const [a, b] = [`ann-${where}`, `bob-${where}`]
  /** One request, without a Content-Type. */
  const call = async (method: string, path: string, body?: object): Promise<PlainAnswer> => {
    const secret = token[workspace]
    const inUrl = where === 'url' ? `?token=${secret}` : ''
    const answer = await globalThis.fetch(server.url + prefix + path + inUrl, {
      method,
      ...(where === 'header' && { headers: bearer(secret) }),
      ...(body !== undefined && { body: new TextEncoder().encode(JSON.stringify(body)) }),
    })
    return { http: answer.status, ...((await answer.json()) as object) }
  }
  let task = ''
  const ROWS: [string, string, (() => object) | undefined, () => object][] = [
    ['GET', '/', undefined, () => ({ service: 'clawlink-sync', status: 'ok', server_time: iso })],
    [
      ...(['POST', '/register'] as const),
      () => ({
        ...{ agent_id: a, name: 'Ann', capabilities: ['review', 'python'], machine: 'mac' },
        description: 'reads code',
      }),
      () => ({
        status: 'registered',
        agent: {
          ...agentShape(a),
          ...{ name: 'Ann', capabilities: ['review', 'python'], machine: 'mac' },
          description: 'reads code',
        },
        server_time: iso,
      }),
    ],
    [
      ...(['POST', '/register'] as const),
      // What Python leaves out is null; a list may be a text.
      () => ({ agent_id: b, name: null, capabilities: 'a, b', machine: null, description: null }),
      () => ({
        status: 'registered',
        agent: { ...agentShape(b), name: b, capabilities: ['a', 'b'] },
      }),
    ],
    [
      ...(['POST', '/register'] as const),
      () => ({}),
      () => ({ status: 'registered', agent: { agent_id: expect.stringMatching(/^a-\w{12}$/) } }),
    ],
    [
      ...(['GET', '/discover', undefined] as const),
      () => ({
        agents: expect.arrayContaining([
          expect.objectContaining(agentShape(a)),
          expect.objectContaining(agentShape(b)),
        ]),
        count: number,
        server_time: iso,
      }),
    ],
    [
      ...(['POST', '/heartbeat'] as const),
      () => ({ agent_id: a }),
      () => ({ status: 'ok', agent_id: a, server_time: iso }),
    ],
    [
      ...(['POST', '/delegate'] as const),
      () => ({
        ...{ from_agent: a, to_agent: b, task: 'look', context: { branch: 'main' } },
        priority: 'high',
      }),
      () => ({
        status: 'delegated',
        delivery: 'queued',
        message_id: expect.stringMatching(/^t-/),
      }),
    ],
    [
      ...(['POST', '/broadcast'] as const),
      () => ({ from_agent: a, content: 'frozen', topic: 'release', tags: ['ci'] }),
      () => ({
        ...{ status: 'broadcast_sent', message_id: expect.stringMatching(/^m-/) },
        recipients: number,
      }),
    ],
    [
      ...(['GET', `/poll/${b}`, undefined] as const),
      () => ({
        messages: expect.arrayContaining([
          {
            ...{ type: 'task_delegation', message_id: task, from_agent: a, to_agent: b },
            ...{ timestamp: iso, task: 'look', context: { branch: 'main' }, priority: 'high' },
            queued_at: iso,
          },
          {
            ...{ type: 'knowledge_broadcast', message_id: text, from_agent: a, to_agent: null },
            ...{
              timestamp: iso,
              content: 'frozen',
              topic: 'release',
              tags: ['ci'],
              queued_at: iso,
            },
          },
        ]),
        count: number,
      }),
    ],
    ['GET', `/poll/${b}`, undefined, () => ({ messages: [], count: 0 })],
    [
      ...(['POST', '/respond'] as const),
      () => ({
        ...{ from_agent: b, to_agent: a, message_id: task, result: 'half', status: 'in_progress' },
      }),
      () => ({ status: 'response_sent', delivery: 'queued' }),
    ],
    [
      ...(['POST', '/respond'] as const),
      () => ({ from_agent: b, to_agent: a, message_id: task, result: 'done' }),
      () => ({ status: 'response_sent', delivery: 'queued' }),
    ],
    [
      ...(['GET', `/poll/${a}`, undefined] as const),
      () => ({
        messages: expect.arrayContaining([
          expect.objectContaining({
            ...{ type: 'task_response', message_id: task, from_agent: b, to_agent: a },
            ...{ timestamp: iso, result: 'half', status: 'in_progress' },
          }),
          expect.objectContaining({ type: 'task_response', result: 'done', status: 'completed' }),
        ]),
      }),
    ],
    [
      ...(['POST', '/files'] as const),
      () => ({ file_key: `notes/${a} ä.md`, content: 'one\n', agent_id: a, file_type: 'md' }),
      () => ({ status: 'saved', version: 1 }),
    ],
    [
      ...(['GET', '/files', undefined] as const),
      () => ({
        files: expect.arrayContaining([
          expect.objectContaining({
            ...{
              file_key: `notes/${a} ä.md`,
              version: 1,
              last_editor: a,
              updated_at: iso,
              size: 4,
            },
          }),
        ]),
      }),
    ],
    [
      ...(['GET', `/files/notes/${encodeURIComponent(`${a} ä.md`)}`, undefined] as const),
      () => ({
        ...{ file_key: `notes/${a} ä.md`, version: 1, last_editor: a, updated_at: iso },
        content: 'one\n',
      }),
    ],
    [
      ...(['GET', `/files/${encodeURIComponent(`notes/${a} ä.md`)}`, undefined] as const),
      () => ({ content: 'one\n' }),
    ],
  ]

  it.each(ROWS.map((row, i) => [i, ...row] as const))(
    '[HTTP-1] %i: %s %s',
    async (_i, method, path, body, expected) => {
      if (path === `/poll/${b}` && task !== '' && ROWS[9]![3] !== expected) await offered(b)
      const answer = await call(method, path, body?.())
      if (answer.message_id?.startsWith('t-')) task = answer.message_id as string
      expect(answer).toMatchObject({ http: 200, ...expected() })
    },
  )

  /** A task is offered a moment after it was handed in. */
  const offered = (agent: string) =>
    until('the task is offered', async () => {
      const { data } = await ask<{ messages: { type: string }[] }>(
        server,
        `/api/workspaces/${workspace}/inbox?by=${agent}`,
      )
      return data.messages.some(({ type }) => type === 'task_delegation')
    })
})
