import { appendFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clawlink } from './contenders.ts'
import { newHome } from './homes.ts'
import { cpuSeconds, memoryOf, tempDir } from './programs.ts'
import { type Findings, integer, milliseconds, spread } from './report.ts'
import { median, quantile } from './stats.ts'

const ROUNDS = 3
const FILES = 2_000
/** Bytes of a file: 50 MB in all. */
const BYTES = 25_000
/** Changes of one folder that are waited for in the other, in each round (count). */
const CHANGES = 50
/** What such a change may take (ms), and how often the other folder is looked at (ms). */
const LIMIT = 250
const LOOK = 2
/** A change that takes longer is lost (ms). */
const CHANGE_LIMIT = 30_000
/** How long a link with a mirror is watched doing nothing (ms), and what part of a core that may take. */
const IDLE = 20_000
const IDLE_LIMIT = 0.01
/** After the last change everything is over by then (ms). */
const REST = 5_000
const MEBIBYTE = 1024 * 1024

const pathOf = (i: number): string => `src/part${i % 40}/file${i}.md`

const textOf = (i: number): string => {
  const lines: string[] = []
  for (let size = 0; size < BYTES; size += lines.at(-1)!.length) {
    lines.push(`file ${i}, line ${lines.length}: what was learned about it, and by whom\n`)
  }
  return lines.join('').slice(0, BYTES)
}

interface Round {
  /** Milliseconds. */
  first: number
  second: number
  again: number
  changes: number[]
  /** Part of a core. */
  idle: number
  /** MiB. */
  memory: number
}

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await run()
  return performance.now() - start
}

/** Appends to a file of one folder; milliseconds until the file of the other folder is as long. */
const change = async (from: string, to: string, rel: string): Promise<number> => {
  appendFileSync(join(from, rel), `a change at ${performance.now()}\n`)
  const start = performance.now()
  const { size } = statSync(join(from, rel))
  while (statSync(join(to, rel)).size !== size) {
    if (performance.now() - start > CHANGE_LIMIT) throw new Error(`${rel} did not change`)
    await sleep(LOOK)
  }
  return performance.now() - start
}

const measure = async (): Promise<Round> => {
  const server = await clawlink.start(tempDir())
  const [one, two] = [newHome(server.port), newHome(server.port)]
  const [a, b] = [tempDir(), tempDir()]
  for (let i = 0; i < FILES; i++) {
    mkdirSync(dirname(join(a, pathOf(i))), { recursive: true })
    writeFileSync(join(a, pathOf(i)), textOf(i))
  }
  try {
    for (const [home, name] of [[one, 'One'] as const, [two, 'Two'] as const]) {
      await home.up()
      await home.ask('register', '--name', name)
    }
    const first = await timed(() => one.ask('mirror', a))
    const second = await timed(() => two.ask('mirror', b))
    const changes: number[] = []
    for (let i = 0; i < CHANGES; i++) {
      const rel = pathOf((i * 37) % FILES)
      changes.push(await (i % 2 === 0 ? change(a, b, rel) : change(b, a, rel)))
    }
    await sleep(REST)
    const before = cpuSeconds(one.pid())
    if (before === null) throw new Error('this benchmark needs /proc')
    await sleep(IDLE)
    const idle = ((cpuSeconds(one.pid())! - before) * 1000) / IDLE
    const memory = memoryOf(one.pid(), 'VmRSS') / MEBIBYTE
    await one.end('SIGTERM')
    const again = await timed(async () => {
      await one.up()
      await one.ask('mirror', a)
    })
    return { first, second, again, changes, idle, memory }
  } finally {
    await one.end('SIGKILL')
    await two.end('SIGKILL')
    await server.stop()
  }
}

export const mirror = async (log: (line: string) => void): Promise<Findings> => {
  const rounds: Round[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    const one = await measure()
    rounds.push(one)
    log(
      `${round}/${ROUNDS}: first ${milliseconds(one.first)} ms, second ${milliseconds(one.second)} ms, ` +
        `again ${milliseconds(one.again)} ms, change p50 ${milliseconds(median(one.changes))} ms, ` +
        `idle ${(one.idle * 100).toFixed(2)} %, ${integer(one.memory)} MiB`,
    )
  }
  const all = (of: (round: Round) => number) => rounds.map(of)
  const changes = rounds.flatMap((round) => round.changes)
  const percent = (part: number) => `${(part * 100).toFixed(2)} %`
  const idle = median(all((round) => round.idle))
  const megabytes = integer((FILES * BYTES) / 1e6)
  return {
    title: 'Mirrors: a folder on disk is the shared files',
    method: METHOD,
    tables: [
      {
        caption: `${integer(FILES)} files of ${integer(BYTES)} bytes (${megabytes} MB), ms:`,
        head: ['what', 'median (lowest–highest)'],
        rows: [
          [
            'first mirror: from disk to the server’s disk',
            spread(
              all((r) => r.first),
              milliseconds,
            ),
          ],
          [
            'second mirror: from the server into an empty folder',
            spread(
              all((r) => r.second),
              milliseconds,
            ),
          ],
          [
            'cold start: a new link, and every file compared',
            spread(
              all((r) => r.again),
              milliseconds,
            ),
          ],
        ],
      },
      {
        caption: 'Change on disk → change on the other disk, ms:',
        head: ['changes', 'p50', 'p95', 'slowest'],
        rows: [
          [
            integer(changes.length),
            milliseconds(median(changes)),
            milliseconds(quantile(changes, 0.95)),
            milliseconds(quantile(changes, 1)),
          ],
        ],
      },
      {
        caption: 'The link while nothing happens:',
        head: ['part of a core', 'memory, MiB'],
        rows: [
          [
            spread(
              all((r) => r.idle),
              percent,
            ),
            spread(
              all((r) => r.memory),
              integer,
            ),
          ],
        ],
      },
    ],
    targets: [
      {
        claim: `change on disk → change on the other disk, p50 < ${LIMIT} ms`,
        measured: `${milliseconds(median(changes))} ms`,
        passed: median(changes) < LIMIT,
      },
      {
        claim: `a link with a mirror takes < ${percent(IDLE_LIMIT)} of a core when idle`,
        measured: percent(idle),
        passed: idle < IDLE_LIMIT,
      },
    ],
    samples: {
      'first, ms': all((r) => r.first),
      'second, ms': all((r) => r.second),
      'again, ms': all((r) => r.again),
      'change, ms': changes,
      'idle, part of a core': all((r) => r.idle),
      'memory, MiB': all((r) => r.memory),
    },
  }
}

const METHOD = `Two homes with a link each, both connected to one server, each mirroring a folder of its own. *First* is
\`mirror DIR\` on a full folder and an empty workspace, until the command has ended: everything is fsync'd by the server.
*Second* is the same on an empty folder of the other home, until every file is written and fsync'd there. *Cold start* is a
new link that finds everything as it was. A change is a line appended to one of the files, in turn in the one and the other
folder; it is over when the other folder's file is as long, looked at every ${LOOK} ms. It contains the 40 ms for which a
file must have been left alone before it is read.`
