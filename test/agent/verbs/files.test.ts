import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

interface Wrote {
  file: { file_key: string; version: number }
  changed: boolean
  conflicts: { from_line: number; to_line: number; by: string }[]
  lines: { from_line: number; to_line: number }[]
  intents?: { agent_id: string; note: string }[]
  replaced?: number
}

let server: ServerAt
let ann: Agent & { id: string }
let bob: Agent & { id: string }

beforeAll(async () => {
  server = await startHere()
  ann = await registeredHere(server.url, 'Ann')
  bob = await registeredHere(server.url, 'Bob')
})
afterAll(() => server.stop())

const local = (who: Agent, name: string, content: string): string => {
  writeFileSync(join(who.cwd, name), content)
  return name
}
const put = (who: Agent, key: string, content: string, ...flags: string[]) =>
  who.ask<Wrote>('file-put', '--key', key, '--file', local(who, 'put.txt', content), ...flags)
const get = async (who: Agent, key: string, ...flags: string[]): Promise<string> =>
  (await who.atLink('file-get', '--key', key, ...flags)).stdout
const refused = async (who: Agent, ...args: string[]) => {
  const ran = await who.atLink(...args, '--json')
  return { exit: ran.code, ...ran.json().error }
}

const PLAN = 'one\ntwo\nthree\nfour\nfive\n'

it('[FILE-11] file-edit replaces a text; a miss says what is near, and changes nothing', async () => {
  await put(ann, 'edit.md', PLAN)
  const edited = await bob.ask<Wrote>(
    ...['file-edit', '--key', 'edit.md', '--find', 'two', '--replace', 'TWO'],
  )
  expect(edited).toMatchObject({
    changed: true,
    replaced: 1,
    lines: [{ from_line: 2, to_line: 2 }],
  })
  expect(await get(ann, 'edit.md')).toBe(PLAN.replace('two', 'TWO'))
  expect(
    await refused(bob, 'file-edit', '--key', 'edit.md', '--find', 'thre3', '--replace', 'x'),
  ).toMatchObject({ exit: 3, code: 'no_match', hint: 'nearest is line 3: "three"' })
  expect(
    await refused(bob, 'file-edit', '--key', 'edit.md', '--find', 'e', '--replace', 'x'),
  ).toMatchObject({ exit: 2, code: 'ambiguous' })
  expect(
    await bob.ask('file-edit', '--key', 'edit.md', '--find', 'e\n', '--replace', 'E\n', '--all'),
  ).toMatchObject({ replaced: 3 })
  for (const args of [
    ['--find', 'a'],
    ['--find', 'a', '--with', 'b'],
    ['--lines', '1', '--replace', 'b'],
    ['--lines', '1', '--find', 'a', '--replace', 'b'],
  ]) {
    expect(await refused(bob, 'file-edit', '--key', 'edit.md', ...args)).toMatchObject({ exit: 2 })
  }
})

it('[FILE-20] --new makes a file only where there is none, also of what the writer has read', async () => {
  const isNew = (who: Agent, ...more: string[]) =>
    refused(who, 'file-put', '--key', 'fresh.md', '--file', '-', '--new', ...more)
  await ann.runWith({ stdin: 'mine\n' }, 'file-put', '--key', 'fresh.md', '--file', '-', '--new')
  await get(bob, 'fresh.md')
  for (const who of [ann, bob]) {
    expect(await isNew(who)).toMatchObject({ exit: 4, code: 'file_exists' })
    expect(await isNew(who, '--binary')).toMatchObject({ exit: 4, code: 'file_exists' })
  }
  expect(await isNew(ann, '--force')).toMatchObject({ exit: 2, code: 'usage' })
  expect(await get(bob, 'fresh.md')).toBe('mine\n')
})

it('[FILE-14] line numbers are those that the agent has read, whatever others did since', async () => {
  await put(ann, 'lines.md', PLAN)
  expect(
    await refused(bob, 'file-edit', '--key', 'lines.md', '--lines', '4', '--with', 'x'),
  ).toMatchObject({ exit: 4, code: 'no_base' })
  expect(await get(bob, 'lines.md', '--lines', '4-5')).toBe('four\nfive\n')
  await put(ann, 'lines.md', `zero\n${PLAN}`)
  await bob.ask('file-edit', '--key', 'lines.md', '--lines', '4', '--with', 'FOUR\nand a half')
  // Its own edit counts.
  const second = await bob.ask<Wrote>(
    'file-edit',
    '--key',
    'lines.md',
    '--lines',
    '6',
    '--with',
    'FIVE',
  )
  expect(second).toMatchObject({ conflicts: [], lines: [{ from_line: 7, to_line: 7 }] })
  expect(await get(ann, 'lines.md')).toBe('zero\none\ntwo\nthree\nFOUR\nand a half\nFIVE\n')
  // What it read of the file in part is no base to put the whole.
  expect(
    await refused(bob, 'file-put', '--key', 'lines.md', '--file', local(bob, 'x', 'x')),
  ).toMatchObject({ exit: 4, code: 'no_base' })
})

it('[FILE-15] an edit by other means does not make a put from the old copy take it back', async () => {
  await put(ann, 'stale.md', PLAN)
  await get(bob, 'stale.md', '--output', 'copy.md')
  await bob.ask('file-edit', '--key', 'stale.md', '--find', 'one', '--replace', 'ONE')
  const copy = readFileSync(join(bob.cwd, 'copy.md'), 'utf8').replace('five', 'FIVE')
  await put(bob, 'stale.md', copy)
  expect(await get(ann, 'stale.md')).toBe('ONE\ntwo\nthree\nfour\nFIVE\n')
})

it('file-append adds lines, and makes the file', async () => {
  await ann.ask('file-append', '--key', 'log.md', 'first')
  await Promise.all([
    ann.ask('file-append', '--key', 'log.md', 'from ann'),
    bob.ask('file-append', '--key', 'log.md', '--text', 'from bob'),
  ])
  const lines = (await get(ann, 'log.md')).split('\n')
  expect(lines[0]).toBe('first')
  expect(lines.sort()).toEqual(['', 'first', 'from ann', 'from bob'])
})

it('[FILE-16] who overlaps somebody is told, and so is the other', async () => {
  await put(ann, 'both.md', PLAN)
  await get(bob, 'both.md')
  await bob.atLink('poll')
  await put(ann, 'both.md', PLAN.replace('three', 'three by ann'))
  const wrote = await put(bob, 'both.md', PLAN.replace('three', 'three by bob'))
  expect(wrote.conflicts).toEqual([{ from_line: 3, to_line: 4, by: ann.id }])
  const { messages } = await ann.ask<{ messages: { type: string }[] }>(
    'poll',
    '--type',
    'direct_message',
  )
  expect(messages).toMatchObject([
    {
      from_agent: bob.id,
      topic: 'file-conflict',
      content:
        'Bob and you both changed lines 3-4 of both.md; both texts are in it: file-get it and resolve the conflict',
    },
  ])
})

it('file-diff shows what is new since the agent read it', async () => {
  await put(ann, 'diff.md', PLAN)
  expect(await refused(bob, 'file-diff', '--key', 'diff.md')).toMatchObject({
    exit: 4,
    code: 'no_base',
  })
  await get(bob, 'diff.md')
  expect((await bob.atLink('file-diff', '--key', 'diff.md')).stdout).toBe('')
  await put(ann, 'diff.md', PLAN.replace('one', 'ONE'))
  const { stdout } = await bob.atLink('file-diff', '--key', 'diff.md', '--since-read')
  expect(stdout).toBe(
    '--- diff.md version 1\n+++ diff.md version 2\n@@ -1,4 +1,4 @@\n-one\n+ONE\n two\n three\n four\n',
  )
  const changed = await bob.ask<{ files: { file_key: string; read_version: number }[] }>(
    ...['file-list', 'diff', '--changed'],
  )
  expect(changed.files).toMatchObject([{ file_key: 'diff.md', version: 2, read_version: 1 }])
})

it('[FILE-9] file-rm is refused where others changed what the agent has not read; file-mv keeps edits', async () => {
  await put(ann, 'old.md', PLAN)
  await get(bob, 'old.md')
  await put(ann, 'old.md', `${PLAN}six\n`)
  expect(await refused(bob, 'file-rm', '--key', 'old.md')).toMatchObject({ exit: 4, code: 'stale' })
  await ann.ask('file-mv', '--key', 'old.md', '--to', 'new.md')
  expect(await refused(bob, 'file-get', '--key', 'old.md')).toMatchObject({
    exit: 3,
    hint: `${ann.id} renamed it to new.md`,
  })
  await ann.atLink('poll')
  await bob.ask('file-rm', '--key', 'new.md', '--force')
  const { messages } = await ann.ask<{ messages: object[] }>('poll', '--type', 'file_removed')
  expect(messages).toMatchObject([{ type: 'file_removed', file_key: 'new.md', moved_to: null }])
  expect(await refused(ann, 'file-mv', '--key', 'new.md', '--to', 'x')).toMatchObject({ exit: 3 })
})

it('[FILE-9] what an agent changed itself it knows; what its put was merged with it does not', async () => {
  await put(ann, 'own.md', PLAN)
  await get(bob, 'own.md')
  await bob.ask('file-edit', '--key', 'own.md', '--find', 'two', '--replace', 'TWO')
  await bob.ask('file-append', '--key', 'own.md', 'six')
  await bob.ask('file-rm', '--key', 'own.md')

  await put(ann, 'own.md', PLAN)
  await get(bob, 'own.md')
  await ann.ask('file-append', '--key', 'own.md', 'by ann')
  await put(bob, 'own.md', PLAN.replace('one', 'ONE'))
  expect(await refused(bob, 'file-rm', '--key', 'own.md')).toMatchObject({ code: 'stale' })
})

it('[FILE-13] file-list and discover say who is where; an intent is told to who puts the same lines', async () => {
  await put(ann, 'shared.md', PLAN)
  await get(bob, 'shared.md', '--lines', '2-3')
  // Who is where is presence: it comes a moment later.
  const editing = async () => {
    const { files } = await ann.ask<{ files: { editing: object[] }[] }>('file-list', 'shared')
    return files[0]!.editing
  }
  const intents = async () => {
    const { files } = await ann.ask<{ files: { intents: object[] }[] }>('file-list', 'shared')
    return files[0]!.intents
  }
  await expect
    .poll(editing)
    .toEqual([{ agent_id: bob.id, name: 'Bob', file_key: 'shared.md', from_line: 2, to_line: 3 }])
  expect((await ann.atLink('discover')).stdout).toContain('in shared.md, lines 2-3')

  await bob.ask(
    ...['file-intent', '--key', 'shared.md', '--lines', '4-5', '--note', 'rewriting the end'],
  )
  await expect.poll(intents).toHaveLength(1)
  expect(await put(ann, 'shared.md', PLAN.replace('one', 'ONE'))).not.toHaveProperty('intents')
  const wrote = await put(ann, 'shared.md', PLAN.replace('one', 'ONE').replace('four', 'FOUR'))
  expect(wrote.intents).toMatchObject([{ agent_id: bob.id, note: 'rewriting the end' }])
  await bob.ask('file-intent', '--key', 'shared.md', '--clear')
  await expect.poll(intents).toEqual([])
})

it('[FILE-17] two that change a line while the server is away are told when it is back', async () => {
  const [one, two] = await Promise.all([
    registeredHere(server.url, 'One', 'alone-here'),
    registeredHere(server.url, 'Two', 'alone-here'),
  ])
  await put(one, 'away.md', PLAN)
  await get(two, 'away.md')
  const { port, data } = server
  await server.stop()
  const wrote = await put(one, 'away.md', PLAN.replace('two', 'two, says One'))
  expect(wrote).toMatchObject({ durable: false, conflicts: [] })
  await put(two, 'away.md', PLAN.replace('two', 'two: Two'))
  server = await startHere({ port, data })
  await one.ask('discover')
  const mine = await two.ask<{ messages: object[] }>('poll', '--type', 'file_conflict')
  expect(mine.messages).toMatchObject([
    { file_key: 'away.md', from_line: 2, to_line: 2, by: one.id, from_agent: one.id },
  ])
  const theirs = await one.ask<{ messages: object[] }>('poll', '--type', 'direct_message')
  expect(theirs.messages).toMatchObject([{ topic: 'file-conflict', from_agent: two.id }])
})
