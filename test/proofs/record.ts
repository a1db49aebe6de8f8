import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seeded } from '../support/client.ts'
import {
  historyOf,
  makeLog,
  rewrittenFrom,
  TAMPERS,
  Tampered,
  verified,
} from '../support/sync-server/tampering.ts'

/**
 * Random logs, each tampered with in every way by somebody who owns the disk and puts checksums right, and the head
 * that one client kept: `npm run proof -- record [RUNS [SEED]]`. Fails if a tampering is not found, or if a log that
 * nobody touched does not verify.
 */
const RECORDS = 24
const [runs = 1_000, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number)

const random = seeded(seed)
const kinds = Object.keys(TAMPERS) as (keyof typeof TAMPERS)[]
const done = new Map<string, number>([...kinds, 'rewrite', 'untouched'].map((kind) => [kind, 0]))
const missed: string[] = []
const count = (kind: string, isRight: boolean, run: number): void => {
  done.set(kind, done.get(kind)! + 1)
  if (!isRight) missed.push(`${kind} in run ${run}`)
}

const dir = mkdtempSync(join(tmpdir(), 'clawlink-record-'))
console.log(`record: SEED=${seed}`)
try {
  for (let run = 0; [...done.values()].some((times) => times < runs); run++) {
    const steps = historyOf(random, RECORDS)
    const place = join(dir, `${run}`)
    const witness = await makeLog(place, steps)
    const { problems, witnesses } = await verified(place, witness)
    count('untouched', problems.length === 0 && witnesses[0]?.proves === 'content', run)
    for (const kind of kinds.filter((kind) => done.get(kind)! < runs)) {
      const copy = join(dir, `${run}-${kind}`)
      const log = await Tampered.open(place, copy)
      const isDone = TAMPERS[kind](log, random)
      await log.close()
      if (isDone) count(kind, (await verified(copy, witness)).problems.length > 0, run)
      rmSync(copy, { recursive: true })
    }
    if (done.get('rewrite')! < runs) {
      const other = join(dir, `${run}-rewrite`)
      const from = Math.floor((random() * steps.length) / 2)
      await makeLog(other, rewrittenFrom(steps, from, random))
      count('rewrite', (await verified(other, witness)).problems.length > 0, run)
      rmSync(other, { recursive: true })
    }
    rmSync(place, { recursive: true })
    if (run % 100 === 99) console.log(Object.fromEntries(done))
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
console.log(Object.fromEntries(done))
if (missed.length > 0) {
  console.error(`${missed.length} wrong: ${missed.slice(0, 20).join(', ')}`)
  process.exitCode = 1
} else console.log('each tampering was found, and each untouched log verified')
