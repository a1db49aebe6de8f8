import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { wakes } from '../../../workspace/inbox/wakes.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent & { id: string }
let eve: Member
const ws = '/api/workspaces/default'
beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await registeredHere(server.url, 'Bob', 'alone-here')
  eve = await member(server, 'a-eve')
  await ask(server, `${ws}/register`, { name: 'Eve' }, eve.headers)
})
afterAll(() => server.stop())

const CODE = `const parse = (text) => {
  const lines = text.split()
  const first = lines[0]
  check(first)
  log(first)
  log(first)
  log(first)
  return build(lines)
}

const one = 1
const two = 2
const three = 3
const four = 4

const build = (lines) => {
  return lines.length
}
`

const put = async (who: Agent, key: string, content: string) => {
  writeFileSync(join(who.cwd, 'f'), content)
  const args = ['file-put', '--key', key, '--file', 'f']
  return who.ask<{ conflicts: object[]; together?: object[] }>(...args)
}
/** Messages about changes to look at together, of one file. */
const toldOf = async (who: Agent, key: string): Promise<Message[]> => {
  const { messages } = await who.ask<{ messages: Message[] }>('poll', '--limit', '100')
  return messages.filter((one) => one.type === 'look_together' && one.content.includes(key))
}

it('[STALE-4] two changes of one function that merge cleanly are told to both, once, and wake nobody', async () => {
  await put(ann, 'parse.js', CODE)
  await bob.ask('file-get', 'parse.js')
  await put(ann, 'parse.js', CODE.replace('split()', "split('\\n')"))
  const theirs = CODE.replace('build(lines)', 'build(lines, 1)')
  const merged = await put(bob, 'parse.js', theirs)
  expect(merged.conflicts).toEqual([])
  expect(merged.together).toEqual([
    {
      ...{ by: ann.id, symbol: 'parse', lines: { from_line: 8, to_line: 8 } },
      others: { from_line: 2, to_line: 2 },
    },
  ])
  const told = await toldOf(ann, 'parse.js')
  expect(told).toMatchObject([
    {
      ...{ type: 'look_together', from_agent: bob.id, to_agent: ann.id, topic: 'look-together' },
      content:
        'Bob changed line 8 of parse.js, you line 2, both in parse; both merged cleanly: look at this together',
    },
  ])
  expect(told.map(wakes)).toEqual([false])
  // Once, whoever of the two changes it next.
  const again = await put(bob, 'parse.js', theirs.replace('build(lines, 1)', 'build(lines, 2)'))
  expect(again.together).toBeUndefined()
  expect(await toldOf(ann, 'parse.js')).toEqual([])
})

it('[STALE-4] changes within a few lines are, and changes far apart or by the same agent are not', async () => {
  await put(ann, 'near.js', CODE)
  await bob.ask('file-get', 'near.js')
  await put(ann, 'near.js', CODE.replace('one = 1', 'one = 11'))
  const printed = await bob.atLink(
    ...['file-edit', '--key', 'near.js', '--find', 'three = 3', '--replace', 'three = 33'],
  )
  expect(printed.stderr).toContain(
    `${ann.id} (Ann) changed line 11 of near.js, you line 13, close to each other; both merged cleanly: look at this together\n`,
  )
  expect(await toldOf(ann, 'near.js')).toHaveLength(1)

  await put(ann, 'far.js', CODE)
  await bob.ask('file-get', 'far.js')
  await put(ann, 'far.js', CODE.replace('split()', "split('\\n')"))
  expect((await put(bob, 'far.js', CODE.replace('lines.length', '1'))).together).toBeUndefined()
  await put(ann, 'own.js', CODE)
  await ann.ask('file-edit', '--key', 'own.js', '--find', 'one = 1', '--replace', 'one = 11')
  await bob.ask('file-get', 'own.js')
  const own = await ann.ask<{ together?: object[] }>(
    ...['file-edit', '--key', 'own.js', '--find', 'two = 2', '--replace', 'two = 22'],
  )
  expect(own.together).toBeUndefined()
})

it('[STALE-4] an agent with HTTP only gets it with the answer to its put, or in its inbox', async () => {
  await put(ann, 'http.js', CODE)
  const putAs = async (content: string, base_version: number) => {
    const answer = await globalThis.fetch(`${server.url}${ws}/files/content`, {
      ...{ method: 'PUT', headers: eve.headers },
      body: JSON.stringify({ key: 'http.js', content, base_version }),
    })
    return ((await answer.json()) as { data: { together?: object[] } }).data
  }
  await put(ann, 'http.js', CODE.replace('split()', "split('\\n')"))
  const { together } = await putAs(CODE.replace('check(first)', 'check(first, 1)'), 1)
  expect(together).toMatchObject([{ by: ann.id, symbol: 'parse' }])
  expect(await toldOf(ann, 'http.js')).toHaveLength(1)

  await put(ann, 'inbox.js', CODE)
  const get = `${server.url}${ws}/files/content?key=inbox.js`
  await globalThis.fetch(get, { headers: eve.headers })
  await ann.ask('file-get', 'inbox.js')
  await globalThis.fetch(`${server.url}${ws}/files/edit`, {
    ...{ method: 'POST', headers: eve.headers },
    body: JSON.stringify({ key: 'inbox.js', find: 'one = 1', replace: 'one = 11' }),
  })
  await ann.ask('file-edit', '--key', 'inbox.js', '--find', 'two = 2', '--replace', 'two = 22')
  const { data } = await ask<{ messages: Message[] }>(server, `${ws}/inbox`, undefined, eve.headers)
  const told = data.messages.filter(({ type }) => type === 'look_together')
  expect(told).toMatchObject([{ from_agent: ann.id, to_agent: 'a-eve' }])
})
