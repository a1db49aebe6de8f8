import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FileVersion } from '../../../workspace/files/file-state.ts'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'
import { fileClient } from '../../support/sync-server/file-client.ts'

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await registeredHere(server.url, 'Bob', 'alone-here')
})
afterAll(() => server.stop())

const write = (who: Agent, content: string) => writeFileSync(join(who.cwd, 'f'), content)
const put = async (who: Agent, key: string, content: string) => {
  write(who, content)
  return who.ask<{ file: { version: number } }>('file-put', '--key', key, '--file', 'f')
}
const get = async (who: Agent, key: string, ...more: string[]) =>
  (await who.atLink('file-get', '--key', key, ...more)).stdout
const log = async (who: Agent, key: string, ...more: string[]) =>
  (await who.ask<{ versions: FileVersion[] }>('file-log', '--key', key, ...more)).versions

it('[VERSION-1] file-log says who, when and how much; file-get --version reads each', async () => {
  await put(ann, 'plan.md', 'one\ntwo\n')
  await get(bob, 'plan.md')
  await put(bob, 'plan.md', 'one\n2\nthree\n')
  const versions = await log(ann, 'plan.md')
  expect(versions).toMatchObject([
    { version: 2, last_editor: bob.id, added_lines: 2, removed_lines: 1, size: 12 },
    { version: 1, last_editor: ann.id, added_lines: 2, removed_lines: 0, size: 8 },
  ])
  const { stdout } = await bob.atLink('file-log', '--key', 'plan.md', '--limit', '1')
  expect(stdout).toBe(
    `version 2  ${versions[0]!.updated_at}  ${bob.id} (Bob)  +2 -1 lines  12 bytes  plan.md\n`,
  )
  expect(await log(ann, 'plan.md', '--before', '2')).toMatchObject([{ version: 1 }])
  expect(await get(ann, 'plan.md', '--version', '1')).toBe('one\ntwo\n')
  expect(await get(bob, 'plan.md', '--version=2')).toBe('one\n2\nthree\n')
  const diff = await bob.atLink('file-diff', '--key', 'plan.md', '--since', '1')
  expect(diff.stdout).toBe(
    '--- plan.md version 1\n+++ plan.md version 2\n@@ -1,2 +1,3 @@\n one\n-two\n+2\n+three\n',
  )
  expect(await get(bob, 'plan.md', '--version', '1', '--lines', '2-2')).toBe('two\n')
  expect((await ann.atLink('--version')).stdout).toMatch(/^\d/)
})

it('[VERSION-1] what is not kept or makes no sense is an error that says what there is', async () => {
  const codeOf = async (...args: string[]) => {
    const ran = await ann.atLink(...args, '--json')
    return [ran.code, ran.json().error?.code, ran.json().error?.message]
  }
  const version = async (n: string) => codeOf('file-get', '--key', 'plan.md', '--version', n)
  expect(await version('7')).toEqual([
    ...[3, 'unknown_version', 'version 7 of plan.md is not kept; versions 1 to 2 are kept'],
  ])
  expect((await version('0')).slice(0, 2)).toEqual([2, 'usage'])
  expect((await version('two')).slice(0, 2)).toEqual([2, 'usage'])
  expect((await codeOf('file-log', '--key', 'plam.md')).slice(0, 2)).toEqual([3, 'unknown_file'])
  expect((await codeOf('file-log', '--key', 'plan.md', '--limit', '501')).slice(0, 2)).toEqual([
    ...[2, 'usage'],
  ])
  expect((await codeOf('file-restore', '--key', 'plan.md')).slice(0, 2)).toEqual([2, 'usage'])
  expect((await codeOf('file-restore', '--key', 'no.md')).slice(0, 2)).toEqual([3, 'unknown_file'])
})

it('[VERSION-5] looking at an old version does not change what the next file-put means; the newest is a base', async () => {
  await put(ann, 'base.md', 'one\ntwo\nthree\n')
  await put(ann, 'base.md', 'one\ntwo\nthree\nfour\n')
  await get(bob, 'base.md', '--version', '1')
  write(bob, 'ONE\ntwo\nthree\n')
  const refused = await bob.atLink('file-put', '--key', 'base.md', '--file', 'f', '--json')
  expect(refused.json().error?.code).toBe('no_base')

  await get(bob, 'base.md', '--version', '2', '--output', 'f')
  await put(ann, 'base.md', 'one\ntwo\nthree\nfour\nfive\n')
  expect(readFileSync(join(bob.cwd, 'f'), 'utf8')).toBe('one\ntwo\nthree\nfour\n')
  const past = await bob.atLink('file-get', '--key', 'base.md', '--version', '1')
  expect(past.stderr).toMatch(/^version 1 is not the newest: /)
  await put(bob, 'base.md', 'ONE\ntwo\nthree\nfour\n')
  expect(await get(ann, 'base.md')).toBe('ONE\ntwo\nthree\nfour\nfive\n')
})

it('[VERSION-5] [VERSION-8] file-restore is a new edit: counted, in the history, once under its key, and merged with others’', async () => {
  await put(ann, 'r.md', 'one\ntwo\nthree\n')
  await get(bob, 'r.md')
  await put(ann, 'r.md', 'one\n')
  const restore = ['file-restore', '--key', 'r.md', '--version', '1', '--idempotency-key', 'k1']
  const restored = await bob.ask(...restore)
  expect(restored).toMatchObject({ changed: true, restored: 1, file: { version: 3, size: 14 } })
  expect(restored).not.toHaveProperty('durable')
  expect(await get(ann, 'r.md')).toBe('one\ntwo\nthree\n')
  await put(ann, 'r.md', 'one\ntwo\nthree\nfour\n')
  expect(await bob.ask(...restore)).toEqual(restored)
  expect(await log(ann, 'r.md')).toMatchObject([
    { version: 4, last_editor: ann.id, added_lines: 1 },
    { version: 3, last_editor: bob.id, added_lines: 2, removed_lines: 0 },
    { version: 2, last_editor: ann.id, removed_lines: 2 },
    { version: 1, last_editor: ann.id },
  ])
  // Bob read version 1, and what he puts changes that: what came since stays.
  await put(bob, 'r.md', 'ONE\ntwo\nthree\n')
  expect(await get(ann, 'r.md')).toBe('ONE\ntwo\nthree\nfour\n')
  const again = await ann.ask('file-restore', '--key', 'r.md', '--version', '5')
  expect(again).toMatchObject({ changed: false, file: { version: 5 } })
})

it('[VERSION-5] an edit that was under way while a version was restored is in the file', async () => {
  await put(ann, 'c.md', 'one\ntwo\nthree\n')
  await put(ann, 'c.md', 'one\ntwo\nthree\nfour\n')
  const cat = await fileClient(`${server.sync}/default`, 'cat')
  await cat.client.close()
  cat.put('c.md', 'ONE\ntwo\nthree\nfour\n')
  await bob.ask('file-restore', '--key', 'c.md', '--version', '1')
  const back = await fileClient(`${server.sync}/default`, 'cat', cat.doc)
  await back.client.barrier()
  expect(await get(ann, 'c.md')).toBe('ONE\ntwo\nthree\n')
  const versions = await log(ann, 'c.md')
  expect(versions.map(({ version, size }) => [version, size])).toEqual([
    [4, 14],
    [3, 14],
    [2, 19],
    [1, 14],
  ])
  await back.client.close()
})

it('[VERSION-5] file-restore brings back a removed file, and finds a renamed one', async () => {
  await put(ann, 'gone.md', 'text\n')
  await ann.ask('file-rm', '--key', 'gone.md')
  const { hint } = (await bob.atLink('file-get', '--key', 'gone.md', '--json')).json().error!
  expect(hint).toMatch(/file-restore brings it back/)
  expect((await bob.atLink('file-log', '--key', 'gone.md')).stderr).toMatch(/the file is removed/)
  expect(await bob.ask('file-restore', '--key', 'gone.md')).toMatchObject({ created: true })
  expect(await get(ann, 'gone.md')).toBe('text\n')
  const without = await bob.atLink('file-restore', '--key', 'gone.md', '--json')
  expect(without.json().error?.code).toBe('usage')

  await put(ann, 'gone.md', 'new text\n')
  await ann.ask('file-mv', '--key', 'gone.md', '--to', 'here.md')
  const restored = await bob.ask('file-restore', '--key', 'gone.md', '--version', '1')
  expect(restored).toMatchObject({ changed: true, file: { file_key: 'here.md' } })
  expect(await get(ann, 'here.md')).toBe('text\n')
})

it('[VERSION-5] without the server there is no history, and nothing is changed', async () => {
  await server.stop()
  for (const verb of [
    ['file-log', '--key', 'r.md'],
    ['file-get', '--key', 'r.md', '--version', '1'],
    ['file-restore', '--key', 'r.md', '--version', '1'],
  ]) {
    const ran = await bob.atLink(...verb, '--json')
    expect([ran.code, ran.json().error?.code]).toEqual([6, 'unreachable'])
  }
  expect(await get(bob, 'r.md')).toBe('ONE\ntwo\nthree\nfour\n')
})
