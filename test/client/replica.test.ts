import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Level } from 'level'
import { expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { bundle } from '../../bench/programs.ts'
import { type QueuedCommand, Replica } from '../../client/replica/replica.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { tempDir } from '../support/server.ts'

const quiet = (line: string) => {
  throw new Error(`unexpected: ${line}`)
}
const open = (dir: string) => Replica.open(dir, quiet)
const listOf = (replica: Replica) => replica.doc.getArray<number>('list')

it('[REPLICA-3] a document, its client id, the inbox, answers and bases are there again', async () => {
  const dir = join(tempDir('replica'), 'r')
  const first = await open(dir)
  const { clientID } = first.doc
  const message = { type: 'agent_joined', message_id: 'a' } as Message
  listOf(first).push([1, 2])
  first.receive('a-me', [message])
  first.remember('k', { digest: 'd', answer: { x: 1 } })
  first.keepBase('f.md', { version: 3, content: 'text' })
  await first.close()

  const second = await open(dir)
  expect(second.doc.clientID).toBe(clientID)
  expect(listOf(second).toArray()).toEqual([1, 2])
  expect((await second.inbox('a-me')).map(({ message }) => message)).toEqual([message])
  expect(await second.inbox('a-other')).toEqual([])
  expect(second.cursor('a-me')).toEqual(new Map([[clientID, 2]]))
  expect(second.cursor('a-other')).toBeNull()
  expect(await second.answered('k')).toEqual({ digest: 'd', answer: { x: 1 } })
  expect(await second.answered('other')).toBeNull()
  expect(await second.base('f.md')).toEqual({ version: 3, content: 'text' })
  second.acknowledge((await second.inbox('a-me')).map(({ key }) => key))
  await second.close()

  const third = await open(dir)
  expect(await third.inbox('a-me')).toEqual([])
  await third.close()
})

it('[REPLICA-15] what is unread and queued is counted once, until that changes', async () => {
  const replica = await open(join(tempDir('replica'), 'r'))
  const read = vi.spyOn(Level.prototype, 'iterator')
  const counts = async () => [await replica.unread('a-me'), (await replica.queue()).length]
  const reads = async () => {
    read.mockClear()
    const found = await counts()
    return [...found, read.mock.calls.length]
  }
  try {
    expect(await reads()).toEqual([0, 0, 2])
    expect(await reads()).toEqual([0, 0, 0])
    replica.receive('a-me', [{ type: 'agent_joined', message_id: 'a' } as Message])
    replica.enqueue({ verb: 'claim', task: 't-1', command: {} as QueuedCommand['command'] })
    expect(await counts(), 'not committed yet').toEqual([0, 0])
    const committed = replica.commit()
    await Promise.all([committed, counts(), counts()])
    expect(await counts()).toEqual([1, 1])
    expect(await reads()).toEqual([1, 1, 0])
    expect(await replica.unread('a-other')).toBe(0)
    const [first] = await replica.queue()
    replica.dequeue(first!.key)
    replica.acknowledge((await replica.inbox('a-me')).map(({ key }) => key))
    await replica.commit()
    expect(await counts()).toEqual([0, 0])

    const task = { type: 'task_delegation', message_id: 't-gone' } as Message
    replica.deliver('a-me', [task])
    await replica.commit()
    expect(await counts(), 'a task that has ended is not told of').toEqual([0, 0])
  } finally {
    read.mockRestore()
    await replica.close()
  }
})

it('[REPLICA-3] a log that outgrows its checkpoint is folded into it', async () => {
  const dir = join(tempDir('replica'), 'r')
  const replica = await open(dir)
  for (let i = 0; i < 1_200; i++) {
    listOf(replica).push([i])
    void replica.commit()
  }
  await replica.close()
  const db = new Level<string, Uint8Array>(dir, { valueEncoding: 'view' })
  const log = await db.keys({ gt: 'u:', lt: 'u:~' }).all()
  expect(log.length).toBeLessThan(501)
  await db.close()
  const again = await open(dir)
  expect(listOf(again).length).toBe(1_200)
  await again.close()
})

it('[REPLICA-2] one process has it at a time: others wait, and say so after a while', async () => {
  const dir = join(tempDir('replica'), 'r')
  const first = await open(dir)
  await expect(Replica.open(dir, quiet, 60)).rejects.toMatchObject({ code: 'busy' })
  const waiting = open(dir)
  await first.close()
  await (await waiting).close()
})

it('many that open it for the first time get the same one', async () => {
  for (let round = 0; round < 10; round++) {
    const dir = join(tempDir('replica'), 'r')
    const clients = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const replica = await open(dir)
        const { clientID } = replica.doc
        await replica.close()
        return clientID
      }),
    )
    expect(new Set(clients).size).toBe(1)
  }
})

it('[REPLICA-3] kill -9 takes back nothing that was committed, nor half of a commit', async () => {
  const dir = join(tempDir('replica'), 'r')
  const clients = new Set<string>()
  const writer = await bundle('../test/support/client/replica-writer.ts')
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    let enough = 20 + round * 37
    child.stdout.on('data', (chunk) => {
      out += chunk
      if (out.split('\n').length > enough) {
        enough = Number.POSITIVE_INFINITY
        child.kill('SIGKILL')
      }
    })
    await once(child, 'close')
    const lines = out.split('\n').slice(0, -1)
    clients.add(lines[0]!)
    const printed = Number(lines.at(-1))

    const replica = await open(dir)
    const numbers = listOf(replica).toArray()
    expect(numbers).toEqual(numbers.map((_, i) => i))
    expect(numbers.length).toBeGreaterThan(printed)
    expect(await replica.answered(`key ${numbers.length - 1}`)).not.toBeNull()
    expect(await replica.answered(`key ${numbers.length}`)).toBeNull()
    await replica.close()
  }
  expect(clients.size).toBe(1)
})

it.each<[string, (dir: string) => void | Promise<void>]>([
  ['garbage for CURRENT', (dir) => writeFileSync(join(dir, 'CURRENT'), 'garbage')],
  ['no CURRENT', (dir) => rmSync(join(dir, 'CURRENT'))],
  [
    'an empty manifest',
    (dir) => {
      for (const file of readdirSync(dir)) {
        if (file.startsWith('MANIFEST')) truncateSync(join(dir, file), 0)
      }
    },
  ],
  [
    'a hole in the log',
    async (dir) => {
      const db = new Level<string, Uint8Array>(dir, { valueEncoding: 'view' })
      await db.del('u:000000000001')
      await db.close()
    },
  ],
  [
    'an update that does not decode',
    async (dir) => {
      const db = new Level<string, Uint8Array>(dir, { valueEncoding: 'view' })
      await db.put('u:000000000001', new Uint8Array([1, 200, 3]))
      await db.close()
    },
  ],
])('%s: moved aside, never deleted; a fresh one with a fresh client id', async (_, damage) => {
  const dir = join(tempDir('replica'), 'r')
  const whole = await open(dir)
  for (let i = 0; i < 3; i++) {
    listOf(whole).push([i])
    await whole.commit()
  }
  const { clientID } = whole.doc
  await whole.close()
  await damage(dir)

  const said: string[] = []
  const fresh = await Replica.open(dir, (line) => said.push(line))
  expect(said).toEqual([
    expect.stringMatching(/was damaged; kept as .*, starting with a fresh one/),
  ])
  expect(fresh.doc.clientID).not.toBe(clientID)
  expect(listOf(fresh).length).toBe(0)
  await fresh.close()
  expect(readdirSync(dirname(dir)).filter((name) => name.startsWith('r.damaged-'))).toHaveLength(1)
  await (await open(dir)).close()
})

it('[REPLICA-4] a copy of a replica takes a client id of its own', async () => {
  const dir = join(tempDir('replica'), 'r')
  const original = await open(dir)
  listOf(original).push([1])
  const { clientID } = original.doc
  await original.close()
  cpSync(dir, `${dir}-copy`, { recursive: true })
  const copy = await open(`${dir}-copy`)
  expect(copy.doc.clientID).not.toBe(clientID)
  expect(listOf(copy).toArray()).toEqual([1])
  await copy.close()
})

it('[REPLICA-4] a client id that Yjs changes is on disk with the next commit', async () => {
  const dir = join(tempDir('replica'), 'r')
  const replica = await open(dir)
  const twin = new Y.Doc()
  twin.clientID = replica.doc.clientID
  twin.getArray('list').push([1])
  Y.applyUpdate(replica.doc, Y.encodeStateAsUpdate(twin), 'remote')
  const { clientID } = replica.doc
  expect(clientID).not.toBe(twin.clientID)
  await replica.close()
  const again = await open(dir)
  expect(again.doc.clientID).toBe(clientID)
  await again.close()
})

it('[REPLICA-8] what others wrote can wait for a commit; messages and what is its own cannot', async () => {
  const dir = tempDir('replica')
  const replica = await Replica.open(dir, () => {})
  const other = new Y.Doc()
  other.getText('file:f').insert(0, 'typed by another')
  Y.applyUpdate(replica.doc, Y.encodeStateAsUpdate(other))
  replica.receive('a-me', [])
  expect(replica.isUrgent).toBe(false)
  replica.doc.getText('file:f').insert(0, 'mine: ')
  expect(replica.isUrgent).toBe(true)
  await replica.commit()
  expect(replica.isUrgent).toBe(false)
  replica.acknowledge(['m:1'])
  expect(replica.isUrgent).toBe(true)
  await replica.close()

  const again = await Replica.open(dir, () => {})
  expect(again.doc.getText('file:f').toJSON()).toBe('mine: typed by another')
  expect(again.cursor('a-me')).toEqual(Y.decodeStateVector(Y.encodeStateVector(other)))
  await again.close()
})

it('[INBOX-14] [INBOX-23] a message that JSON cannot hold is told as unreadable, and takes no other along', async () => {
  const dir = join(tempDir('replica'), 'r')
  const replica = await open(dir)
  listOf(replica).push([1])
  const envelope = { from_agent: 'a-x', to_agent: 'a-me', timestamp: '1970-01-01T00:00:00.000Z' }
  const good = { type: 'task_note', message_id: 't-1', ...envelope, text: 'good' } as Message
  const bad = { ...good, message_id: 't-2', text: 10n } as unknown as Message
  const told: string[] = []
  replica.onMessages((messages) => told.push(JSON.stringify(messages)))
  replica.receive('a-me', [bad, good])
  await replica.close()
  expect(told).toHaveLength(1)

  const again = await open(dir)
  expect((await again.inbox('a-me')).map(({ message }) => message)).toEqual([
    {
      ...{ type: 'unreadable', message_id: 't-2', ...envelope },
      text: expect.stringMatching(/^a task_note could not be read: .*BigInt/),
    },
    good,
  ])
  await again.close()
})

it('[INBOX-17] news of a file that comes while an older one is handed out is not acknowledged with that', async () => {
  const dir = join(tempDir('replica'), 'r')
  let replica = await open(dir)
  replica.receive('a-me', [])
  const updated = (version: number) =>
    ({ type: 'file_updated', message_id: `f@${version}`, file_key: 'f', version }) as Message
  const told: Message[] = []
  replica.onMessages((messages) => told.push(...messages))
  replica.deliver('a-me', [updated(1)])
  await replica.commit()
  const [handedOut] = await replica.inbox('a-me')
  await replica.close()

  replica = await open(dir)
  replica.onMessages((messages) => told.push(...messages))
  replica.deliver('a-me', [updated(2)])
  await replica.commit()
  replica.deliver('a-me', [updated(3)])
  replica.acknowledge([handedOut!.key])
  await replica.commit()
  expect(told).toEqual([updated(1)])
  const [left, ...more] = await replica.inbox('a-me')
  expect(left).toMatchObject({
    message: { ...updated(3), from_version: 1 },
    since: handedOut!.since,
  })
  expect(more).toEqual([])
  replica.deliver('a-other', [updated(4)])
  await replica.commit()
  expect(await replica.inbox('a-me')).toHaveLength(1)
  await replica.close()
})

it('[INBOX-14] the cursor stays where it is when what it covers cannot be staged', async () => {
  const replica = await open(join(tempDir('replica'), 'r'))
  replica.receive('a-me', [])
  const before = replica.cursor('a-me')
  listOf(replica).push([1])
  const broken = {
    get type(): string {
      throw new Error('broken')
    },
  } as unknown as Message
  const good = { type: 'agent_joined', message_id: 'a' } as Message
  expect(() => replica.receive('a-me', [good, broken])).toThrow('broken')
  expect(replica.cursor('a-me')).toEqual(before)
  replica.receive('a-me', [good])
  await replica.commit()
  expect((await replica.inbox('a-me')).map(({ message }) => message)).toEqual([good])
  expect(replica.cursor('a-me')).not.toEqual(before)
  await replica.close()
})
