import { setTimeout as sleep } from 'node:timers/promises'
import * as Y from 'yjs'
import { cpuSeconds, serveJobs } from './programs.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { clientFrame, readServerFrames, WIRES, type Wire, type WireName } from './wire.ts'
import { scanMarkers, type Writer, writerUpdates } from './workload.ts'

/** The load generator of the fan-out benchmark: many clients in one process, one run a job. */
export interface FanoutJob {
  wire: WireName
  port: number
  pid: number
  clients: number
  writers: number
  /** Updates of one writer that are under way at a time. */
  underWay: number
}

export interface FanoutResult {
  /** Updates that every other client received, and the time from the first send to the last arrival. */
  updates: number
  seconds: number
  /** CPU time over wall time during it: 1 is one core. Null where it cannot be read. */
  serverCpu: number | null
  loadCpu: number
}

/** Both compilers have settled after this, and what arrived has been checked; the measured run follows (ms). */
const WARM_UP = 400
const MEASURED = 1_000
/** A run that takes longer hangs (ms). */
const RUN_LIMIT = 30_000
/** Updates prepared for all writers together: more than the fastest server takes in one run. */
const PREPARED = 160_000
/** Connections opened at a time. */
const CONNECT_BATCH = 25
const ROOM = 'fanout'

const prepared = new Map<number, Writer[]>()
const writersOf = (count: number): Writer[] => {
  const known = prepared.get(count)
  if (known) return known
  const made = Array.from({ length: count }, (_, i) => writerUpdates(i, PREPARED / count))
  prepared.set(count, made)
  return made
}

/** One writer's updates as frames in one piece of memory: any row of them goes out in one write. */
interface Frames {
  bytes: Buffer
  /** Where the n-th frame begins; one more entry for the end. */
  starts: number[]
}
const framesOf = (wire: Wire, writer: Writer): Frames => {
  const frames = writer.updates.map((update) => clientFrame(wire.wrap(ROOM, update)))
  const starts = [0]
  for (const frame of frames) starts.push(starts.at(-1)! + frame.length)
  return { bytes: Buffer.concat(frames), starts }
}

/** A client's count of what it received of others. */
interface Receiver {
  raw: RawClient
  /** Number of the writer that it is, or -1. */
  writer: number
  count: number
  /** What it waits for; unknown while writers still write. */
  expected: number | null
  /** The start of a marker whose end had not arrived. */
  rest: Buffer
}

const connectAll = async (wire: Wire, port: number, clients: number, writers: number) => {
  const receivers: Receiver[] = []
  while (receivers.length < clients) {
    const size = Math.min(CONNECT_BATCH, clients - receivers.length)
    const batch = Array.from({ length: size }, () => connectRaw(wire, port, ROOM))
    for (const raw of await Promise.all(batch)) {
      const writer = receivers.length < writers ? receivers.length : -1
      receivers.push({ raw, writer, count: 0, expected: null, rest: Buffer.alloc(0) })
    }
  }
  return receivers
}

const NONE = Buffer.alloc(0)

const listen = (receiver: Receiver, arrived: (writer: number) => void, after: () => void) => {
  receiver.raw.onBytes = (chunk) => {
    const bytes = receiver.rest.length === 0 ? chunk : Buffer.concat([receiver.rest, chunk])
    const end = scanMarkers(bytes, arrived)
    receiver.rest = end === bytes.length ? NONE : Buffer.from(bytes.subarray(end))
    after()
  }
}

/** The last client to connect is no writer; it paces all writers, and everything it gets is checked. */
const run = async (job: FanoutJob): Promise<FanoutResult> => {
  const wire = WIRES[job.wire]
  const writers = writersOf(job.writers)
  const frames = writers.map((writer) => framesOf(wire, writer))
  const receivers = await connectAll(wire, job.port, job.clients, job.writers)
  const observer = receivers.at(-1)!
  const sent = writers.map(() => 0)
  const acknowledged = writers.map(() => 0)
  const late = new Set<Receiver>()
  let writing = false
  let complete = () => {}

  const send = (writer: number, count: number) => {
    const from = sent[writer]!
    const { bytes, starts } = frames[writer]!
    const to = Math.min(from + count, starts.length - 1)
    if (to === from) return
    sent[writer] = to
    receivers[writer]!.raw.send(bytes.subarray(starts[from], starts[to]))
  }

  const settle = (receiver: Receiver) => {
    if (receiver.expected === null || receiver.count < receiver.expected) return
    late.delete(receiver)
    if (late.size === 0) complete()
  }

  for (const receiver of receivers) {
    const { writer } = receiver
    listen(
      receiver,
      (from) => {
        if (from !== writer) receiver.count++
      },
      () => settle(receiver),
    )
  }
  let kept: Buffer[] | null = []
  listen(
    observer,
    (from) => {
      observer.count++
      acknowledged[from]!++
    },
    () => {
      for (let writer = 0; writing && writer < sent.length; writer++) {
        const room = job.underWay - (sent[writer]! - acknowledged[writer]!)
        if (room > 0) send(writer, room)
      }
      if (writing && sent.every((count, writer) => count === writers[writer]!.updates.length)) {
        stopWriting()
      }
      settle(observer)
    },
  )
  const count = observer.raw.onBytes
  observer.raw.onBytes = (chunk) => {
    kept?.push(Buffer.from(chunk))
    count(chunk)
  }

  /** After the time, or when a server was faster than updates were prepared. */
  const stopWriting = () => {
    if (!writing) return
    writing = false
    const total = sent.reduce((sum, n) => sum + n, 0)
    for (const receiver of receivers) {
      receiver.expected = total - (receiver.writer === -1 ? 0 : sent[receiver.writer]!)
      late.add(receiver)
    }
    for (const receiver of receivers) settle(receiver)
  }

  const phase = async (length: number): Promise<FanoutResult> => {
    for (const receiver of receivers) receiver.expected = null
    const before = sent.reduce((sum, n) => sum + n, 0)
    const cpu = process.cpuUsage()
    const serverCpu = cpuSeconds(job.pid)
    const start = performance.now()
    let end = start
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => {
        reject(new Error(`${late.size} of ${job.clients} clients still wait for updates`))
      }, RUN_LIMIT)
      for (const { raw } of receivers) {
        raw.onEnd = () => reject(new Error('the server ended a connection'))
      }
      complete = () => {
        end = performance.now()
        clearTimeout(limit)
        resolve()
      }
      writing = true
      for (let writer = 0; writer < sent.length; writer++) send(writer, job.underWay)
      setTimeout(stopWriting, length)
    })
    const seconds = (end - start) / 1_000
    const used = process.cpuUsage(cpu)
    return {
      updates: sent.reduce((sum, n) => sum + n, 0) - before,
      seconds,
      serverCpu: serverCpu === null ? null : (cpuSeconds(job.pid)! - serverCpu) / seconds,
      loadCpu: (used.user + used.system) / 1e6 / seconds,
    }
  }

  try {
    await phase(WARM_UP)
    verify(wire, writers, sent, await wholeFrames(kept))
    kept = null
    const result = await phase(MEASURED)
    for (const { count, expected } of receivers) {
      if (count !== expected) throw new Error(`a client got ${count} updates, not ${expected}`)
    }
    return result
  } finally {
    for (const { raw } of receivers) raw.close()
  }
}

/** A marker's frame ends some bytes after it; they may still be under way. */
const wholeFrames = async (chunks: readonly Buffer[]): Promise<Buffer> => {
  for (let tries = 0; tries < 200; tries++) {
    const bytes = Buffer.concat(chunks)
    if (readServerFrames(bytes).read === bytes.length) return bytes
    await sleep(5)
  }
  throw new Error('the last frame never ended')
}

/** What the observer received must be, as Yjs reads it, exactly what was written. */
const verify = (wire: Wire, writers: readonly Writer[], sent: number[], bytes: Buffer) => {
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const message of readServerFrames(bytes).messages) {
      const update = wire.unwrap(message)
      if (update) Y.applyUpdate(doc, update)
    }
  })
  for (const [index, { words }] of writers.entries()) {
    const texts = new Map<string, string>()
    for (const { textName, appended } of words.slice(0, sent[index])) {
      texts.set(textName, (texts.get(textName) ?? '') + appended)
    }
    for (const [name, text] of texts) {
      if (doc.getText(name).toString() !== text) throw new Error(`the text ${name} came out wrong`)
    }
  }
  doc.destroy()
}

serveJobs(run)
