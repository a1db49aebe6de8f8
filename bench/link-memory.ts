import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { clawlink } from './contenders.ts'
import { newHome } from './homes.ts'
import { childEnv, cpuSeconds, memoryOf, tempDir } from './programs.ts'
import { type Findings, spread } from './report.ts'
import { median } from './stats.ts'

const ROUNDS = 3
const PROFILES = 200
/** What each profile after the first may cost (MiB). */
const LIMIT = 5
/** Two rounds of everything that a connection does by itself: beats each 10 s, awareness each 15 s (ms). */
const IDLE = 30_000
/** A link is at rest when it took no more than this of a core for SETTLE ms. */
const RESTING = 0.1
const SETTLE = 2_000
/** A link that is not at rest by then never is (ms). */
const SETTLE_LIMIT = 120_000
const MEBIBYTE = 1024 * 1024

/** Part of a core that a process takes, over `ms`. */
const load = async (pid: number, ms: number): Promise<number> => {
  const before = cpuSeconds(pid)
  if (before === null) throw new Error('this benchmark needs /proc')
  const start = performance.now()
  await sleep(ms)
  return ((cpuSeconds(pid)! - before) * 1000) / (performance.now() - start)
}

const atRest = async (pid: number): Promise<void> => {
  for (const end = performance.now() + SETTLE_LIMIT; (await load(pid, SETTLE)) > RESTING; ) {
    if (performance.now() > end) throw new Error(`process ${pid} does not come to rest`)
  }
}

/** Memory of a process at rest, in MiB. */
const memory = async (pid: number): Promise<number> => {
  await atRest(pid)
  return memoryOf(pid, 'VmRSS') / MEBIBYTE
}

/** A Node that does nothing. */
const bareNode = async (): Promise<number> => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { env: childEnv })
  const mebibytes = await memory(child.pid!)
  child.kill('SIGKILL')
  await once(child, 'exit')
  return mebibytes
}

interface Round {
  bare: number
  /** One profile. */
  one: number
  idleOne: number
  /** All profiles, as they were registered one after another. */
  all: number
  idleAll: number
  /** All profiles, in a link that was started anew. */
  anew: number
}

const measure = async (): Promise<Round> => {
  const server = await clawlink.start(tempDir())
  const home = newHome(server.port)
  try {
    const bare = await bareNode()
    await home.up()
    await home.ask('register', '--name', 'agent 1')
    const one = await memory(home.pid())
    const idleOne = await load(home.pid(), IDLE)
    for (let number = 2; number <= PROFILES; number++) {
      await home.ask('--as', `p${number}`, 'register', '--name', `agent ${number}`)
    }
    const all = await memory(home.pid())
    const idleAll = await load(home.pid(), IDLE)
    await home.end('SIGTERM')
    await home.up()
    const connected = async () => {
      const { profiles } = await home.ask<{ profiles: { connected: boolean }[] }>('status')
      return profiles.filter((profile) => profile.connected).length
    }
    while ((await connected()) < PROFILES) await sleep(SETTLE)
    const anew = await memory(home.pid())
    return { bare, one, idleOne, all, idleAll, anew }
  } finally {
    await home.end('SIGKILL')
    await server.kill()
  }
}

const mebibytes = (value: number): string => value.toFixed(value < 10 ? 2 : 0)
const percent = (part: number): string => `${(part * 100).toFixed(2)} %`

export const linkMemory = async (log: (line: string) => void): Promise<Findings> => {
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push(await measure())
    log(JSON.stringify(rounds.at(-1)))
  }
  const series = (read: (round: Round) => number) => rounds.map(read)
  const each = series(({ one, all }) => (all - one) / (PROFILES - 1))
  const eachAnew = series(({ one, anew }) => (anew - one) / (PROFILES - 1))
  const row = (name: string, memory: number[], per: number[] | null, idle: number[] | null) => [
    name,
    spread(memory, mebibytes),
    per === null ? '' : spread(per, mebibytes),
    idle === null ? '' : spread(idle, percent),
  ]
  const rows = [
    row(
      'floor: a Node that does nothing',
      series(({ bare }) => bare),
      null,
      null,
    ),
    row(
      'a link, 1 profile',
      series(({ one }) => one),
      null,
      series(({ idleOne }) => idleOne),
    ),
    row(
      `the same link, ${PROFILES} profiles`,
      series(({ all }) => all),
      each,
      series(({ idleAll }) => idleAll),
    ),
    row(
      `a link started anew, ${PROFILES} profiles`,
      series(({ anew }) => anew),
      eachAnew,
      null,
    ),
  ]
  for (const cells of rows) log(cells.join(' · '))
  const worst = Math.max(median(each), median(eachAnew))
  return {
    title: 'Link memory',
    method: METHOD,
    tables: [
      {
        caption: `${ROUNDS} rounds`,
        head: ['', 'RSS, MiB', 'each profile after the first, MiB', 'of a core, at rest'],
        rows,
      },
    ],
    targets: [
      {
        claim: `each profile after the first ≤ ${LIMIT} MiB`,
        measured: `${mebibytes(worst)} MiB`,
        passed: worst <= LIMIT,
      },
    ],
    samples: {
      'bare Node, MiB': series(({ bare }) => bare),
      '1 profile, MiB': series(({ one }) => one),
      [`${PROFILES} profiles, MiB`]: series(({ all }) => all),
      [`${PROFILES} profiles, started anew, MiB`]: series(({ anew }) => anew),
      '1 profile, of a core': series(({ idleOne }) => idleOne),
      [`${PROFILES} profiles, of a core`]: series(({ idleAll }) => idleAll),
    },
  }
}

const METHOD = `Resident memory (VmRSS) of one real link process that keeps ${PROFILES} profiles connected to one
workspace, which holds nothing but their registrations; each profile has a replica, an inbox and a connection of its
own. Measured once the link has come to rest, first as the profiles were registered one after another, then in a link
that was started anew and took them over. The processor's share is user and system time of all threads over
${IDLE / 1000} s without a command, as a part of one core.`
