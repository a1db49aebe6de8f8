import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { bearer, credentialFor } from './credential.ts'
import { type Home, newHome } from './homes.ts'
import { memoryOf, program, type ServerProcess, startServer, tempDir } from './programs.ts'
import { connectRaw } from './raw-client.ts'
import { type Findings, integer, milliseconds, spread } from './report.ts'
import { quantile } from './stats.ts'
import { WIRES } from './wire.ts'

const HOMES = 10
const PROFILES = 50
const ALL = HOMES * PROFILES
const ROUNDS = 3
/** How long the server is away: so short that all come back at once, and so long that all wait the longest (ms). */
const DOWN_TIMES = [0, 15_000]
/** All are synced this long after the server listens (ms). */
const MOST = 12_000
/** How often the links are asked whether all is well (ms). It takes them time: whose profiles are all there rests. */
const CHECK = 500
/** A step that takes longer hangs (ms). */
const LIMIT = 240_000
const MEBIBYTE = 1024 * 1024

interface Contact {
  profile: string
  connected: boolean
  /** ISO time. */
  since: string
}

/** What one restart of the server did. */
interface Restart {
  /** For each profile, from the server listening until it was synced (ms). */
  synced: number[]
  peakBytes: number
  refusedWhileAway: number
  refusedAfter: number
  overflows: number
  closed: number
  lost: number
  doubled: number
}

const startAt = (port: number, data: string, ...more: string[]): Promise<ServerProcess> =>
  startServer([program('clawlink-sync'), '--port', String(port), '--data', data, ...more])

/** A counter of the kernel, of all connections of this machine. */
const kernelCounter = (file: string, group: string, name: string): number => {
  const [names, values] = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`${group}:`))
    .map((line) => line.split(' '))
  return Number(values![names!.indexOf(name)])
}
const failedDials = (): number => kernelCounter('/proc/net/snmp', 'Tcp', 'AttemptFails')
const listenOverflows = (): number =>
  kernelCounter('/proc/net/netstat', 'TcpExt', 'ListenOverflows') +
  kernelCounter('/proc/net/netstat', 'TcpExt', 'ListenDrops')

/** Connections that the server has closed of itself. */
const closedBy = async (port: number): Promise<number> => {
  const headers = bearer(await credentialFor(port, 'default'))
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers })).text()
  const counts = [...text.matchAll(/^clawlink_closes_total\{.*\} (\d+)$/gm)]
  return counts.reduce((sum, [, count]) => sum + Number(count), 0)
}

const contacts = async (homes: readonly Home[]): Promise<Contact[]> => {
  const found = homes.map((home) => home.ask<{ profiles: Contact[] }>('status'))
  return (await Promise.all(found)).flatMap(({ profiles }) => profiles)
}

/** Resolves when all profiles are connected and synced. */
const whenSynced = async (homes: readonly Home[]): Promise<Contact[]> => {
  const deadline = Date.now() + LIMIT
  const isThere = ({ connected }: Contact): boolean => connected
  for (;;) {
    for (const home of homes) {
      while (!(await contacts([home])).every(isThere)) {
        if (Date.now() > deadline) throw new Error(`not all are synced within ${LIMIT} ms`)
        await sleep(CHECK)
      }
    }
    const found = await contacts(homes)
    if (found.length === ALL && found.every(isThere)) return found
  }
}

const profileNames = Array.from({ length: PROFILES }, (_, number) => `p${number}`)
const [SENDER] = profileNames as [string]

/** One broadcast of each home; the ids. */
const broadcast = (homes: readonly Home[], content: string): Promise<string[]> =>
  Promise.all(
    homes.map(async (home) => {
      const words = ['--as', SENDER, 'broadcast', '--content', content, '--reset-trace']
      const { message } = await home.ask<{ message: { message_id: string } }>(...words)
      return message.message_id
    }),
  )

/** The ids of the messages in a profile's inbox, page by page; it is empty then. */
const poll = async (home: Home, profile: string): Promise<string[]> => {
  interface Polled {
    messages: { message_id: string }[]
    remaining: number
  }
  const { messages, remaining } = await home.ask<Polled>('--as', profile, 'poll')
  const ids = messages.map(({ message_id }) => message_id)
  return remaining === 0 ? ids : [...ids, ...(await poll(home, profile))]
}

/** How many of these messages did not reach whom they are for, and how many more than once. */
const lostOf = async (homes: readonly Home[], sent: readonly string[][]) => {
  // The senders first: what they had queued is on the server when they have their answer.
  const firsts = await Promise.all(homes.map((home) => poll(home, SENDER)))
  let lost = 0
  let doubled = 0
  const count = (home: number, profile: string, found: readonly string[]) => {
    const own = profile === SENDER ? home : -1
    const due = sent.flatMap((batch) => batch.filter((_, from) => from !== own))
    lost += due.filter((id) => !found.includes(id)).length
    doubled += due.filter((id) => found.indexOf(id) !== found.lastIndexOf(id)).length
  }
  for (const [home, found] of firsts.entries()) {
    // What another home's sender sent later than this one looked.
    count(home, SENDER, [...found, ...(await poll(homes[home]!, SENDER))])
  }
  await Promise.all(
    homes.map(async (home, number) => {
      for (const profile of profileNames.slice(1)) {
        count(number, profile, await poll(home, profile))
      }
    }),
  )
  return { lost, doubled }
}

/** Kills the server, with messages on their way, and starts it again. */
const restart = async (
  homes: readonly Home[],
  server: ServerProcess,
  data: string,
  downMs: number,
): Promise<{ server: ServerProcess; found: Restart }> => {
  const failedBefore = failedDials()
  const underWay = broadcast(homes, 'under way when the server is killed')
  await server.kill()
  const sent = [await underWay, await broadcast(homes, 'while the server is away')]
  await sleep(downMs)
  const again = await startAt(server.port, data)
  const listening = Date.now()
  const [failed, overflows] = [failedDials(), listenOverflows()]
  const synced = (await whenSynced(homes)).map(({ since }) =>
    Math.max(0, Date.parse(since) - listening),
  )
  const refusedAfter = failedDials() - failed
  const peakBytes = memoryOf(again.pid, 'VmHWM')
  const found = {
    synced,
    peakBytes,
    refusedWhileAway: failed - failedBefore,
    refusedAfter,
    overflows: listenOverflows() - overflows,
    closed: await closedBy(again.port),
    ...(await lostOf(homes, sent)),
  }
  return { server: again, found }
}

/** The floor: bare sockets that all dial a server of the same data at once; from dial to welcome (ms). */
const bareHerd = async (data: string): Promise<number[]> => {
  const copy = join(tempDir(), 'data')
  cpSync(data, copy, { recursive: true })
  // All of these are one agent.
  const limits = `agent-connections=${ALL},handshakes=${ALL}`
  const server = await startAt(0, copy, '--limit', limits)
  const start = performance.now()
  const clients = await Promise.all(
    Array.from({ length: ALL }, async () => {
      const client = await connectRaw(WIRES.stock, server.port, 'default')
      return { client, ms: performance.now() - start }
    }),
  )
  for (const { client } of clients) client.close()
  await server.kill()
  return clients.map(({ ms }) => ms)
}

/** Homes with all their profiles registered and connected. */
const gather = async (port: number, log: (line: string) => void): Promise<Home[]> => {
  const homes = Array.from({ length: HOMES }, () => newHome(port))
  // One after another, as everybody who is there is told of each newcomer.
  for (const [number, home] of homes.entries()) {
    await home.up()
    await Promise.all(
      profileNames.map((profile) =>
        home.ask('--as', profile, 'register', '--name', `${profile} of ${number}`),
      ),
    )
    await home.end('SIGTERM')
  }
  log(`${ALL} profiles are registered`)
  await Promise.all(homes.map((home) => home.up()))
  await whenSynced(homes)
  for (const home of homes) await Promise.all(profileNames.map((profile) => poll(home, profile)))
  log('all are connected')
  return homes
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1)
const mebibytes = (bytes: number): string => integer(bytes / MEBIBYTE)

const rowOf = (name: string, found: readonly Restart[]): string[] => {
  const all = (read: (one: Restart) => number) => found.map(read)
  return [
    name,
    spread(
      all(({ synced }) => quantile(synced, 0.5)),
      seconds,
    ),
    spread(
      all(({ synced }) => quantile(synced, 1)),
      seconds,
    ),
    spread(
      all(({ peakBytes }) => peakBytes),
      mebibytes,
    ),
    spread(
      all(({ refusedWhileAway }) => refusedWhileAway),
      integer,
    ),
    spread(
      all(({ refusedAfter }) => refusedAfter),
      integer,
    ),
    spread(
      all(({ overflows }) => overflows),
      integer,
    ),
    spread(
      all(({ closed }) => closed),
      integer,
    ),
  ]
}

export const herd = async (log: (line: string) => void): Promise<Findings> => {
  const data = tempDir()
  let server = await startAt(0, data)
  const found = new Map<number, Restart[]>(DOWN_TIMES.map((down) => [down, []]))
  const bare: number[][] = []
  let atRest = 0
  let linkBytes = 0
  const homes = await gather(server.port, log)
  try {
    atRest = memoryOf(server.pid, 'VmRSS')
    for (let round = 0; round < ROUNDS; round++) {
      bare.push(await bareHerd(data))
      log(`bare sockets: ${milliseconds(quantile(bare[round]!, 1))} ms`)
      for (const [down, restarts] of found) {
        const done = await restart(homes, server, data, down)
        server = done.server
        restarts.push(done.found)
        log(rowOf(`away for ${seconds(down)} s more`, [done.found]).join(' · '))
        log(`lost ${done.found.lost}, doubled ${done.found.doubled}`)
      }
    }
    linkBytes = Math.max(...homes.map((home) => memoryOf(home.pid(), 'VmRSS')))
  } finally {
    for (const home of homes) await home.end('SIGKILL')
    await server.kill()
  }

  const all = [...found.values()].flat()
  const slowest = Math.max(...all.flatMap(({ synced }) => synced))
  const sum = (read: (one: Restart) => number) => all.reduce((total, one) => total + read(one), 0)
  const bareTimes = (part: number) =>
    spread(
      bare.map((ms) => quantile(ms, part)),
      seconds,
    )
  const rows = [
    ['floor: bare sockets, all at once', bareTimes(0.5), bareTimes(1), '', '', '', '', ''],
    ...[...found].map(([down, restarts]) =>
      rowOf(down === 0 ? 'back at once' : `back after ${down / 1000} s more`, restarts),
    ),
  ]
  return {
    title: 'Thundering herd',
    method:
      METHOD +
      ` At rest the server has ${mebibytes(atRest)} MiB, and the largest link ${mebibytes(linkBytes)} MiB.`,
    tables: [
      {
        caption: `${ROUNDS} rounds`,
        head: [
          '',
          'synced p50, s',
          'all synced, s',
          "server's peak RSS, MiB",
          'dials refused: server away',
          'dials failed: server there',
          'accept queue overflows',
          'closed by the server',
        ],
        rows,
      },
    ],
    targets: [
      {
        claim: `all ${ALL} synced within ${MOST / 1000} s`,
        measured: `${seconds(slowest)} s`,
        passed: slowest <= MOST,
      },
      {
        claim: 'each message reaches each of them, once',
        measured: `${sum(({ lost }) => lost)} lost, ${sum(({ doubled }) => doubled)} doubled`,
        passed: sum(({ lost, doubled }) => lost + doubled) === 0,
      },
    ],
    samples: Object.fromEntries([
      ...[...found].flatMap(([down, restarts]) => [
        [`away ${down} ms more, all synced, ms`, restarts.map((one) => quantile(one.synced, 1))],
        [`away ${down} ms more, synced p50, ms`, restarts.map((one) => quantile(one.synced, 0.5))],
        [`away ${down} ms more, server's peak, bytes`, restarts.map(({ peakBytes }) => peakBytes)],
      ]),
      ['bare sockets, all welcome, ms', bare.map((ms) => quantile(ms, 1))],
    ]),
  }
}

const METHOD = `A server with ${ALL} agents in one workspace gets SIGKILL and is started again on the same port and
data. The agents are ${HOMES} real link processes of ${PROFILES} profiles each, every profile with a replica and a
connection of its own; all processes share the machine's cores. The time runs from the server's first listening
until a link says that a profile is synced, so it has the waits between two dials in it, which are random. The
links are asked one after another whether all is well, each every ${CHECK} ms until it is. In each restart every
home sends one broadcast that is under way at the kill and one while
the server is away; afterwards every inbox is read and must have each of them once. The peak is the kernel's VmHWM of
the new server. Refused dials and overflows are the kernel's counters, of the whole machine. The floor is what the
server needs if nobody waits: ${ALL} bare sockets that fetch the document from a server on a copy of the data.`
