import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await registeredHere(server.url, 'Bob', 'alone-here')
})
afterAll(() => server.stop())

const put = async (who: Agent, key: string, content: string) => {
  writeFileSync(join(who.cwd, 'f'), content)
  return who.ask('file-put', '--key', key, '--file', 'f')
}
const get = async (who: Agent, key: string, ...more: string[]) =>
  (await who.atLink('file-get', '--key', key, ...more)).stdout

it('[TIME-1] [TIME-2] checkpoint, checkpoints, and file-get at a time or a checkpoint', async () => {
  await put(ann, 'plan.md', 'one\ntwo\n')
  const made = await ann.atLink('checkpoint', 'first', '--note', 'all green')
  expect(made.stdout).toMatch(/^checkpoint first: 1 file at 2\d{3}-.*Z\n$/)
  await put(ann, 'plan.md', 'one\n2\n')
  const { stdout } = await bob.atLink('checkpoints')
  expect(stdout).toMatch(/^first {2}\S+Z {2}a-\S+ \(Ann\) {2}1 file {2}all green\n$/)
  expect(await get(bob, 'plan.md', '--checkpoint', 'first')).toBe('one\ntwo\n')
  expect(await get(bob, 'plan.md', '--at', '0s')).toBe('one\n2\n')
  const early = await bob.atLink('file-get', '--key', 'plan.md', '--at', '1d', '--json')
  expect([early.code, early.json().error?.code]).toEqual([3, 'unknown_version'])
  expect(early.json().error?.message).toMatch(
    /^plan.md had no version at .*: its first is version 1/,
  )
  const both = await bob.atLink('file-get', '--key', 'plan.md', '--at', '1d', '--version', '1')
  expect(both.code).toBe(2)
})

it('[TIME-3] diff prints the changes since a checkpoint, or between two', async () => {
  const since = await bob.atLink('diff', 'first')
  expect(since.stdout).toBe(
    '--- plan.md version 1\n+++ plan.md version 2\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n',
  )
  await bob.ask('checkpoint', 'second')
  expect((await ann.atLink('diff', 'second')).stderr).toMatch(/nothing differs from second/)
  await put(ann, 'long.md', 'a line of a long file\n'.repeat(200))
  const long = await ann.atLink('diff', 'first')
  expect(long.stdout).toBe('added  long.md  +200 -0 lines\nchanged  plan.md  +1 -1 lines\n')
  expect(await ann.ask('diff', 'first', 'second')).toMatchObject({ count: 1, more: false })
  const none = await ann.atLink('diff', 'secnd', '--json')
  expect([none.code, none.json().error?.code]).toEqual([3, 'unknown_checkpoint'])
  expect(none.json().error?.hint).toMatch(/second/)
})

it('[TIME-4] restore shows with --dry-run what it then does, and replicas have it', async () => {
  const dry = await bob.atLink('restore', 'first', '--dry-run')
  expect(dry.stdout).toBe('long.md would be removed\nplan.md would be restored  +1 -1 lines\n')
  expect(await get(ann, 'plan.md')).toBe('one\n2\n')
  const done = await bob.atLink('restore', 'first')
  expect(done.stdout).toBe('long.md is removed\nplan.md is restored  +1 -1 lines\n')
  expect(await get(ann, 'plan.md')).toBe('one\ntwo\n')
  expect((await ann.ask<{ files: object[] }>('file-list')).files).toHaveLength(1)
  expect((await bob.atLink('restore', 'first')).stderr).toMatch(/all files are as they were/)
  await ann.ask('restore', 'second')
  expect(await get(bob, 'plan.md')).toBe('one\n2\n')
})

it('[TIME-5] file-restore takes a time or a checkpoint', async () => {
  const back = await bob.ask('file-restore', '--key', 'plan.md', '--checkpoint', 'first')
  expect(back).toMatchObject({ changed: true, restored: 1 })
  expect(await get(ann, 'plan.md')).toBe('one\ntwo\n')
  expect(await bob.ask('file-restore', '--key', 'plan.md', '--at', '0s')).toMatchObject({
    changed: false,
  })
})

it('[TIME-6] checkpoint --remove removes the name', async () => {
  expect((await ann.atLink('checkpoint', 'first', '--remove')).stdout).toMatch(/is removed/)
  expect(await ann.ask('checkpoints')).toMatchObject({ count: 1 })
  const again = await ann.atLink('checkpoint', 'first', '--remove', '--json')
  expect([again.code, again.json().error?.code]).toEqual([3, 'unknown_checkpoint'])
})
