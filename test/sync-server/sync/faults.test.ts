import { once } from 'node:events'
import { connect } from 'node:net'
import { pino } from 'pino'
import { afterEach, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { readProgram } from '../../../lib/command-line/read.ts'
import { PROGRAM } from '../../../sync-server/cli/program.ts'
import {
  COMPACT_UPDATES,
  FIRST_REST_MS,
  LONGEST_REST_MS,
} from '../../../sync-server/config/limits.ts'
import { parseOptions } from '../../../sync-server/config/options.ts'
import { startSyncServer } from '../../../sync-server/server.ts'
import { Fault } from '../../../sync-server/storage/faults.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import type { RoomEnv } from '../../../sync-server/sync/room-env.ts'
import { Rooms } from '../../../sync-server/sync/rooms.ts'
import { ask, member } from '../../support/auth/members.ts'
import { frame, liveDoc, RawClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { deepJson, poison, putIn } from '../../support/poison.ts'
import { ownerToken, type ServerAt, setToken, tempDir } from '../../support/server.ts'
import { bareRoom } from '../../support/sync-server/bare-room.ts'
import { MemoryUpdateLog } from '../../support/sync-server/memory-update-log.ts'

afterEach(() => void vi.useRealTimers())

/** The clock stands: a workspace that has failed rests, and is not tried again a second later. */
const standClock = () => vi.useFakeTimers({ toFake: ['Date'] })

/** The data of a server that had these workspaces, each with a list. */
const dataOf = async (...workspaces: string[]): Promise<string> => {
  const server = await startHere()
  for (const workspace of workspaces) {
    const { client, doc } = await liveDoc(`${server.sync}/${workspace}`)
    doc.getArray('list').push([workspace])
    await client.barrier()
    await client.close()
  }
  await server.stop()
  return server.data
}

const failuresIn = (server: ServerAt): string[] =>
  server.log().match(/"a workspace has failed; it is not served"/g) ?? []

/** Asks as one who has something, and lacks the rest. */
const askFrom = async (server: ServerAt, workspace: string): Promise<RawClient> => {
  const client = await RawClient.open(`${server.sync}/${workspace}`)
  const own = new Y.Doc()
  own.getText('own').insert(0, 'x')
  client.send(frame(0, 0, Y.encodeStateVector(own)))
  return client
}

it('[SERVER-5] a workspace that cannot be written again fails alone: 4503, 503, logged once, degraded', async () => {
  const data = await dataOf('good', 'bad')
  await putIn(data, 'bad', [poison('mark')])
  standClock()
  const server = await startHere({ data })
  const [mallory, alice] = [
    await member(server, 'mallory', 'write', 'bad'),
    await member(server, 'alice', 'write', 'good'),
  ]
  const good = await liveDoc(`${server.sync}/good`)
  const reader = await askFrom(server, 'bad')
  expect(await reader.closed, 'no reader is to blame for what is stored').toBe(4503)

  const refused = await ask(server, '/api/workspaces/bad/agents', undefined, mallory.headers)
  expect([refused.status, refused.error]).toMatchObject([
    503,
    { code: 'workspace_failed', retryable: true, retry_after: 1 },
  ])
  const upgrade = new RawClient(`${server.sync}/bad`)
  const [, response] = await once(upgrade.ws, 'unexpected-response')
  expect(response.statusCode).toBe(503)
  upgrade.ws.terminate()

  // Whoever may know the name is told it.
  const health = async (headers: Record<string, string>) => {
    const answer = await globalThis.fetch(`${server.url}/health`, { headers })
    return [answer.status, await answer.json()]
  }
  const named = { status: 'degraded', reason: expect.stringContaining('workspace bad') }
  expect(await health({})).toEqual([200, { status: 'degraded' }])
  expect(await health(alice.headers)).toEqual([200, { status: 'degraded' }])
  expect(await health(mallory.headers)).toEqual([200, named])
  expect(await health({ authorization: `Bearer ${server.token}` })).toEqual([200, named])
  expect(failuresIn(server)).toHaveLength(1)
  expect(server.log()).toContain('Maximum call stack size exceeded')

  good.doc.getArray('list').push(['still'])
  await good.client.barrier()
  await good.client.close()
  expect(await server.stop()).toBe(0)
})

it('[SERVER-5] a server whose default workspace is broken starts: one that fails at its checkpoint, and one that is no document', async () => {
  const data = await dataOf('default', 'other')
  const doc = new Y.Doc()
  const updates: Uint8Array[] = [poison('json', { root: 'free' })]
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < COMPACT_UPDATES; i++) doc.getText('file:zz').insert(0, 'x')
  await putIn(data, 'default', updates)
  await putIn(data, 'other', [poison('any', { root: 'free', depth: 200_000 })])
  standClock()
  const server = await startHere({ data })
  await until('it has failed', () => failuresIn(server).length === 1)
  const other = await ask(server, '/api/workspaces/other/agents')
  expect(other).toMatchObject({ status: 503, error: { code: 'workspace_failed' } })
  const fine = await liveDoc(`${server.sync}/fine`)
  await fine.client.barrier()
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
  await fine.client.close()
  expect(await server.stop()).toBe(0)

  await putIn(data, 'default', [poison('any', { client: 78, root: 'free', depth: 200_000 })])
  const again = await startHere({ data })
  expect(failuresIn(again)).toHaveLength(1)
  expect(await again.stop()).toBe(0)
})

it('[SYNC-10] a state vector that is none is the fault of who sent it, and of nobody else', async () => {
  const server = await startHere()
  const good = await liveDoc(`${server.sync}/default`)
  const bad = await RawClient.open(`${server.sync}/default`)
  bad.send(frame(0, 0, new Uint8Array([9, 1])))
  expect(await bad.closed).toBe(4400)
  good.doc.getArray('list').push(['still'])
  await good.client.barrier()
  await good.client.close()
  expect(await server.stop()).toBe(0)
})

/** Rooms on a log of their own, which fail as `hooks` do; a clock that stands. */
const roomsWith = async (hooks: Partial<RoomEnv>) => {
  const clock = { now: 1_000_000 }
  const log = new MemoryUpdateLog()
  const errors: Error[] = []
  const rooms: Rooms = new Rooms(
    {
      ...bareRoom(log, () => clock.now),
      onFailure: (room, error) => {
        errors.push(error)
        rooms.fault(room, error)
      },
      ...hooks,
    },
    () => {},
  )
  return { rooms, log, clock, errors }
}

it('[SERVER-5] whatever throws in a room’s work ends that room only; what is on disk is answered; a fault that passes heals', async () => {
  let throws: keyof RoomEnv | null = null
  const hook = (name: keyof RoomEnv) => () => {
    if (throws === name) throw new Error(`${name} threw`)
  }
  const { rooms, log, clock, errors } = await roomsWith({
    onDocument: hook('onDocument'),
    onCommit: hook('onCommit'),
    onAwareness: hook('onAwareness'),
  })
  const add = (name: string) => rooms.open(name).command((doc) => doc.getArray('list').push([1]))
  await add('good')
  const state = { client: 5, clock: 1, json: '{}' }
  const acts: Partial<Record<keyof RoomEnv, () => Promise<unknown>>> = {
    onDocument: () => expect(add('bad')).rejects.toBeInstanceOf(Fault),
    onCommit: () => add('bad'),
    onAwareness: async () => rooms.open('bad').show(-1, { kind: 'owner' }, state),
  }
  for (const [i, [name, act]] of Object.entries(acts).entries()) {
    throws = name as keyof RoomEnv
    await act()
    throws = null
    expect(errors.map(({ message }) => message)).toHaveLength(i + 1)
    expect(errors.at(-1)?.message).toBe(`${name} threw`)
    expect(rooms.faults.names).toEqual(['bad'])
    expect(() => rooms.open('bad')).toThrow(Fault)
    await add('good')
    // Nothing of the room that has failed comes to the log after its successor has read it.
    await until('it has ended', () => rooms.faults.retryIn('bad') < Number.POSITIVE_INFINITY)
    clock.now += rooms.faults.retryIn('bad')
    await rooms.open('bad').loaded
    await until('it is served', () => rooms.faults.names.length === 0)
  }
  await rooms.flush()
  rooms.close()
  expect((await log.load('bad')).tail.length).toBeGreaterThan(0)
  await log.close()
})

it('[SERVER-5] a workspace that fails for good is tried again later each time', async () => {
  const { rooms, log, clock, errors } = await roomsWith({})
  await rooms.open('bad').loaded
  await rooms.flush()
  rooms.close()
  await log.append('bad', [poison('embed')])
  const again = await roomsWith({ log })
  const waits: number[] = []
  for (let i = 0; i < 12; i++) {
    await again.rooms
      .open('bad')
      .prove()
      .catch(() => {})
    expect(again.errors).toHaveLength(i + 1)
    await until('it rests', () => again.rooms.faults.retryIn('bad') < Number.POSITIVE_INFINITY)
    const wait = again.rooms.faults.retryIn('bad')
    waits.push(wait)
    again.clock.now += wait - 1
    expect(() => again.rooms.open('bad')).toThrow(Fault)
    again.clock.now++
  }
  expect(waits.slice(0, 3)).toEqual([FIRST_REST_MS, 2 * FIRST_REST_MS, 4 * FIRST_REST_MS])
  expect(waits.at(-1)).toBe(LONGEST_REST_MS)
  expect([errors.length, clock.now]).toEqual([0, 1_000_000])
  await log.close()
})

it('[SERVER-5] a command that throws is answered with what it threw, and the room goes on', async () => {
  const { rooms, log, errors } = await roomsWith({})
  const room = rooms.open('w')
  const thrown = new TypeError('a bug')
  const fails = room.command(() => {
    throw thrown
  })
  await expect(fails).rejects.toBe(thrown)
  await room.command((doc) => doc.getArray('list').push([1]))
  // What the document could not take in is the room's: it holds now what is not stored.
  const deep = JSON.parse(deepJson(20_000))
  const asked = room.command((doc) => doc.getText('t').insertEmbed(0, deep))
  await expect(asked).rejects.toBeInstanceOf(Fault)
  expect(errors).toHaveLength(1)
  rooms.close()
  await log.close()
})

/** Milliseconds for which a server that stopped waited for what hung, by its log: each step has a limit. */
const waited = (log: readonly string[]): number => {
  const late = log.join('').matchAll(/"message":"not done within (\d+) ms"/g)
  return [...late].reduce((sum, [, ms]) => sum + Number(ms), 0)
}

it('[SERVER-1] [SERVER-6] SIGTERM ends within 10 s: a broken workspace, a reader that takes nothing, half a request', async () => {
  const data = await dataOf('bad')
  await putIn(data, 'bad', [poison('mark')])
  const server = await startHere({ data })
  const inBad = await RawClient.open(`${server.sync}/bad`)
  await inBad.barrier()
  const writer = await liveDoc(`${server.sync}/default`)
  const stalled = await RawClient.open(`${server.sync}/default`)
  stalled.ws.pause()
  stalled.subscribe()
  writer.doc.getText('t').insert(0, 'x'.repeat(8_000_000))
  await writer.client.barrier()
  const half = connect(server.port, '127.0.0.1')
  half.on('error', () => {})
  half.write(
    `POST /api/workspaces/default/broadcasts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.token}\r\ncontent-length: 100\r\n\r\n{"co`,
  )
  const nothing = connect(server.port, '127.0.0.1')
  nothing.on('error', () => {})
  await once(nothing, 'connect')
  expect(await server.stop()).toBe(0)
  expect(waited([server.log()])).toBeGreaterThan(0)
  expect(waited([server.log()])).toBeLessThan(10_000)
  for (const socket of [half, nothing]) socket.destroy()
  stalled.ws.terminate()
})

it('[SERVER-1] [SERVER-6] a store that hangs is waited for no longer than that: what was not stored is said', async () => {
  const data = tempDir('hanging')
  const options = parseOptions(
    readProgram(PROGRAM, ['--port', '0', '--data', data, '--no-mdns']),
    {},
  )
  const logged: string[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
  const server = await startSyncServer(options, '0', log)
  setToken(server.port, ownerToken(data))
  const { client, doc } = await liveDoc(`ws://127.0.0.1:${server.port}/sync/default`)
  const append = vi.spyOn(LevelUpdateLog.prototype, 'append')
  append.mockReturnValue(new Promise(() => {}))
  doc.getArray('list').push([1])
  await until('it is on its way', () => append.mock.calls.length > 0)
  await expect(server.close()).rejects.toThrow('not all that was received could be stored')
  expect(waited(logged)).toBeLessThan(10_000)
  expect(logged.join('')).toContain('"step":"storing it"')
  append.mockRestore()
  await client.closed
})
