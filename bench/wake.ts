import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clawlink } from './contenders.ts'
import { type Home, newHome } from './homes.ts'
import { childEnv, tempDir } from './programs.ts'
import { type Findings, milliseconds, type Target } from './report.ts'
import { quantile } from './stats.ts'

const ROUNDS = 60
/** Rounds that do not count. */
const WARM_UP = 3
/** What a message may take beyond the start of a process (ms). */
const LIMIT = 30
/** A process that was started waits for its message after this long, or so many times what `node -e 0` took (ms). */
const SETTLE = 250
const SETTLE_STARTS = 4

const SERIES = [
  '`node -e 0`, from start to exit',
  'floor: a byte to a waiting Node → its exit',
  "send given to the sender's link → `wait` has exited",
  '… → `wait` has printed',
  "… → the sender's link has answered",
  '`clawlink-agent send` started → `wait` has exited',
  'the same less `node -e 0`',
] as const
type Series = (typeof SERIES)[number]
const [TRIVIAL, FLOOR, HOT, PRINTED, ANSWERED, WHOLE, BEYOND] = SERIES

const timeTrivial = async (): Promise<number> => {
  const start = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { env: childEnv, stdio: 'ignore' }), 'exit')
  return performance.now() - start
}

/** Processes that wait on a socket for a byte, print it, and are done. */
const openFloor = async () => {
  const path = join(tempDir(), 'floor.sock')
  const server = createServer()
  server.listen(path)
  await once(server, 'listening')
  const code = `const s = require('net').connect(${JSON.stringify(path)})
    s.on('data', (byte) => { require('fs').writeSync(1, byte); s.destroy() })`
  return {
    time: async (settle: number): Promise<number> => {
      const child = spawn(process.execPath, ['-e', code], {
        env: childEnv,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      child.stdout.resume()
      const [socket] = (await once(server, 'connection')) as [Socket]
      await sleep(settle)
      const exit = once(child, 'exit')
      const start = performance.now()
      socket.write('\n')
      await exit
      return performance.now() - start
    },
    close: () => server.close(),
  }
}

/** Starts `wait`, lets it get to where it waits, and has `send` wake it. Times are since `send` was called. */
const timeWake = async (
  waiter: Home,
  settle: number,
  send: () => Promise<unknown>,
): Promise<{ printed: number; exited: number; answered: number }> => {
  const waiting = waiter.start('wait', '--timeout', '60', '--type', 'direct_message')
  const printing = once(waiting.stdout!, 'data')
  const exiting = once(waiting, 'exit')
  await sleep(settle)
  if (waiting.exitCode !== null) throw new Error('wait did not wait')
  const start = performance.now()
  const since = () => performance.now() - start
  const [answered, printed, exited] = await Promise.all([
    send().then(since),
    printing.then(since),
    exiting.then(([code]) => {
      if (code !== 0) throw new Error(`wait: exit ${code}`)
      return since()
    }),
  ])
  return { printed, exited, answered }
}

const exitOf = async (child: ReturnType<Home['start']>): Promise<void> => {
  child.stdout!.resume()
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`send: exit ${code}`)
}

const p50Below = (claim: string, ms: readonly number[]): Target => ({
  claim: `${claim}: p50 < ${LIMIT} ms`,
  measured: `${milliseconds(quantile(ms, 0.5))} ms`,
  passed: quantile(ms, 0.5) < LIMIT,
})

export const wake = async (log: (line: string) => void): Promise<Findings> => {
  const server = await clawlink.start(tempDir())
  const [sender, waiter] = [newHome(server.port), newHome(server.port)]
  const floor = await openFloor()
  const ms = Object.fromEntries(SERIES.map((name) => [name, [] as number[]])) as {
    [name in Series]: number[]
  }
  try {
    for (const [home, name] of [
      [sender, 'Lead'],
      [waiter, 'Scout'],
    ] as const) {
      await home.up()
      await home.ask('register', '--name', name)
    }
    const words = ['send', '--to', 'Scout', '--content', 'which branch?', '--reset-trace']
    for (let round = -WARM_UP; round < ROUNDS; round++) {
      const trivial = await timeTrivial()
      const settle = Math.max(SETTLE, trivial * SETTLE_STARTS)
      const byte = await floor.time(settle)
      const hot = await timeWake(waiter, settle, () => sender.ask(...words))
      await waiter.ask('poll')
      const whole = await timeWake(waiter, settle, () => exitOf(sender.start(...words)))
      await waiter.ask('poll')
      if (round < 0) continue
      ms[TRIVIAL].push(trivial)
      ms[FLOOR].push(byte)
      ms[HOT].push(hot.exited)
      ms[PRINTED].push(hot.printed)
      ms[ANSWERED].push(hot.answered)
      ms[WHOLE].push(whole.exited)
      ms[BEYOND].push(whole.exited - trivial)
    }
  } finally {
    floor.close()
    for (const home of [sender, waiter]) await home.end('SIGKILL')
    await server.kill()
  }
  const rows = SERIES.map((name) => [
    name,
    milliseconds(quantile(ms[name], 0.5)),
    milliseconds(quantile(ms[name], 0.95)),
    milliseconds(quantile(ms[name], 0)),
  ])
  for (const row of rows) log(row.join(' · '))
  return {
    title: 'Waking',
    method: METHOD,
    tables: [{ caption: `${ROUNDS} rounds`, head: ['ms', 'p50', 'p95', 'lowest'], rows }],
    targets: [
      p50Below("from the sender's link to the exit of `wait`", ms[HOT]),
      p50Below("with the sender's process, less `node -e 0`", ms[BEYOND]),
    ],
    samples: ms,
  }
}

const METHOD = `Two agents, each with a home and a link of its own, on one server; one is blocked in
\`clawlink-agent wait\`, the other sends it a direct message. The clock stops when the operating system reports the
exit of the waiting process; its start was long before and is not in any figure, its output and its exit are. It
starts, first, when \`send\` is written into the socket of the sender's link by a process that runs already: in the
figure are both links, both of their fsyncs, the server and its fsync, and no start of a process. The second time it
starts with the process of \`clawlink-agent send\`: less \`node -e 0\` of the same round that is what waking takes
beyond the start of a process. The floor is a Node that waits on a unix socket, and ends with the first byte: what
printing and exiting costs without any of it.`
