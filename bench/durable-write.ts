import { once } from 'node:events'
import { Level } from 'level'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import { type Contender, clawlink } from './contenders.ts'
import { bearer, credentialFor } from './credential.ts'
import { bundle, startServer, tempDir } from './programs.ts'
import { type Findings, milliseconds, spread, times } from './report.ts'
import { median, pairedRatio, quantile } from './stats.ts'
import { WIRES } from './wire.ts'
import { writerUpdates } from './workload.ts'

const ROUNDS = 7
/** Writes a round and contender, one after another; the first ones do not count. */
const WRITES = 300
const WARM_UP = 50
const ROOM = 'durable'
const BARRIER = 100

/** One write, done when it resolves. */
type Write = (update: Uint8Array) => Promise<void>

export interface Part {
  name: string
  write: Write
  close: () => Promise<void>
}

const connect = async (url: string, headers = {}): Promise<WebSocket> => {
  const ws = new WebSocket(url, { headers })
  await once(ws, 'open')
  return ws
}

const echo = async (): Promise<Part> => {
  const server = await startServer([await bundle('peers/echo.ts')])
  const ws = await connect(`ws://127.0.0.1:${server.port}/`)
  return {
    name: 'bare ws echo',
    write: async (update) => {
      ws.send(update)
      await once(ws, 'message')
    },
    close: () => server.kill(),
  }
}

const fsyncedPut = async (): Promise<Part> => {
  const db = new Level<string, Uint8Array>(tempDir(), { valueEncoding: 'view' })
  await db.open()
  let key = 0
  return {
    name: 'LevelDB put, sync: true',
    write: (update) => db.put(String(++key), update, { sync: true }),
    close: () => db.close(),
  }
}

/** An update, and the barrier behind it: done when the barrier is back. */
export const barrierOn = async (contender: Contender): Promise<Part> => {
  const server = await contender.start(tempDir())
  const headers = bearer(await credentialFor(server.port, ROOM))
  return { ...(await barrierAt(server.port, ROOM, headers)), close: () => server.kill() }
}

/** The same over a connection to a room of a server that runs. */
export const barrierAt = async (port: number, room: string, headers: object): Promise<Part> => {
  const wire = WIRES.stock
  const ws = await connect(`ws://127.0.0.1:${port}${wire.path(room)}`, headers)
  const answered = new Set<string>()
  let nonce = 0
  let back = () => {}
  let welcome = () => {}
  const welcomed = new Promise<void>((resolve) => {
    welcome = resolve
  })
  ws.on('message', (message: Buffer) => {
    if (wire.isWelcome(message)) welcome()
    if (message[0] !== BARRIER) return
    answered.add(message.toString('hex'))
    back()
  })
  for (const message of wire.hello(room)) ws.send(message)
  await welcomed
  return {
    name: 'clawlink-sync, update and barrier',
    write: async (update) => {
      const ask = encoding.encode((encoder) => {
        encoding.writeVarUint(encoder, BARRIER)
        encoding.writeVarUint(encoder, ++nonce)
      })
      const done = new Promise<void>((resolve) => {
        back = resolve
      })
      ws.send(wire.wrap(room, update))
      ws.send(ask)
      await done
      if (!answered.delete(Buffer.from(ask).toString('hex'))) throw new Error('another nonce')
    },
    close: async () => ws.terminate(),
  }
}

export const durableWrite = async (log: (line: string) => void): Promise<Findings> => {
  const { updates } = writerUpdates(0, WARM_UP + ROUNDS * WRITES)
  const parts = [await echo(), await fsyncedPut(), await barrierOn(clawlink)]
  const p50 = new Map<Part, number[]>()
  const p99 = new Map<Part, number[]>()
  for (const part of parts) {
    p50.set(part, [])
    p99.set(part, [])
    for (const update of updates.slice(0, WARM_UP)) await part.write(update)
  }
  for (let round = 0; round < ROUNDS; round++) {
    const at = WARM_UP + round * WRITES
    for (const part of parts) {
      const took: number[] = []
      for (const update of updates.slice(at, at + WRITES)) {
        const start = performance.now()
        await part.write(update)
        took.push(performance.now() - start)
      }
      p50.get(part)!.push(median(took))
      p99.get(part)!.push(quantile(took, 0.99))
    }
  }
  for (const part of parts) await part.close()

  const [echoed, put, ours] = parts as [Part, Part, Part]
  const over = (figures: Map<Part, number[]>): number => {
    const floor = figures.get(echoed)!.map((ms, round) => ms + figures.get(put)![round]!)
    return pairedRatio(figures.get(ours)!, floor)
  }
  const rows = parts.map((part) => [
    part.name,
    spread(p50.get(part)!, milliseconds),
    spread(p99.get(part)!, milliseconds),
  ])
  rows.push(['clawlink-sync over echo + put', times(over(p50)), times(over(p99))])
  for (const row of rows) log(row.join(' · '))
  return {
    title: 'Durable write',
    method: METHOD,
    tables: [{ caption: `${ROUNDS} rounds`, head: ['', 'p50, ms', 'p99, ms'], rows }],
    targets: [],
    samples: Object.fromEntries(
      parts.flatMap((part) => [
        [`${part.name}, p50, ms`, p50.get(part)!],
        [`${part.name}, p99, ms`, p99.get(part)!],
      ]),
    ),
  }
}

const METHOD = `How long one client waits until one update is on disk for good: it sends the update and a barrier, and
waits for the barrier's answer before the next. Nobody else is connected, so nothing shares the fsync. The floors, in
the same rounds: one fsync'd LevelDB \`put\` of the same bytes in-process, and one message to a bare \`ws\` server and
back. Percentiles are taken within a round of ${WRITES} writes; the table shows their median and range over the rounds.`
