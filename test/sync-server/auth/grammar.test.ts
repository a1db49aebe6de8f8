import * as encoding from 'lib0/encoding'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import * as yrs from 'ywasm'
import type { AgentId, BroadcastId, FileId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import {
  broadcastsOf,
  editsOf,
  filesOf,
  metaOf,
  submissionsOf,
  tasksOf,
} from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { encode } from '../../support/auth/arrival-runs.ts'
import { type Member, member } from '../../support/auth/members.ts'
import { frame, liveDoc, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

const ARGS = ['--limit', 'offences=1000']
const me = 'a-mallory' as AgentId
const victimId = 'a-victim' as AgentId
let server: ServerAt
let mallory: Member
let victim: Member
let theirs: Awaited<ReturnType<typeof liveDoc>>

const open = (who: Member, doc = new Y.Doc()) => liveDoc(`${server.sync}/default`, doc, who.headers)
const said = (from: AgentId, id: string) => ({
  ...{ id: id as BroadcastId, from, content: 'x', topic: 'general', tags: [], at: 1 },
})
const task = (id: string, from: AgentId) => ({
  ...{ id: id as TaskId, description: 'x', context: null, priority: 'normal' as const },
  ...{ from, to: null, now: 1 },
})

const register = (doc: Y.Doc, id = me) =>
  registerAgent(doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })

beforeAll(async () => {
  server = await startHere({ args: ARGS })
  mallory = await member(server, me)
  victim = await member(server, victimId)
  theirs = await open(victim)
  const { doc, client } = theirs
  register(doc, victimId)
  addTask(doc, task('t-honest', victimId))
  addBroadcast(doc, { ...said(victimId, 'm-honest'), now: 1 })
  putFile(doc, { key: 'a.md', content: 'one\ntwo\n', base: null, by: victimId, now: 1 })
  await client.barrier()
  await until('the task is filed', () => tasksOf(doc).size > 0)
})
afterAll(() => server.stop())

/** Everything that others have. */
const state = async () => {
  const { doc, client } = await open(victim)
  await client.close()
  // Of a large update of these parts may be in already.
  const large = ['file:long.md', 'file:marks.md']
  const names = [...doc.share.keys()].filter((name) => !large.includes(name)).sort()
  return names.map((name) => [name, JSON.stringify(doc.get(name).toJSON())])
}

/** One item that no Yjs program writes, as an update. */
const built = (kind: number, root: string, write: (to: encoding.Encoder) => void): Uint8Array =>
  encoding.encode((to) => {
    for (const number of [1, 1, 77_000 + kind, 0]) encoding.writeVarUint(to, number)
    encoding.writeUint8(to, kind)
    encoding.writeVarUint(to, 1)
    encoding.writeVarString(to, root)
    write(to)
    encoding.writeVarUint(to, 0)
  })
const brackets = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** Contents one after another in a root, as an update. */
const text = (root: string, clock: number, ...contents: Y.Item['content'][]): Uint8Array => {
  const client = 78_000 + root.length
  let at = clock
  const items = contents.map((content) => {
    const id = Y.createID(client, at)
    at += content.getLength()
    return new Y.Item(id, null, null, null, null, root as never, null, content)
  })
  return encode([[client, items]])
}

const TRIES: Record<string, (doc: Y.Doc) => unknown> = {
  'a mark of 4,500 levels': () =>
    built(6, 'file:a.md', (to) => {
      encoding.writeVarString(to, 'bold')
      encoding.writeVarString(to, brackets(4_500))
    }),
  'JSON of 100,000 levels in a root of another program': () =>
    built(2, 'own', (to) => {
      encoding.writeVarUint(to, 1)
      encoding.writeVarString(to, brackets(100_000))
    }),
  'an embed of 4,600 levels there': () =>
    built(5, 'own', (to) => encoding.writeVarString(to, brackets(4_600))),
  'values of 3,000 levels there': () =>
    built(8, 'own', (to) => {
      encoding.writeVarUint(to, 1)
      for (let i = 0; i < 3_000; i++) {
        encoding.writeUint8(to, 117)
        encoding.writeVarUint(to, 1)
      }
      encoding.writeUint8(to, 126)
    }),
  'a BigInt in a task’s context': (doc) => {
    const { id, now: createdAt, ...facts } = { ...task('t-big', me), context: { n: 10n } as never }
    submissionsOf(doc).push([{ kind: 'task', id, facts: { ...facts, createdAt } }])
  },
  'an embed in a file': (doc) => void doc.getText('file:a.md').insertEmbed(0, { image: 'x' }),
  'a map in a file': (doc) => void doc.getText('file:a.md').insertEmbed(0, new Y.Map()),
  'a name of 300 KB': (doc) => {
    register(doc)
    ;(doc.getMap('agents').get(me) as Y.Map<unknown>).set('name', 'x'.repeat(300_000))
  },
  'a message of 8 MB': (doc) =>
    void broadcastsOf(doc).push([{ ...said(me, 'm-long'), content: 'x'.repeat(8_000_000) }]),
  'a message with the id of another': (doc) =>
    void broadcastsOf(doc).insert(0, [said(me, 'm-honest')]),
  'two messages with one id': (doc) =>
    void broadcastsOf(doc).push([said(me, 'm-2'), said(me, 'm-2')]),
  'a message with the id of a task': (doc) => void broadcastsOf(doc).push([said(me, 't-honest')]),
  'a task with the id of another': (doc) => addTask(doc, task('t-honest', me)),
  'a file outside the folder': (doc) =>
    void filesOf(doc).set('../x', {
      fileId: 'x' as FileId,
      mediaType: 'text/plain',
      createdBy: me,
      createdAt: 1,
    }),
  'a count of edits that no client has written': (doc) =>
    void editsOf(doc, 'a.md' as FileId).set(String(doc.clientID), { agent: me, count: 1e9, at: 1 }),
  'a removed message of another': (doc) => void broadcastsOf(doc).delete(0, 1),
  'a removed count of another': (doc) =>
    void editsOf(doc, 'a.md' as FileId).delete(String(theirs.doc.clientID)),
  'a time at which the agent was seen': (doc) => {
    register(doc)
    ;(doc.getMap('agents').get(me) as Y.Map<unknown>).set('lastSeenAt', 8e15)
  },
  '1,001 roots of another program': (doc) => {
    for (let i = 0; i <= 1_000; i++) doc.getMap(`own-${i}`).set('k', 1)
  },
  'an agent’s record with 65 fields': (doc) => {
    register(doc)
    const record = doc.getMap('agents').get(me) as Y.Map<unknown>
    for (let i = 0; i < 65; i++) record.set(`later-${i}`, 1)
  },
  // In parts: a message has 16 MiB at most.
  'a text of 17 million characters': () =>
    [0, 8_500_000].map((clock) =>
      text('file:long.md', clock, new Y.ContentString('x'.repeat(8_500_000))),
    ),
  '50,001 marks in a text': () =>
    text(
      'file:marks.md',
      0,
      ...Array.from({ length: 50_001 }, () => new Y.ContentFormat('b', true as never)),
    ),
  '65 subdocuments': (doc) => {
    for (let i = 0; i <= 64; i++) doc.getMap('subs').set(`${i}`, new Y.Doc())
  },
  'a clock beyond what others can read': () =>
    encoding.encode((to) => {
      for (const number of [1, 1, 77_100, 0]) encoding.writeVarUint(to, number)
      encoding.writeUint8(to, 0) // collected
      for (const number of [2 ** 53 - 2, 0]) encoding.writeVarUint(to, number)
    }),
  meta: (doc) => void metaOf(doc).set('later', 1),
}

it.each(Object.entries(TRIES))(
  '[GRAMMAR-6] %s is refused, and changes nothing',
  async (_, attempt) => {
    const before = await state()
    const { client, doc } = await open(mallory)
    const bytes = doc.transact(() => attempt(doc))
    for (const update of Array.isArray(bytes) ? bytes : [bytes]) {
      if (update instanceof Uint8Array) client.update(update)
    }
    expect([4422, 4430, 4400, 4414]).toContain(await client.closed)
    expect(await state()).toEqual(before)
  },
)

it('[GRAMMAR-6] a reason names the place, in a close frame of at most 123 bytes', async () => {
  const { client, doc } = await open(mallory)
  const closed = new Promise<[number, string]>((resolve) =>
    client.ws.on('close', (code, reason) => resolve([code, String(reason)])),
  )
  doc.getMap('files').set(`../${'漢'.repeat(300)}`, 1)
  const [code, reason] = await closed
  expect(code).toBe(4422)
  expect(reason).toMatch(/^files \/ \.\.\/漢+/)
})

it.each([
  ['levels', 1, '['.repeat(17) + ']'.repeat(17)],
  ['a clock beyond what others can read', 2 ** 53 - 1, '{}'],
])('[GRAMMAR-6] an awareness state with too many or too large: %s', async (_, clock, json) => {
  const { client } = await open(mallory)
  const entry = encoding.encode((to) => {
    for (const number of [1, 5, clock]) encoding.writeVarUint(to, number)
    encoding.writeVarString(to, json)
  })
  client.send(frame(1, entry))
  expect(await client.closed).toBe(4422)
})

it('[GRAMMAR-7] a count of edits grows and never goes back, nor away', async () => {
  const id = 'a.md' as FileId
  for (const spoil of [
    (doc: Y.Doc) => editsOf(doc, id).set(String(doc.clientID), { agent: me, count: 1, at: 3 }),
    (doc: Y.Doc) => editsOf(doc, id).delete(String(doc.clientID)),
  ]) {
    const { client, doc } = await open(mallory)
    const key = String(doc.clientID)
    for (const count of [1, 2]) editsOf(doc, id).set(key, { agent: me, count, at: 1 })
    await client.barrier()
    spoil(doc)
    expect([4422, 4430]).toContain(await client.closed)
    const after = await open(victim)
    expect(editsOf(after.doc, id).get(key)?.count).toBe(2)
    await after.client.close()
  }
})

it('[GRAMMAR-8] honest programs of other make get in whole: yrs, and editors with marks', async () => {
  const { client, doc } = await open(mallory)
  const other = new yrs.YDoc({ clientID: 4_711 })
  const text = other.getText('file:yrs.md')
  text.insert(0, 'hello 🦀 world', { bold: true }, undefined)
  const map = other.getMap('own-yrs')
  map.set(
    'values',
    { n: 2 ** 53 - 1, s: 'x', list: [1, null, true], deep: { a: { b: [] } } },
    undefined,
  )
  map.set('bytes', new Uint8Array([1, 2, 3]), undefined)
  map.set('nothing', undefined, undefined)
  map.set('inner', new yrs.YMap({ k: 1 }), undefined)
  other.getArray('own-list').push([1, 'two', new yrs.YText('three')], undefined)
  const update = yrs.encodeStateAsUpdate(other, new Uint8Array([0]))
  client.update(update)
  doc.getText('file:quill.md').applyDelta([
    { insert: 'Title' },
    { insert: '\n', attributes: { header: 1 } },
    {
      insert: 'a link',
      attributes: { link: 'https://example.org/?q=1', color: '#f00', bold: true },
    },
    { insert: '\n', attributes: { list: 'bullet', indent: 2 } },
  ])
  const xml = new Y.XmlElement('paragraph')
  doc.getXmlFragment('prosemirror').insert(0, [xml])
  xml.insert(0, [new Y.XmlText('rich')])
  doc.getMap('own').set('sub', new Y.Doc())
  await client.barrier()
  await client.close()
  const reader = await open(victim)
  const whole = new Y.Doc()
  Y.applyUpdate(whole, update)
  for (const name of ['own-yrs', 'own-list', 'file:yrs.md']) {
    expect(JSON.stringify(reader.doc.get(name).toJSON())).toBe(
      JSON.stringify(whole.get(name).toJSON()),
    )
  }
  expect(reader.doc.getText('file:quill.md').toDelta()).toEqual(
    doc.getText('file:quill.md').toDelta(),
  )
  expect(reader.doc.getXmlFragment('prosemirror').toString()).toBe('<paragraph>rich</paragraph>')
  await reader.client.close()
})
