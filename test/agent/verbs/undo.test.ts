import { afterAll, beforeAll, expect, it } from 'vitest'
import { joinLink } from '../../../protocol/roles.ts'
import type { UndoReport } from '../../../workspace/authorship/undo-report.ts'
import { type Agent, agentHere, registeredHere, type Way } from '../../support/agent.ts'
import { invite } from '../../support/auth/members.ts'
import { startHere } from '../../support/in-process.ts'
import { type ServerAt, tempDir } from '../../support/server.ts'

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent
let adam: Agent
/** Joins with a role: without an invite a user's own programs are admins. */
const joined = async (name: string, role: 'write' | 'admin', way?: Way): Promise<Agent> => {
  const secret = await invite(server, { workspace: 'default', role })
  const one = agentHere(joinLink(server.url, 'default', secret), tempDir('home'), way)
  await one.ask('register', '--name', name)
  return one
}
beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await joined('Bob', 'write', 'alone-here')
  adam = await joined('Adam', 'admin')
})
afterAll(() => server.stop())

const get = async (who: Agent, key: string): Promise<string> =>
  (await who.atLink('file-get', '--key', key)).stdout
const edit = (who: Agent, find: string, replace: string) =>
  who.ask('file-edit', '--key', 'plan.md', '--find', find, '--replace', replace)

it('[UNDO-8] undo shows the diff, undoes, reports overlaps, and is undone by its id', async () => {
  await ann.ask('file-append', 'plan.md', 'one\ntwo\nthree')
  await edit(bob, 'two', 'TWO')
  await edit(ann, 'TWO', 'TWO!')
  await edit(bob, 'three', '3')

  const dry = await adam.atLink('undo', '--agent', 'Bob', '--dry-run')
  expect(dry.stdout).toBe(
    '--- plan.md\n+++ plan.md after the undo\n@@ -1,3 +1,3 @@\n one\n-TWO!\n-3\n+two!\n+three\n',
  )
  expect(dry.stderr).toContain(`overlap in plan.md, line 2, with ${ann.id} (Ann)`)
  expect(await get(ann, 'plan.md')).toBe('one\nTWO!\n3\n')

  const done = await adam.atLink('undo', '--agent', 'Bob', '--key', 'plan.md')
  const [line, last] = done.stdout.split('\n')
  expect(line).toBe('plan.md version 5: 4 characters taken out, 8 put back, at lines 2-3')
  const [, id] = /^undone; undo --id (u-\w+) takes it back$/.exec(last!)!
  expect(await get(bob, 'plan.md')).toBe('one\ntwo!\nthree\n')
  const { files } = await adam.ask<UndoReport>('undo', '--id', id!)
  expect(files).toMatchObject([{ file_key: 'plan.md', removed: 8, restored: 4 }])
  expect(await get(ann, 'plan.md')).toBe('one\nTWO!\n3\n')
})

it('[UNDO-6] an agent undoes its own work, and is told whose work it may not undo', async () => {
  const own = await bob.ask<UndoReport>('undo', '--agent', 'Bob', '--since', '1h')
  expect(own.files).toHaveLength(1)
  expect(await get(bob, 'plan.md')).toBe('one\ntwo!\nthree\n')
  const others = await bob.atLink('undo', '--since', '1h', '--json')
  expect(others.code).toBe(5)
  expect(others.json().error).toMatchObject({
    ...{ code: 'not_allowed', message: expect.stringContaining(`would undo work of ${ann.id}`) },
  })
  expect((await bob.atLink('undo')).code).toBe(2)
  const nothing = await bob.atLink('undo', '--agent', 'Bob', '--task', 't-000000000000')
  expect(nothing.code).toBe(3)
})
