import { member } from '../test/support/auth/members.ts'
import type { AttackJob } from '../test/support/limits/attacker.ts'
import { ATTACKS, type AttackName, type Outcome } from '../test/support/limits/attacks.ts'
import { type HonestPair, honestPair, type Times } from '../test/support/limits/honest.ts'
import { ownerToken, setToken } from '../test/support/server.ts'
import { memoryOf, program, startServer, startWorker, tempDir } from './programs.ts'
import { type Findings, integer, milliseconds, spread, times } from './report.ts'
import { median, pairedRatio, quantile } from './stats.ts'

const ROUNDS = 5
/** Of each measurement (milliseconds). */
const MS = 3_000
/** What the server may grow by (bytes). */
const GROWTH = 400 * 1024 * 1024
const LIMIT = 3
const ATTACK_NAMES = Object.keys(ATTACKS) as AttackName[]

/** A server to attack, and the honest two on it. */
const start = async () => {
  const data = tempDir()
  const server = await startServer([
    ...[program('clawlink-sync'), '--port', '0', '--data', data, '--log-level', 'error'],
  ])
  setToken(server.port, ownerToken(data))
  const url = `http://127.0.0.1:${server.port}`
  return { server, url, sync: `ws://127.0.0.1:${server.port}/sync` }
}
type Target = Awaited<ReturnType<typeof start>>

const p99 = ({ barrier, seen }: Times) => ({
  barrier: quantile(barrier, 0.99),
  seen: quantile(seen, 0.99),
})

export const abuse = async (log: (line: string) => void): Promise<Findings> => {
  const attacker = await startWorker<AttackJob, Outcome>('../test/support/limits/attacker.ts')
  const attacked = await start()
  const beside = await start()
  const { headers } = await member({ url: attacked.url }, 'a-honest000001')
  const honest = await honestPair(`${attacked.sync}/default`, headers)
  const before = memoryOf(attacked.server.pid, 'VmRSS')
  let agents = 0

  const during = async (attack: AttackName, { server, url, sync }: Target, pair: HonestPair) => {
    const agent = `a-attacker${String(++agents).padStart(4, '0')}`
    const { headers } = await member({ url }, agent)
    let isOver = false
    const job = { attack, ms: MS, victim: { url, sync, port: server.port, agent, headers } }
    const attacking = attacker.run(job).finally(() => {
      isOver = true
    })
    const found = await pair.measure(() => isOver, 50)
    return { ...p99(found), outcome: await attacking }
  }

  const rows: string[][] = []
  const samples: Record<string, number[]> = {}
  const over = { quiet: [] as string[], beside: [] as string[] }
  const worst = { quiet: 0, beside: 0 }
  const note = (than: 'quiet' | 'beside', attack: string, ratio: number): void => {
    worst[than] = Math.max(worst[than], ratio)
    if (ratio > LIMIT) over[than].push(`${attack} ${times(ratio)}`)
  }
  for (const attack of ATTACK_NAMES) {
    const found = { quiet: [] as number[], beside: [] as number[], attacked: [] as number[] }
    const seen = { quiet: [] as number[], beside: [] as number[], attacked: [] as number[] }
    let outcome: Outcome = {}
    for (let round = 0; round < ROUNDS; round++) {
      const end = performance.now() + MS
      const quiet = p99(await honest.measure(() => performance.now() > end, 50))
      const other = await during(attack, beside, honest)
      const here = await during(attack, attacked, honest)
      outcome = here.outcome
      for (const [name, one] of Object.entries({ quiet, beside: other, attacked: here })) {
        found[name as keyof typeof found].push(one.barrier)
        seen[name as keyof typeof seen].push(one.seen)
      }
    }
    const ratio = Math.max(
      pairedRatio(found.attacked, found.beside),
      pairedRatio(seen.attacked, seen.beside),
    )
    const plain = Math.max(
      pairedRatio(found.attacked, found.quiet),
      pairedRatio(seen.attacked, seen.quiet),
    )
    note('quiet', attack, plain)
    note('beside', attack, ratio)
    for (const [name, values] of Object.entries(found)) samples[`${attack}: ${name}`] = values
    rows.push([
      attack,
      spread(found.quiet, milliseconds),
      spread(found.beside, milliseconds),
      spread(found.attacked, milliseconds),
      times(plain),
      times(ratio),
      Object.entries(outcome)
        .map(([what, count]) => `${what}: ${integer(count)}`)
        .join(', '),
    ])
    log(`${attack}: ${milliseconds(median(found.attacked))} ms, ${times(plain)}, ${times(ratio)}`)
  }
  const most = memoryOf(attacked.server.pid, 'VmHWM') - before
  await honest.close()
  await attacker.close()
  await Promise.all([attacked.server.stop(), beside.server.stop()])
  return {
    title: 'Abuse',
    method: METHOD,
    tables: [
      {
        caption: `p99 of an edit until it is durable, in ms (${ROUNDS} rounds)`,
        head: [
          'attack',
          'quiet',
          'beside',
          'attacked',
          'over quiet',
          'over beside',
          'what it came to',
        ],
        rows,
      },
    ],
    targets: [
      ...(['quiet', 'beside'] as const).map((than) => ({
        claim: `p99 within ${LIMIT} × under each attack, of ${than === 'quiet' ? 'the quiet one' : 'what the same attack costs from beside'}`,
        measured: `${integer(ATTACK_NAMES.length - over[than].length)} of ${ATTACK_NAMES.length}, at most ${times(worst[than])}${over[than].map((one) => `; not: ${one}`).join('')}`,
        passed: over[than].length === 0,
      })),
      {
        claim: `the server grows by less than ${GROWTH / 1024 / 1024} MiB over all of it, at its most`,
        measured: `${integer(most / 1024 / 1024)} MiB`,
        passed: most < GROWTH,
      },
    ],
    samples,
  }
}

const METHOD = `An honest agent edits a file every 5 ms without waiting for answers, another of its clients reads along, and
one process that has joined as an agent of its own attacks for ${MS / 1000} s: quiet, with the attack on another server beside,
and with the attack on theirs, in turns. The attacker has the processor only while nobody else wants it (SCHED_IDLE), as it would have one of its own
elsewhere; what it still takes of this machine's, and of its network and disk, is seen in "beside", so the last ratio is what the attack
does to the server. The ratios are the larger of two: until the edit is durable, and until the other client has it. An agent whose
frames were refused 10 times, or 10 MiB of them, has to wait (429); each round attacks as a new one. Each attack goes as fast as it can.`
