import { credentialFor } from './credential.ts'
import { cpuSeconds, memoryOf, serveJobs } from './programs.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { WIRES, type WireName } from './wire.ts'

/** The load generator of the join storm: one client in each of many new rooms, all at once. */
export interface JoinsJob {
  wire: WireName
  port: number
  pid: number
  rooms: number
}

export interface JoinsResult {
  /** Until the last one was welcomed (ms). */
  ms: number
  /** Of the server (ms). */
  cpuMs: number
  /** Growth of the server's memory per connection. */
  bytesEach: number
}

const run = async ({ wire, port, pid, rooms }: JoinsJob): Promise<JoinsResult> => {
  const names = Array.from({ length: rooms }, (_, n) => `new-${n}`)
  for (let at = 0; at < rooms; at += 50) {
    await Promise.all(names.slice(at, at + 50).map((name) => credentialFor(port, name)))
  }
  const rss = memoryOf(pid, 'VmRSS')
  const cpu = cpuSeconds(pid)!
  const start = performance.now()
  const clients: RawClient[] = await Promise.all(
    names.map((name) => connectRaw(WIRES[wire], port, name)),
  )
  const ms = performance.now() - start
  const cpuMs = (cpuSeconds(pid)! - cpu) * 1000
  const bytesEach = (memoryOf(pid, 'VmRSS') - rss) / rooms
  for (const client of clients) client.close()
  return { ms, cpuMs, bytesEach }
}

serveJobs(run)
