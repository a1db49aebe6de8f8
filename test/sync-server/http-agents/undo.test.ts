import { afterEach, expect, it } from 'vitest'
import * as Y from 'yjs'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import type { UndoReport } from '../../../workspace/authorship/undo-report.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { liveDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

const servers: ServerAt[] = []
afterEach(async () => {
  const ended = servers.splice(0)
  for (const server of ended) await server.stop()
  // verify knows all that an undo stores.
  for (const data of new Set(ended.map(({ data }) => data))) {
    expect((await verifyFolder(data)).problems).toEqual([])
  }
})

const WS = '/api/workspaces/default'

const team = async (options = {}) => {
  const server = await startHere(options)
  servers.push(server)
  const join = async (name: string, role: 'write' | 'admin' = 'write'): Promise<Member> => {
    const one = await member(server, name, role)
    await ask(server, `${WS}/register`, { name }, one.headers)
    return one
  }
  const [ann, bob, eve, adam] = [
    await join('ann'),
    await join('bob'),
    await join('eve'),
    await join('adam', 'admin'),
  ]
  const post = async (who: Member, path: string, body: object, key?: string) => {
    const headers = { ...who.headers, ...(key !== undefined && { 'idempotency-key': key }) }
    return ask<UndoReport>(server, `${WS}/${path}`, body, headers)
  }
  const put = async (who: Member, key: string, text: string) => {
    const found = await ask<{ version: number }>(
      ...([server, `${WS}/files/append`, { key, text }, who.headers] as const),
    )
    expect(found.error).toBeUndefined()
  }
  const edit = async (who: Member, key: string, find: string, replace: string) => {
    const found = await post(who, 'files/edit', { key, find, replace })
    expect(found.error).toBeUndefined()
  }
  const read = async (key: string): Promise<string> => {
    const path = `${WS}/files/content?key=${key}`
    const { data } = await ask<{ file: { content: string } }>(
      ...([server, path, undefined, adam.headers] as const),
    )
    return data.file.content
  }
  return { server, ann, bob, eve, adam, post, put, edit, read }
}

it('[UNDO-1] [UNDO-2] [UNDO-3] [UNDO-9] an admin takes one agent out of all files, and takes that back', async () => {
  const { server, ann, bob, eve, adam, post, put, edit, read } = await team()
  await put(ann, 'a.md', 'one\ntwo\nthree')
  await put(bob, 'b.md', 'bob’s\nfile')
  await edit(eve, 'a.md', 'two', 'EVIL')
  await edit(bob, 'a.md', 'three', 'three and more')
  await edit(bob, 'a.md', 'EVIL', 'EVIL (sic)')
  await edit(eve, 'b.md', 'file\n', '')
  await put(eve, 'c.md', 'eve’s own')
  const { data } = await post(adam, 'undo', { agent: 'eve' })
  expect(data).toEqual({
    undo: expect.stringMatching(/^u-[0-9a-z]{12}$/),
    dry_run: false,
    files: [
      {
        ...{ file_key: 'a.md', version: 5, removed: 4, restored: 3, lost: 0 },
        lines: [{ from_line: 2, to_line: 2 }],
        overlaps: [{ from_line: 2, to_line: 2, by: ['bob'] }],
      },
      {
        ...{ file_key: 'b.md', version: 3, removed: 0, restored: 5, lost: 0, overlaps: [] },
        lines: [{ from_line: 2, to_line: 3 }],
      },
      {
        ...{ file_key: 'c.md', version: 2, removed: 10, restored: 0, lost: 0, overlaps: [] },
        lines: [{ from_line: 1, to_line: 1 }],
      },
    ],
  })
  expect(await read('a.md')).toBe('one\ntwo (sic)\nthree and more\n')
  expect(await read('b.md')).toBe('bob’s\nfile\n')
  expect(await read('c.md')).toBe('')
  const inbox = async (who: Member) =>
    (
      await ask<{ messages: { topic?: string; content: string }[] }>(
        ...([server, `${WS}/inbox`, undefined, who.headers] as const),
      )
    ).data.messages.filter(({ topic }) => topic?.startsWith('file-'))
  expect(await inbox(eve)).toMatchObject([
    {
      topic: 'file-undo',
      content: `adam undid changes of yours in a.md, b.md, c.md: undo ${data.undo}`,
    },
  ])
  expect(await inbox(bob)).toMatchObject([{ topic: 'file-conflict' }])
  expect(await inbox(ann)).toEqual([])

  // It holds after a restart, also for the text that the undo put back.
  await server.stop()
  servers.push(await startHere({ data: server.data, port: server.port }))
  expect((await post(adam, 'undo', { agent: 'eve' })).data).toMatchObject({ undo: null, files: [] })
  expect(
    (await post(adam, 'undo', { agent: 'ann', key: 'a.md', dry_run: true })).data.files,
  ).toMatchObject([{ removed: 14 }])
  const { data: blame } = await ask<{ ranges: object[] }>(
    ...([server, `${WS}/files/blame?key=a.md&from_line=2`, undefined, adam.headers] as const),
  )
  expect(blame.ranges).toMatchObject([
    {
      ...{ agent_id: 'bob', via: null },
      parts: [{ agent_id: 'ann', via: 'adam', text: 'two' }],
    },
  ])
  const back = await post(adam, 'undo', { id: data.undo })
  expect(back.data.files).toHaveLength(3)
  expect(await read('a.md')).toBe('one\nEVIL (sic)\nthree and more\n')
  expect(await read('b.md')).toBe('bob’s\n')
  expect(await read('c.md')).toBe('eve’s own\n')
  await post(adam, 'undo', { id: back.data.undo })
  expect(await read('a.md')).toBe('one\ntwo (sic)\nthree and more\n')
})

it('[UNDO-6] the role write undoes its own work only, admin that of all', async () => {
  const { ann, bob, adam, post, put, edit, read } = await team()
  await put(ann, 'a.md', 'one\ntwo')
  await edit(bob, 'a.md', 'two', 'TWO')
  const ago = '2020-01-01T00:00:00Z'
  for (const body of [{ agent: 'ann' }, { since: ago }, { agent: 'ann', since: ago }]) {
    const { status, error } = await post(bob, 'undo', body)
    expect([status, error?.code]).toEqual([403, 'not_allowed'])
    expect(error?.message).toBe('this would undo work of ann')
  }
  expect(await read('a.md')).toBe('one\nTWO\n')
  const own = await post(bob, 'undo', { agent: 'bob', since: ago })
  expect(own.data.files).toMatchObject([{ removed: 3, restored: 3 }])
  expect(await read('a.md')).toBe('one\ntwo\n')
  const byAnn = await post(ann, 'undo', { id: own.data.undo })
  expect(byAnn.error?.message).toBe('this would undo work of bob')
  expect((await post(bob, 'undo', { id: own.data.undo })).error).toBeUndefined()
  expect(await read('a.md')).toBe('one\nTWO\n')
  await post(adam, 'undo', { since: ago })
  expect(await read('a.md')).toBe('')
})

it('[UNDO-7] a dry run shows the diff and changes nothing', async () => {
  const { ann, bob, post, put, edit, read } = await team()
  await put(ann, 'a.md', 'one\ntwo')
  await edit(bob, 'a.md', 'two', 'TWO')
  const { data } = await post(ann, 'undo', { agent: 'bob', dry_run: true })
  expect(data).toMatchObject({ undo: null, dry_run: true })
  expect(data.files[0]!.diff).toBe(
    '--- a.md\n+++ a.md after the undo\n@@ -1,2 +1,2 @@\n one\n-TWO\n+two\n',
  )
  expect(await read('a.md')).toBe('one\nTWO\n')
})

it('[UNDO-1] [UNDO-8] of a replica’s text and of a task; the same request is made once', async () => {
  const { server, ann, bob, adam, post, put, read } = await team()
  await put(ann, 'a.md', 'one\ntwo')
  const { data: made } = await ask<{ task: { task_id: string } }>(
    ...([server, `${WS}/tasks`, { to: 'bob', task: 'write' }, ann.headers] as const),
  )
  const task = made.task.task_id
  const live = await liveDoc(`${server.sync}/default`, new Y.Doc(), bob.headers)
  await live.client.barrier()
  const text = live.doc.getText('file:a.md')
  text.insert(0, 'before\n')
  await live.client.barrier()
  await post(bob, `tasks/${task}/claim`, {})
  text.insert(text.length, 'for the task\n')
  text.delete(text.toJSON().indexOf('one'), 4)
  await live.client.barrier()
  const first = await post(adam, 'undo', { task }, 'k-1')
  expect(await read('a.md')).toBe('before\none\ntwo\n')
  await live.client.barrier()
  expect(text.toJSON()).toBe('before\none\ntwo\n')
  text.insert(0, 'x')
  await live.client.barrier()
  expect(await post(adam, 'undo', { task }, 'k-1')).toEqual(first)
  expect((await post(adam, 'undo', { agent: 'bob' }, 'k-1')).error?.code).toBe('key_reused')
  await post(adam, 'undo', { agent: 'bob' })
  expect(await read('a.md')).toBe('one\ntwo\n')
  await live.client.close()
})

it('[UNDO-8] says what it does not know', async () => {
  const { ann, adam, post, put } = await team()
  await put(ann, 'a.md', 'one')
  for (const [body, code] of [
    [{}, 'usage'],
    [{ agent: 'nobody' }, 'unknown_agent'],
    [{ task: 't-000000000000' }, 'unknown_task'],
    [{ since: 'yesterday' }, 'usage'],
    [{ id: 'u-000000000000' }, 'unknown_undo'],
    [{ agent: 'ann', key: 'none.md' }, 'unknown_file'],
  ] as const) {
    expect((await post(adam, 'undo', body)).error?.code, JSON.stringify(body)).toBe(code)
  }
})
