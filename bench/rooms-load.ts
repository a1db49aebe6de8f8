import { cpuSeconds, serveJobs } from './programs.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { clientFrame, WIRES, type WireName } from './wire.ts'
import { scanMarkers, writerUpdates } from './workload.ts'

/** The load generator of the benchmark of many small rooms: a writer and a reader in each, one run per job. */
export interface RoomsJob {
  wire: WireName
  port: number
  pid: number
  rooms: number
  /** Updates of one room that are under way at a time. */
  underWay: number
  /** Length of the measured run (ms). */
  measured: number
}

export interface RoomsResult {
  /** Updates that the other client of their room received, and the time from the first send to the last arrival. */
  updates: number
  seconds: number
  serverCpu: number | null
}

const WARM_UP = 400
/** A run that takes longer hangs (ms). */
const RUN_LIMIT = 30_000
/** Updates prepared; every room gets the same ones. */
const PREPARED = 2_000
const CONNECT_BATCH = 25
const NONE = Buffer.alloc(0)

const { updates } = writerUpdates(0, PREPARED)

interface Room {
  name: string
  writer: RawClient
  reader: RawClient
  sent: number
  arrived: number
}

const run = async (job: RoomsJob): Promise<RoomsResult> => {
  const wire = WIRES[job.wire]
  const rooms: Room[] = []
  const open = async (n: number): Promise<Room> => {
    const name = `room-${n}`
    const writer = await connectRaw(wire, job.port, name)
    const reader = await connectRaw(wire, job.port, name)
    return { name, writer, reader, sent: 0, arrived: 0 }
  }
  while (rooms.length < job.rooms) {
    const size = Math.min(CONNECT_BATCH, job.rooms - rooms.length)
    const from = rooms.length
    rooms.push(...(await Promise.all(Array.from({ length: size }, (_, i) => open(from + i)))))
  }
  let writing = false
  let waiting = 0
  let complete = () => {}

  const send = (room: Room): void => {
    const frames: Buffer[] = []
    while (room.sent - room.arrived < job.underWay && room.sent < PREPARED) {
      frames.push(clientFrame(wire.wrap(room.name, updates[room.sent++]!)))
    }
    waiting += frames.length
    if (frames.length > 0) room.writer.send(Buffer.concat(frames))
  }
  for (const room of rooms) {
    let rest = NONE
    room.reader.onBytes = (chunk) => {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const end = scanMarkers(bytes, () => {
        room.arrived++
        waiting--
      })
      rest = end === bytes.length ? NONE : Buffer.from(bytes.subarray(end))
      if (writing) send(room)
      else if (waiting === 0) complete()
    }
  }

  const phase = async (length: number): Promise<RoomsResult> => {
    const before = rooms.reduce((sum, { arrived }) => sum + arrived, 0)
    const cpu = cpuSeconds(job.pid)
    const start = performance.now()
    let end = start
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => reject(new Error(`${waiting} updates are missing`)), RUN_LIMIT)
      for (const { writer, reader } of rooms) {
        for (const raw of [writer, reader])
          raw.onEnd = () => reject(new Error('the server ended a connection'))
      }
      complete = () => {
        end = performance.now()
        clearTimeout(limit)
        resolve()
      }
      writing = true
      for (const room of rooms) send(room)
      setTimeout(() => {
        writing = false
        if (waiting === 0) complete()
      }, length)
    })
    const seconds = (end - start) / 1_000
    return {
      updates: rooms.reduce((sum, { arrived }) => sum + arrived, 0) - before,
      seconds,
      serverCpu: cpu === null ? null : (cpuSeconds(job.pid)! - cpu) / seconds,
    }
  }
  try {
    await phase(WARM_UP)
    const result = await phase(job.measured)
    if (rooms.some(({ sent, arrived }) => sent !== arrived)) throw new Error('updates are missing')
    return result
  } finally {
    for (const { writer, reader } of rooms) for (const raw of [writer, reader]) raw.close()
  }
}

serveJobs(run)
