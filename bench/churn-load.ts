import { credentialFor } from './credential.ts'
import { cpuSeconds, memoryOf, serveJobs } from './programs.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { clientFrame, WIRES, type WireName } from './wire.ts'
import { scanMarkers, writerUpdates } from './workload.ts'

/** The load generator of the benchmark of a busy day: visits of two clients each, many at a time. */
export interface ChurnJob {
  wire: WireName
  port: number
  pid: number
  workspaces: number
  visits: number
  /** Visits at a time. */
  atOnce: number
  /** Updates that a visit writes. */
  updates: number
  /** The run is split into this many equal parts; memory is read after each (count). */
  parts: number
}

export interface ChurnResult {
  seconds: number
  /** Of the server. */
  cpuSeconds: number
  /** Updates that the other client of their visit received. */
  delivered: number
  /** Resident memory of the server after each part (bytes). */
  memory: number[]
}

/** A visit that takes longer hangs (ms). */
const VISIT_LIMIT = 60_000

const nameOf = (n: number): string => `day-${n}`

/** A writer and a reader come to a workspace, the writer writes, and both go once the reader has all of it. */
const visit = async (job: ChurnJob, n: number): Promise<void> => {
  const wire = WIRES[job.wire]
  const name = nameOf(n % job.workspaces)
  const reader = await connectRaw(wire, job.port, name)
  const writer = await connectRaw(wire, job.port, name)
  try {
    await arrivalOf(reader, job.updates, () => {
      const { updates } = writerUpdates(n, job.updates)
      writer.send(Buffer.concat(updates.map((update) => clientFrame(wire.wrap(name, update)))))
    })
  } finally {
    reader.close()
    writer.close()
  }
}

/** Resolves when a client has received that many updates after `start`. */
const arrivalOf = (client: RawClient, updates: number, start: () => void): Promise<void> =>
  new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('a visit hangs')), VISIT_LIMIT)
    let left = updates
    let rest = Buffer.alloc(0)
    client.onEnd = () => reject(new Error('the server ended a connection'))
    client.onBytes = (chunk) => {
      const bytes = Buffer.concat([rest, chunk])
      const end = scanMarkers(bytes, () => left--)
      rest = Buffer.from(bytes.subarray(end))
      if (left > 0) return
      clearTimeout(limit)
      resolve()
    }
    start()
  })

const run = async (job: ChurnJob): Promise<ChurnResult> => {
  const names = Array.from({ length: job.workspaces }, (_, n) => nameOf(n))
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(names.slice(at, at + 50).map((name) => credentialFor(job.port, name)))
  }
  const memory: number[] = []
  const cpu = cpuSeconds(job.pid)!
  const start = performance.now()
  let next = 0
  for (let part = 1; part <= job.parts; part++) {
    const end = Math.round((job.visits * part) / job.parts)
    const work = async (): Promise<void> => {
      while (next < end) await visit(job, next++)
    }
    await Promise.all(Array.from({ length: job.atOnce }, work))
    memory.push(memoryOf(job.pid, 'VmRSS'))
  }
  const seconds = (performance.now() - start) / 1_000
  const delivered = job.visits * job.updates
  return { seconds, cpuSeconds: cpuSeconds(job.pid)! - cpu, delivered, memory }
}

serveJobs(run)
