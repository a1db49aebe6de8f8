import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { childEnv, cpuSeconds } from './programs.ts'
import { type Findings, milliseconds, type Target } from './report.ts'
import { hasScreens, openScreen, type Screen } from './screen.ts'
import { median, quantile } from './stats.ts'
import { AGENTS, fresh, openDesk, RATE, timeKey } from './tui-desk.ts'

const ROUNDS = 150
/** Between two keys, or remote edits: nobody types faster, and frames do not queue (ms). */
const REST = 60
const STARTS = 15
/** How long CPU is looked at (ms). */
const LOOK = 10_000

const KEY_LIMIT = 50
const REMOTE_LIMIT = 120
const BUSY_LIMIT = 0.5
const IDLE_LIMIT = 0.02
const START_LIMIT = 300

/** Part of a core that the process takes over LOOK. */
const load = async (pid: number): Promise<number> => {
  const before = cpuSeconds(pid)
  if (before === null) throw new Error('this benchmark needs /proc')
  const start = performance.now()
  await sleep(LOOK)
  return ((cpuSeconds(pid)! - before) * 1_000) / (performance.now() - start)
}

/** What a key costs that a Node draws at once: the terminal's part of all figures. */
const ECHO = `process.stdin.setRawMode(true)
process.stdin.pipe(process.stdout)
process.stdout.write('ready')`

const openEcho = async (): Promise<Screen> => {
  const screen = await openScreen([process.execPath, '-e', ECHO], childEnv)
  await sleep(1_000)
  return screen
}

const timeTrivial = async (): Promise<number> => {
  const start = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { env: childEnv, stdio: 'ignore' }), 'exit')
  return performance.now() - start
}

export const tui = async (log: (line: string) => void): Promise<Findings> => {
  if (!hasScreens()) throw new Error('tmux is not installed')
  const desk = await openDesk()
  const ms = { floor: [], key: [], remote: [], trivial: [], start: [] } as Record<string, number[]>
  let screen: Screen | null = null
  let echo: Screen | null = null
  let rest = () => {}
  try {
    for (let i = 0; i < STARTS; i++) {
      ms.trivial!.push(await timeTrivial())
      ms.start!.push(await desk.start())
    }
    screen = await desk.openUi()
    await sleep(500)
    const idle = await load(screen.pid)
    const quiet = screen.written()
    await desk.openFile(screen)
    echo = await openEcho()

    rest = desk.work()
    await sleep(2_000)
    const first = desk.agents[0]!
    for (let round = 0; round < ROUNDS; round++) {
      ms.floor!.push(await timeKey(echo))
      await sleep(REST)
      ms.key!.push(await timeKey(screen))
      await sleep(REST)
      const character = fresh()
      const drawn = screen.drawn(character)
      const start = performance.now()
      first.text.insert(first.text.toString().indexOf('line 2:'), character)
      ms.remote!.push((await drawn) - start)
      await sleep(REST)
    }
    const busy = await load(screen.pid)
    log(`idle wrote ${quiet} bytes in all by then`)
    return report(ms, idle, busy, log)
  } finally {
    rest()
    screen?.close()
    echo?.close()
    await desk.close()
  }
}

const report = (
  ms: Record<string, number[]>,
  idle: number,
  busy: number,
  log: (line: string) => void,
): Findings => {
  const row = (name: string, series: readonly number[]): string[] => [
    name,
    ...[0.5, 0.95, 1].map((part) => milliseconds(quantile(series, part))),
  ]
  const rows = [
    row('floor: key → echoed by a bare Node', ms.floor!),
    row('key → drawn in the editor', ms.key!),
    row("another's edit → drawn", ms.remote!),
    row('floor: `node -e 0`', ms.trivial!),
    row('start of `clawlink` → the workspace on the screen', ms.start!),
  ]
  for (const one of rows) log(one.join(' · '))
  const core = (part: number) => `${Math.round(part * 100)} % of a core`
  const below = (claim: string, value: number, limit: number): Target => ({
    claim: `${claim} < ${limit} ms`,
    measured: `${milliseconds(value)} ms`,
    passed: value < limit,
  })
  return {
    title: 'The terminal UI',
    method: METHOD,
    tables: [
      {
        caption: `${AGENTS} agents, ${RATE} changes a second`,
        head: ['ms', 'p50', 'p95', 'most'],
        rows,
      },
      {
        caption: 'CPU of `clawlink`',
        head: ['', 'part of a core'],
        rows: [
          ['nothing happens', core(idle)],
          [`${RATE} changes a second, the file open`, core(busy)],
        ],
      },
    ],
    targets: [
      below('key → drawn, p95', quantile(ms.key!, 0.95), KEY_LIMIT),
      below("another's edit → drawn, p95", quantile(ms.remote!, 0.95), REMOTE_LIMIT),
      below('start → the workspace on the screen, median', median(ms.start!), START_LIMIT),
      {
        claim: `${RATE} changes a second take less than half a core`,
        measured: core(busy),
        passed: busy < BUSY_LIMIT,
      },
      {
        claim: 'while nothing happens it takes next to nothing',
        measured: core(idle),
        passed: idle < IDLE_LIMIT,
      },
    ],
    samples: ms,
  }
}

const METHOD = `\`clawlink\` in a terminal of 120×40 cells (tmux, whose control mode hands over what the program writes as it
writes it), with a file of 400 lines open in the editor, while ${AGENTS} agents (stock y-websocket clients) make ${RATE}
changes a second: edits of that file with their cursors in it, what they are at, broadcasts. A key is typed into the terminal,
and the clock stops when a character that was on the screen nowhere before comes out of it; another's edit is timed from the
call that makes it, so the server, its fsync, the link and its fsync are in it. The floor is a Node that writes what it reads,
in a terminal of the same kind, in turns with the others. A start is timed from the spawn of the terminal to the frame that
shows the workspace, on a link that runs.`
