import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { cpuSeconds, serveJobs } from './programs.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { clientFrame, readServerFrames, WIRES, type WireName } from './wire.ts'

/** The load generator of the awareness benchmark: clients of one room that change their state once a second. */
export interface AwarenessJob {
  wire: WireName
  port: number
  pid: number
  clients: number
  /** Length of the measured run (ms). */
  measured: number
}

export interface AwarenessResult {
  /** From the send of a change until another client has it (ms). */
  delays: number[]
  serverCpu: number
}

const ROOM = 'presence'
const FIRST_CLIENT = 3_000_000_000
const PERIOD = 1_000
const WARM_UP = 2_000
const CONNECT_BATCH = 25

const stateOf = (client: number, clock: number, at: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, 1)
    encoding.writeVarUint(encoder, FIRST_CLIENT + client)
    encoding.writeVarUint(encoder, clock)
    encoding.writeVarString(encoder, JSON.stringify({ at, cursor: { line: clock, column: 7 } }))
  })

/** The times in an awareness update at which its states were sent. */
const timesIn = (update: Uint8Array): number[] => {
  const decoder = decoding.createDecoder(update)
  return Array.from({ length: decoding.readVarUint(decoder) }, () => {
    decoding.readVarUint(decoder)
    decoding.readVarUint(decoder)
    const state = JSON.parse(decoding.readVarString(decoder)) as { at?: number } | null
    return state?.at ?? Number.NaN
  })
}

const run = async (job: AwarenessJob): Promise<AwarenessResult> => {
  const wire = WIRES[job.wire]
  const clients: RawClient[] = []
  while (clients.length < job.clients) {
    const size = Math.min(CONNECT_BATCH, job.clients - clients.length)
    const batch = Array.from({ length: size }, () => connectRaw(wire, job.port, ROOM))
    clients.push(...(await Promise.all(batch)))
  }
  const delays: number[] = []
  const seen = new Set<number>()
  let rest = Buffer.alloc(0)
  clients.at(-1)!.onBytes = (chunk) => {
    const now = performance.now()
    const bytes = Buffer.concat([rest, chunk])
    const { messages, read } = readServerFrames(bytes)
    rest = Buffer.from(bytes.subarray(read))
    for (const message of messages) {
      const update = wire.unwrapAwareness(message)
      if (update === null) continue
      for (const at of timesIn(update)) {
        // A server may send a state again; it was news the first time.
        if (Number.isNaN(at) || seen.has(at)) continue
        seen.add(at)
        delays.push(now - at)
      }
    }
  }
  const clocks = clients.map(() => 0)
  const change = (client: number): void => {
    const update = stateOf(client, ++clocks[client]!, performance.now())
    clients[client]!.send(clientFrame(wire.wrapAwareness(ROOM, update)))
  }
  // The observer changes nothing; the others do in turn, evenly over the second.
  const writers = job.clients - 1
  const began = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / PERIOD) * writers
    for (; sent < due; sent++) change(sent % writers)
  }, 1)
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  try {
    await wait(WARM_UP)
    delays.length = 0
    const [cpu, start] = [cpuSeconds(job.pid)!, performance.now()]
    await wait(job.measured)
    const serverCpu = (cpuSeconds(job.pid)! - cpu) / ((performance.now() - start) / 1_000)
    if (delays.length < (job.measured / PERIOD) * writers * 0.9) {
      throw new Error(`only ${delays.length} changes arrived`)
    }
    return { delays, serverCpu }
  } finally {
    clearInterval(timer)
    for (const client of clients) client.close()
  }
}

serveJobs(run)
