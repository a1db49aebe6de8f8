import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, BroadcastId, FileId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent, setPaused } from '../../../workspace/agents/agents.ts'
import {
  agentsOf,
  broadcastsOf,
  editsOf,
  type FileEntry,
  filesOf,
  metaOf,
  tasksOf,
} from '../../../workspace/document/schema.ts'
import { moveFile, removeFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { submit } from '../../../workspace/tasks/submissions.ts'
import { addNote, addTask } from '../../../workspace/tasks/tasks.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { frame, liveDoc, RawClient, until } from '../../support/client.ts'
import { type Server, startServer } from '../../support/server.ts'

/** Every try ends a connection. */
const ARGS = ['--limit', 'offences=1000']
let server: Server
let mallory: Member
let victim: Member
let theirs: Awaited<ReturnType<typeof liveDoc>>
const victimId = 'a-victim' as AgentId

beforeAll(async () => {
  server = await startServer({ args: ARGS })
  mallory = await member(server, 'a-mallory')
  victim = await member(server, victimId)
  theirs = await liveDoc(`${server.sync}/default`, new Y.Doc(), victim.headers)
  registerAgent(theirs.doc, facts(victimId))
  addTask(theirs.doc, task('t-honest', victimId))
  theirs.doc.getText('file:x').insert(0, 'hello')
  await theirs.client.barrier()
})
afterAll(() => server.stop())

const facts = (id: AgentId) => ({
  ...{ id, name: id, capabilities: [], machine: '', description: '', now: 1 },
})
const task = (id: string, from: AgentId) => ({
  ...{ id: id as TaskId, description: 'x', context: null, priority: 'normal' as const },
  ...{ from, to: null, now: 1 },
})
const said = (from: AgentId) => ({
  ...{ id: `m-${from}` as BroadcastId, from, content: 'x', topic: '', tags: [], now: 1 },
})

const open = (who: Member, doc = new Y.Doc()) => liveDoc(`${server.sync}/default`, doc, who.headers)

/** Everything that is in the document now, for a comparison. */
const state = async (): Promise<unknown> => {
  await theirs.client.barrier()
  const { doc } = theirs
  return {
    agents: agentsOf(doc).toJSON(),
    tasks: tasksOf(doc).toJSON(),
    meta: metaOf(doc).toJSON(),
    broadcasts: broadcastsOf(doc).toJSON(),
    text: doc.getText('file:x').toString(),
    files: doc.getMap('files').toJSON(),
  }
}

/** What somebody tries who says something as the victim. */
const TRIES: Record<string, (doc: Y.Doc) => void> = {
  'a broadcast': (doc) => void addBroadcast(doc, said(victimId)),
  'a task': (doc) => void addTask(doc, task('t-forged', victimId)),
  'a note': (doc) => addNote(doc, 't-honest' as TaskId, victimId, 'x', 1),
  'a receipt': (doc) => submit(doc, { kind: 'receipt', id: 't-honest', by: victimId, read: 1 }),
  'a registration': (doc) => registerAgent(doc, { ...facts(victimId), name: 'Other' }),
  'a field of a record': (doc) => agentsOf(doc).get(victimId)!.set('kind', 'person'),
  'a record in place of another': (doc) => void agentsOf(doc).set(victimId, new Y.Map()),
  'a record that is not there yet': (doc) => registerAgent(doc, facts('a-new' as AgentId)),
  'a removed record': (doc) => agentsOf(doc).delete(victimId),
  'a removed field': (doc) => agentsOf(doc).get(victimId)!.delete('name'),
  'a pause': (doc) => setPaused(doc, victimId, { by: victimId, now: 1, note: '' }),
  'a count of edits': (doc) =>
    editsOf(doc, 'x' as FileId).set(String(doc.clientID), { agent: victimId, count: 1, at: 1 }),
  'another client’s count': (doc) =>
    editsOf(doc, 'x' as FileId).set('12345', { agent: 'a-mallory' as AgentId, count: 9, at: 1 }),
  'a pause of oneself': (doc) => {
    registerAgent(doc, facts('a-mallory' as AgentId))
    setPaused(doc, 'a-mallory' as AgentId, { by: victimId, now: 1, note: '' })
  },
  'a file': (doc) => void putFile(doc, { ...file, by: victimId }),
  'a file’s making': (doc) => void filesOf(doc).set('new.md', entry('new.md', victimId)),
  'the making of a file of another': (doc) => {
    putFile(doc, { ...file, by: 'a-mallory' as AgentId })
    filesOf(doc).set('new.md', { ...filesOf(doc).get('new.md')!, createdBy: victimId })
  },
  'a file’s removal': (doc) => {
    putFile(doc, { ...file, by: 'a-mallory' as AgentId })
    removeFile(doc, 'new.md', victimId, 1)
  },
  'a file’s new path': (doc) => {
    putFile(doc, { ...file, by: 'a-mallory' as AgentId })
    const removed = { by: victimId, at: 1, edits: {}, movedTo: 'other.md' as never }
    filesOf(doc).set('new.md', { ...filesOf(doc).get('new.md')!, removed })
  },
  'a task on the shelf': (doc) => void tasksOf(doc).set('9', new Y.Map([['t-x', 1]])),
  'a status': (doc) => {
    const bucket = [...tasksOf(doc).values()][0]!
    ;(bucket.get('t-honest') as Y.Map<unknown>).set('status', { state: 'completed' })
  },
  'a removed task': (doc) => [...tasksOf(doc).values()][0]!.delete('t-honest'),
  meta: (doc) => void metaOf(doc).set('schemaVersion', 99),
  'a receipt on the shelf': (doc) => void doc.getMap('receipts').set('m-1', { delivered: 1 }),
  'a broadcast among honest ones': (doc) => {
    addBroadcast(doc, said('a-mallory' as AgentId))
    doc.getText('file:x').insert(0, 'y')
    broadcastsOf(doc).push([{ ...said(victimId), at: 1 }])
  },
}
const file = { key: 'new.md' as never, content: 'x', base: null, now: 1, force: false }
const entry = (fileId: string, createdBy: AgentId): FileEntry => ({
  ...{ fileId: fileId as FileId, mediaType: 'text/plain', createdBy, createdAt: 1 },
})

it.each(Object.entries(TRIES))(
  '[AUTH-10] in another’s name: %s is refused, and changes nothing',
  async (_, attempt) => {
    await until('the task is filed', () => tasksOf(theirs.doc).size > 0)
    const before = await state()
    const { client, doc } = await open(mallory)
    await client.barrier()
    doc.transact(() => attempt(doc))
    expect(await client.closed).toBe(4430)
    expect(await state()).toEqual(before)
  },
)

it('[AUTH-10] everything in one’s own name is taken', async () => {
  const me = 'a-mallory' as AgentId
  const { client, doc } = await open(mallory)
  doc.transact(() => {
    registerAgent(doc, facts(me))
    addBroadcast(doc, said(me))
    addTask(doc, task('t-own', me))
    addNote(doc, 't-own' as TaskId, me, 'x', 1)
    setPaused(doc, victimId, { by: me, now: 1, note: '' })
    putFile(doc, { ...file, by: me })
  })
  await client.barrier()
  setPaused(doc, victimId, null)
  doc.getText('file:x').delete(0, 2)
  await client.barrier()
  await until('it is there', () => theirs.doc.getText('file:x').toString() === 'llo')
  await client.close()
})

it('[AUTH-10] [AUTH-52] who changes the record of another’s file leaves who made it, also after being away', async () => {
  const me = 'a-mallory' as AgentId
  const put = (doc: Y.Doc, key: string, by: AgentId, content = 'x') =>
    putFile(doc, { ...file, key, content, by, force: true })
  for (const key of ['one.md', 'two.md', 'three.md']) put(theirs.doc, key, victimId)
  await theirs.client.barrier()
  const { client, doc } = await open(mallory)
  moveFile(doc, 'one.md', 'sub/one.md', me, 1)
  removeFile(doc, 'two.md', me, 1)
  await client.barrier()
  await client.close()
  // It moves what it knows as the victim's. Meanwhile nothing else says any more who had made it.
  moveFile(doc, 'three.md', 'sub/three.md', me, 1)
  removeFile(theirs.doc, 'three.md', victimId, 1)
  const third = await open(await member(server, 'a-third'))
  put(third.doc, 'three.md', 'a-third' as AgentId)
  await third.client.barrier()
  const again = await open(mallory, doc)
  expect(filesOf(again.doc).get('sub/three.md')?.createdBy).toBe(victimId)
  await theirs.client.barrier()
  expect(filesOf(theirs.doc).get('sub/one.md')?.createdBy).toBe(victimId)
  expect(filesOf(theirs.doc).get('two.md')?.removed?.by).toBe(me)
  expect(filesOf(theirs.doc).get('sub/three.md')?.createdBy).toBe(victimId)
  await again.client.close()
  await third.client.close()
})

it('[AUTH-9] [AUTH-51] another’s Yjs client id is refused, after a restart, too; its owner goes on', async () => {
  const steal = async () => {
    const doc = new Y.Doc()
    const { client } = await open(mallory, doc)
    await client.barrier()
    doc.clientID = theirs.doc.clientID
    doc.getText('file:x').insert(0, 'stolen')
    expect(await client.closed).toBe(4430)
  }
  await steal()
  const { port, data } = server
  await server.kill()
  server = await startServer({ port, data, args: ARGS })
  await steal()
  const again = await open(victim, theirs.doc)
  theirs = again
  again.doc.getText('file:x').insert(0, 'mine ')
  await again.client.barrier()
  expect(again.doc.getText('file:x').toString()).toMatch(/^mine /)
})

it('[AUTH-9] [AUTH-54] the server’s client id is nobody’s', async () => {
  const doc = new Y.Doc()
  const { client } = await open(mallory, doc)
  await client.barrier()
  doc.clientID = metaOf(doc).get('serverClient') as number
  doc.getText('file:x').insert(0, 'x')
  expect(await client.closed).toBe(4430)
})

it('[AUTH-9] [AUTH-51] a struct without content that would silence another is refused', async () => {
  const doc = new Y.Doc()
  const { client } = await open(mallory, doc)
  await client.barrier()
  const clock = Y.decodeStateVector(Y.encodeStateVector(doc)).get(theirs.doc.clientID)!
  // One struct: GC of 5 at the next clock of that client; no deletions.
  client.send(frame(0, 2, frame(1, 1, theirs.doc.clientID, clock, 0, 5, 0)))
  expect(await client.closed).toBe(4430)
  theirs.doc.getText('file:x').insert(0, 'still ')
  await theirs.client.barrier()
})

it('[AUTH-8] another’s identity in awareness is refused; an echo of it is nothing', async () => {
  const state = (client: number, clock: number, agent: string) => {
    const json = JSON.stringify({ agent: { id: agent, name: 'N', kind: 'agent' } })
    return frame(1, frame(1, client, clock, new TextEncoder().encode(json)))
  }
  theirs.client.send(state(77, 1, victimId))
  const own = await RawClient.open(`${server.sync}/default`, mallory.headers)
  own.send(state(78, 1, 'a-mallory'))
  await own.barrier()
  own.send(state(77, 1, victimId))
  own.send(state(77, 9, 'a-mallory'))
  await own.barrier()
  own.send(state(78, 2, victimId))
  expect(await own.closed).toBe(4430)
  const fresh = await RawClient.open(`${server.sync}/default`, mallory.headers)
  fresh.send(state(79, 1, victimId))
  expect(await fresh.closed).toBe(4430)
})

it('[AUTH-11] a command in another’s name is refused; a key is its agent’s', async () => {
  const path = '/api/workspaces/default/tasks/t-honest'
  const as = (who: Member, body: object, what = 'claim') =>
    ask(server, `${path}/${what}`, body, who.headers)
  const forged = await as(mallory, { by: victimId, key: 'k' })
  expect([forged.status, forged.error?.code]).toEqual([403, 'forged'])
  expect((await as(victim, { by: victimId, key: 'k' })).status).toBe(200)
  // The same key is another command where another agent gives it.
  const reused = await as(mallory, { by: mallory.agent, key: 'k' })
  expect([reused.status, reused.error?.code]).toEqual([409, 'task_taken'])
  const log = await ask(
    server,
    `/api/workspaces/default/log?for=${victimId}`,
    undefined,
    mallory.headers,
  )
  expect(log.error?.code).toBe('forged')
  const archive = await ask(
    server,
    `/api/workspaces/default/tasks/archive?for=${victimId}`,
    undefined,
    mallory.headers,
  )
  expect(archive.error?.code).toBe('forged')
})

it('[AUTH-16] what was refused is in the log and in the audit log', async () => {
  await until('it is logged', () => server.log().includes('in another name'))
  const { data } = await ask<{ entries: { what: string; by: string }[] }>(
    server,
    '/api/admin/audit',
  )
  expect(data.entries).toContainEqual(
    expect.objectContaining({ what: 'refused', by: 'a-mallory of default' }),
  )
})

it('[AUTH-15] [AUTH-54] after a restore, and only then, an admin’s link brings back what others wrote; not in their place', async () => {
  const lost = new Y.Doc()
  const author = await member(server, 'a-author')
  const admin = await member(server, 'a-trusted', 'admin')
  const known = await open(author, lost)
  lost.getText('file:y').insert(0, 'kept')
  await known.client.barrier()
  await known.client.close()
  const before = await RawClient.open(`${server.sync}/default`)
  const copy = new Y.Doc()
  before.onUpdate = (update) => Y.applyUpdate(copy, update)
  before.subscribe()
  await before.barrier()
  // What the backup lacks: only another's replica has it.
  addBroadcast(lost, said('a-author' as AgentId))
  const newcomers = new Y.Doc()
  addBroadcast(newcomers, said('a-newcomer' as AgentId))
  const update = Y.encodeStateAsUpdate(lost)
  const bring = async ({ headers }: Member, ...updates: Uint8Array[]): Promise<number> => {
    const client = await RawClient.open(`${server.sync}/default`, headers)
    for (const one of updates) client.send(frame(0, 1, one))
    const ended = await Promise.race([client.barrier().then(() => 0), client.closed])
    client.ws.terminate()
    return ended
  }
  expect(await bring(admin, update)).toBe(4430)
  await ask(server, '/api/admin/recover', { for: 60_000 })
  expect(await bring(mallory, update)).toBe(4430)
  expect(await bring(mallory, Y.encodeStateAsUpdate(newcomers))).toBe(4430)
  expect(await bring(admin, update, Y.encodeStateAsUpdate(newcomers))).toBe(0)
  // What is there by now passes from anybody.
  expect(await bring(mallory, update)).toBe(0)
  lost.getArray('broadcasts').push([{ ...said(victimId), at: 1 }])
  expect(await bring(admin, Y.encodeStateAsUpdate(lost))).toBe(4430)

  const changes: Record<string, (doc: Y.Doc) => void> = {
    'what another says, under a new client id': (doc) => addBroadcast(doc, said(victimId)),
    'another’s name': (doc) => agentsOf(doc).get(victimId)!.set('name', 'Eve'),
    'a task’s state': (doc) => {
      for (const bucket of tasksOf(doc).values()) {
        for (const one of (bucket as Y.Map<Y.Map<unknown>>).values()) one.set('status', { at: 1 })
      }
    },
    'tasks, deleted': (doc) => {
      for (const key of tasksOf(doc).keys()) tasksOf(doc).delete(key)
    },
    'meta.schemaVersion': (doc) => void metaOf(doc).set('schemaVersion', 99),
    'meta.serverClient': (doc) => void metaOf(doc).set('serverClient', doc.clientID),
  }
  const tried = async (who: Member, change: (doc: Y.Doc) => void): Promise<number> => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(copy))
    const vector = Y.encodeStateVector(doc)
    change(doc)
    return bring(who, Y.encodeStateAsUpdate(doc, vector))
  }
  for (const [what, change] of Object.entries(changes)) {
    expect([what, await tried(mallory, change)]).toEqual([what, 4430])
  }
  // An admin is trusted with others' words then, but not with the place that the server writes from.
  expect(await tried(admin, changes['meta.serverClient']!)).toBe(4430)
})
