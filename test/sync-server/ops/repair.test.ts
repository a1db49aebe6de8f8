import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { disarm } from '../../../sync-server/ops/disarm.ts'
import { checkUpdate } from '../../../sync-server/sync/updates/check.ts'
import { docOf } from '../../../sync-server/sync/updates/document.ts'
import { checkDocument } from '../../../workspace/document/check.ts'
import { liveDoc, runSeed, seeded, until } from '../../support/client.ts'
import { serveData, serveHere, startHere } from '../../support/in-process.ts'
import { place, syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { deepJson, poison, putIn } from '../../support/poison.ts'
import { tempDir } from '../../support/server.ts'

/** Data with these files in `default`, and what the server had of them. */
const dataWith = async (files: Record<string, string>): Promise<{ data: string; doc: Y.Doc }> => {
  const server = await serveHere()
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  for (const [name, text] of Object.entries(files)) doc.getText(`file:${name}`).insert(0, text)
  await client.barrier()
  await client.close()
  await server.close()
  return { data: server.data, doc }
}

/** What changes a document of its own, as an update under a Yjs client id. */
const madeBy = (client: number, base: Y.Doc, change: (doc: Y.Doc) => void): Uint8Array => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(base))
  doc.clientID = client
  const before = Y.encodeStateVector(doc)
  change(doc)
  return Y.encodeStateAsUpdate(doc, before)
}

const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])

/** Everything that Yjs takes, and that should not stand there. */
const WRONG: Record<string, (doc: Y.Doc) => void> = {
  'an embed in a file': (doc) => doc.getText('file:a.md').insertEmbed(0, { image: 'x' }),
  'a type in a file': (doc) => doc.getText('file:a.md').insertEmbed(0, new Y.Map([['in', 1]])),
  'a deep mark': (doc) => doc.getText('file:a.md').format(0, 2, { bold: nested(40) }),
  'a deep value': (doc) => doc.getArray('other').push([nested(500)]),
  'a bigint': (doc) => doc.getArray('intake').push([{ kind: 'task', facts: { n: 10n } }]),
  'what is no broadcast': (doc) => doc.getArray('broadcasts').push([new Y.Map(), 1]),
  'the layout': (doc) => doc.getMap('meta').set('schemaVersion', 'new'),
}

it.each(Object.entries(WRONG))(
  '[OPS-17] [OPS-23] %s is taken out, deleted everywhere, and kept; all else stays',
  async (_, change) => {
    const { data, doc } = await dataWith({ 'a.md': 'one\ntwo\n', 'b.md': 'whole\n' })
    const wrong = madeBy(4_711, doc, change)
    Y.applyUpdate(doc, wrong)
    await putIn(data, 'default', [wrong], [{ client: 4_711, owner: 'mallory' }])
    const verified = await syncHere('verify', '--data', data)
    expect(verified.code).toBe(1)
    expect(verified.stdout).toMatch(/^invalid {2}workspace default, .*\(by mallory\)$/m)
    expect(verified.stdout).toContain('clawlink-sync repair')

    const dry = await syncHere('repair', '--dry-run', '--data', data)
    expect([dry.code, dry.stdout]).toEqual([1, expect.stringContaining('would be taken out')])
    expect((await syncHere('verify', '--data', data)).stdout).toBe(verified.stdout)

    const repaired = await syncHere('repair', '--data', data)
    expect([repaired.code, repaired.stderr]).toEqual([0, ''])
    expect(repaired.stdout).toMatch(/^taken out {2}workspace default, .*\(by mallory, /m)
    const after = await syncHere('verify', '--data', data)
    expect(after).toMatchObject({ code: 0, stdout: expect.stringContaining('all well') })
    const [file] = readdirSync(join(data, 'removed'))
    const kept = readFileSync(join(data, 'removed', file!), 'utf8')
      .trim()
      .split('\n')
    for (const line of kept) {
      const one = JSON.parse(line) as Record<string, unknown>
      expect(one).toMatchObject({ workspace: 'default', by: 'mallory', client: 4_711 })
      expect(one.value !== undefined || one.bytes !== undefined).toBe(true)
    }

    // A replica that has it.
    const server = await serveData(data)
    const mine = await liveDoc(`${server.sync}/default`, doc)
    await until('it is deleted there', () => checkDocument(doc).length === 0)
    const newcomer = await liveDoc(`${server.sync}/default`)
    expect(Y.encodeStateVector(newcomer.doc)).toEqual(Y.encodeStateVector(doc))
    for (const one of [doc, newcomer.doc]) {
      const delta: { insert: unknown; attributes?: unknown }[] = one.getText('file:a.md').toDelta()
      expect(delta.map(({ insert }) => insert).join('')).toBe('one\ntwo\n')
      expect(delta.filter(({ attributes }) => attributes !== undefined)).toEqual([])
      expect(one.getText('file:b.md').toString()).toBe('whole\n')
      for (const name of ['other', 'intake', 'broadcasts']) {
        expect(one.getArray(name).toJSON()).toEqual([])
      }
      expect(one.getMap('meta').get('schemaVersion')).toBe(2)
    }
    await Promise.all([mine.client.close(), newcomer.client.close()])
    await server.close()
  },
)

it('[OPS-17] what Yjs cannot read or write again is taken out; what was written after it stays', async () => {
  const { data } = await dataWith({ 'a.md': 'one\n' })
  const kinds = ['mark', 'json', 'embed', 'any'] as const
  const updates = kinds.map((kind, i) => {
    const client = 100 + i
    return poison(kind, { client, root: 'free', depth: kind === 'any' ? 200_000 : 6_000 })
  })
  // Builds on the mark, as an honest edit beside it does.
  const after = new Y.Doc()
  Y.applyUpdate(after, updates[0]!)
  const edit = madeByMore(after)
  await putIn(data, 'default', [...updates, edit], [{ client: 100, owner: 'mallory' }])
  const [backup, restored] = [place('backup'), place('restored')]
  expect((await syncHere('backup', backup, '--data', data)).code).toBe(0)
  const verified = await syncHere('verify', '--data', data)
  expect(verified.stdout.match(/^invalid {2}.*nested deeper/gm)).toHaveLength(kinds.length)
  const { removed, left } = await syncJsonHere<{
    removed: { path: string; by: string | null; bytes: string; reason: string }[]
    left: unknown[]
  }>('repair', '--data', data)
  expect(left).toEqual([])
  expect(removed.map(({ by }) => by)).toEqual(['mallory', null, null, null])
  for (const one of removed) {
    expect(one).toMatchObject({ path: 'free', bytes: expect.stringMatching(/^[\w+/]+=*$/) })
  }
  expect((await syncHere('verify', '--data', data)).code).toBe(0)
  // One of them keeps no backup of the others from being restored, or from being repaired then.
  const { code, stdout } = await syncHere('restore', backup, '--data', restored)
  expect([code, stdout]).toEqual([0, expect.stringContaining('invalid in it: 4 entries')])
  expect((await syncHere('repair', '--data', restored)).code).toBe(0)
  expect((await syncHere('verify', '--data', restored)).code).toBe(0)
  const server = await startHere({ data })
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  expect(doc.getText('free').toString()).toBe('after')
  expect(doc.getText('file:a.md').toString()).toBe('one\n')
  await client.close()
  expect(await server.stop()).toBe(0)
})

/** An edit of a text in front of which something stands that cannot be written. */
const madeByMore = (doc: Y.Doc): Uint8Array => {
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  doc.clientID = 900
  const text = doc.getText('free')
  text.insert(text.length, 'after')
  return updates[0]!
}

it('[OPS-17] of what one wrote in a row only that goes which is wrong', async () => {
  const { data, doc } = await dataWith({ 'a.md': 'one\n' })
  const wrong = [{ n: 10n }, nested(30)]
  const row = madeBy(7, doc, (own) => {
    own.getArray('other').push(['first', wrong[0], { kept: true }, wrong[1], 'last'])
  })
  await putIn(data, 'default', [row])
  const { removed } = await syncJsonHere<{ removed: object[] }>('repair', '--data', data)
  expect(removed).toMatchObject([
    { clock: 1, length: 1, bytes: expect.stringMatching(/./) },
    { clock: 3, length: 1, value: wrong[1] },
  ])
  const server = await serveData(data)
  const after = await liveDoc(`${server.sync}/default`)
  expect(after.doc.getArray('other').toJSON()).toEqual(['first', { kept: true }, 'last'])
  await after.client.close()
  await server.close()
})

it('[OPS-17] a workspace alone; none of that name: exit 3; a server that uses the data: exit 4', async () => {
  const { data, doc } = await dataWith({ 'a.md': 'one\n' })
  await putIn(data, 'default', [madeBy(5, doc, WRONG['an embed in a file']!)])
  const none = await syncHere('repair', '--workspace', 'defualt', '--data', data)
  expect(none).toMatchObject({ code: 3, stderr: expect.stringContaining('default') })
  expect((await syncHere('repair', '--data', tempDir('empty'))).code).toBe(3)
  const server = await startHere({ data })
  const used = await syncHere('repair', '--data', data)
  expect(used).toMatchObject({ code: 4, stderr: expect.stringContaining('stop the server') })
  await server.stop()
  const done = await syncHere('repair', '--workspace', 'default', '--data', data)
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('1 things taken out') })
})

it('[OPS-17] whatever an update holds, what is taken out of it leaves as many operations, and the rest as it is', () => {
  const random = seeded(runSeed('disarm'))
  const docs = [new Y.Doc(), new Y.Doc()]
  const deep = () => JSON.parse(deepJson(1_200)) as unknown
  for (let i = 0; i < 400; i++) {
    const doc = docs[i % 2]!
    const text = doc.getText('t')
    const at = Math.floor(random() * (text.length + 1))
    const isBad = random() < 0.1
    const plain = { list: [1, 'two', null, 2n, new Uint8Array(3), { a: undefined }] }
    const kind = random()
    if (kind < 0.5) text.insert(at, '𝄞 é')
    else if (kind < 0.75) text.insertEmbed(at, isBad ? { deep: deep() } : { x: '"[{' })
    else doc.getMap('m').set(`k${i % 7}`, isBad ? deep() : plain)
    if (random() < 0.1) text.delete(0, Math.min(2, text.length))
    if (random() < 0.1) Y.applyUpdate(doc, Y.encodeStateAsUpdate(docs[(i + 1) % 2]!))
  }
  for (const doc of docs) Y.applyUpdate(docs[0]!, Y.encodeStateAsUpdate(doc))
  // Some runs delete nearly all that is bad.
  for (let n = 0; n < 4; n++) docs[0]!.getText('t').insertEmbed(0, { deep: deep() })
  const whole = Y.encodeStateAsUpdate(docs[0]!)
  const { update, taken } = disarm(whole)
  expect(taken.length).toBeGreaterThan(3)
  const [before, after] = [new Map<number, number>(), new Map<number, number>()]
  expect([checkUpdate(whole, before), checkUpdate(update, after)]).toEqual(['ready', 'ready'])
  expect(after).toEqual(before)
  const doc = docOf({ checkpoint: update, tail: [], seq: 1 })
  expect(doc.getText('t').toString()).toBe(docs[0]!.getText('t').toString())
  expect(disarm(update)).toEqual({ update, taken: [] })
})

it('[OPS-16] verify says that what an honest server stored is well', async () => {
  const { data } = await dataWith({ 'a.md': 'one\n' })
  expect((await syncHere('verify', '--data', data)).code).toBe(0)
})
