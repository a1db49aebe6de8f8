import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import * as Y from 'yjs'
import { digestOf } from '../../../lib/hash-chain.ts'
import type { Witness } from '../../../protocol/witness.ts'
import { Report } from '../../../sync-server/ops/verify/report.ts'
import { verifyRecord } from '../../../sync-server/ops/verify/verify-record.ts'
import { decodeEntry, encodeEntry, splitRecord } from '../../../sync-server/storage/chain.ts'
import { seal, unsealed } from '../../../sync-server/storage/integrity/checksummed.ts'
import { HIGH_WATER_MARK_FILE } from '../../../sync-server/storage/integrity/high-water-mark.ts'
import { seqKey } from '../../../sync-server/storage/integrity/level-keys.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'

export const WORKSPACE = 'w'
/** Bytes of each text that a history inserts; ASCII, so that one can take another's place. */
const WORD = 8

/** What to do to a log: records to append, checkpoints to store, heads to hand out. */
export type Step =
  | { do: 'append'; updates: Uint8Array[] }
  | { do: 'compact'; checkpoint: Uint8Array }
  | { do: 'handOut' }

const word = (random: () => number): string =>
  Array.from({ length: WORD }, () => String.fromCharCode(97 + Math.floor(random() * 26))).join('')

/** A random history of a log: writers insert and delete, with checkpoints and heads between. */
export const historyOf = (random: () => number, records: number): Step[] => {
  const steps: Step[] = []
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  const writers = [1, 2, 3].map((clientID) => {
    const writer = new Y.Doc()
    writer.clientID = clientID
    return writer
  })
  for (let record = 0; record < records; record++) {
    updates.length = 0
    for (let left = 1 + Math.floor(random() * 2); left > 0; left--) {
      const writer = writers[Math.floor(random() * writers.length)]!
      Y.applyUpdate(writer, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(writer)))
      const before = Y.encodeStateVector(writer)
      const text = writer.getText('file:f')
      const at = Math.floor(random() * (text.length + 1))
      if (random() < 0.25 && at < text.length) text.delete(at, Math.min(5, text.length - at))
      else text.insert(at, word(random))
      const update = Y.encodeStateAsUpdate(writer, before)
      Y.applyUpdate(doc, update)
      updates.push(update)
    }
    steps.push({ do: 'append', updates: [...updates] })
    if (random() < 0.5) steps.push({ do: 'handOut' })
    if (random() < 0.12) {
      steps.push({ do: 'compact', checkpoint: Y.encodeStateAsUpdate(doc) })
      if (random() < 0.5) steps.push({ do: 'handOut' })
    }
  }
  return steps
}

/** The history with other words from a step on, which fit in everything else. */
export const rewrittenFrom = (
  steps: readonly Step[],
  from: number,
  random: () => number,
): Step[] => {
  const doc = new Y.Doc()
  const other = new Map<string, string>()
  const rewrite = (bytes: Uint8Array): Uint8Array => {
    let text = Buffer.from(bytes).toString('latin1')
    for (const [was, is] of other) text = text.replaceAll(was, is)
    return Buffer.from(text, 'latin1')
  }
  return steps.map((step, i) => {
    if (i >= from && step.do === 'append' && other.size === 0) {
      const found = step.updates.map((update) =>
        /[a-z]{8}/.exec(Buffer.from(update).toString('latin1')),
      )
      for (const match of found) if (match !== null) other.set(match[0], word(random))
    }
    if (step.do === 'append') {
      const updates = step.updates.map(rewrite)
      for (const update of updates) Y.applyUpdate(doc, update)
      return { do: 'append', updates }
    }
    if (step.do === 'compact') return { do: 'compact', checkpoint: Y.encodeStateAsUpdate(doc) }
    return step
  })
}

/** Makes a log of a history. Returns the newest head that was handed out, at its end. */
export const makeLog = async (place: string, steps: readonly Step[]): Promise<Witness> => {
  const log = await LevelUpdateLog.open(place, () => 1_700_000_000_000)
  await log.record.open(WORKSPACE)
  let seq = 0
  for (const step of steps) {
    if (step.do === 'append') seq = await log.append(WORKSPACE, step.updates)
    else if (step.do === 'compact') await log.compact(WORKSPACE, seq, step.checkpoint)
    else log.record.handOut(WORKSPACE)
  }
  const newest = log.record.handOut(WORKSPACE)!
  await log.close()
  const head = Buffer.from(newest.head).toString('hex')
  return { workspace: WORKSPACE, seq: newest.seq, head, at: '' }
}

/** What verification says of a log. */
export const verified = async (place: string, witness: Witness): Promise<Report> => {
  const log = await LevelUpdateLog.open(place, Date.now, false)
  const report = new Report()
  await verifyRecord(log, WORKSPACE, [witness], report).finally(() => log.close())
  return report
}

/** A log as an attacker has it who owns the disk: values without checksums, which are put right again. */
export class Tampered {
  readonly #db: Level<string, Uint8Array>
  readonly values = new Map<string, Uint8Array>()
  readonly #before: ReadonlySet<string>

  private constructor(db: Level<string, Uint8Array>, all: [string, Uint8Array][]) {
    this.#db = db
    for (const [key, value] of all) this.values.set(key, unsealed(value)!)
    this.#before = new Set(this.values.keys())
  }

  /** A copy of a log. */
  static async open(from: string, to: string): Promise<Tampered> {
    cpSync(from, to, { recursive: true })
    rmSync(join(to, HIGH_WATER_MARK_FILE), { force: true })
    const db = new Level<string, Uint8Array>(to, { valueEncoding: 'view' })
    await db.open()
    return new Tampered(db, await db.iterator().all())
  }

  keys(kind: 'u' | 's' | 'x'): string[] {
    return [...this.values.keys()].filter((key) => key.startsWith(`${kind}:`)).sort()
  }

  /** The entry that no record binds yet: nobody has a head that covers it. */
  unbound(): string[] {
    const bound = this.keys('u').map((key) => splitRecord(this.values.get(key)!).binds)
    const newest = this.keys('x').at(-1)
    if (newest === undefined) return []
    const digest = digestOf(this.values.get(newest)!)
    const isBound = bound.some((binds) => binds !== null && Buffer.compare(binds, digest) === 0)
    return isBound ? [] : [newest]
  }

  async close(): Promise<void> {
    const gone = [...this.#before].filter((key) => !this.values.has(key))
    await this.#db.batch([
      ...gone.map((key) => ({ type: 'del' as const, key })),
      ...[...this.values].map(([key, value]) => ({
        type: 'put' as const,
        key,
        value: seal(value),
      })),
    ])
    await this.#db.close()
  }
}

/** Changes a log; false: this log has no place for it. */
type Tamper = (log: Tampered, random: () => number) => boolean

const pick = <T>(list: readonly T[], random: () => number): T =>
  list[Math.floor(random() * list.length)]!

/** Ways to tamper with a log whose owner also puts checksums right. A whole rewrite is `rewrittenFrom`. */
export const TAMPERS: Readonly<Record<'flip' | 'swap' | 'cut' | 'replay' | 'checkpoint', Tamper>> =
  {
    flip: (log, random) => {
      const safe = log.unbound()
      const kind = pick(['u', 's', 'x'] as const, random)
      const keys = log.keys(kind).filter((key) => !safe.includes(key))
      if (keys.length === 0) return false
      const key = pick(keys, random)
      const value = Uint8Array.from(log.values.get(key)!)
      value[Math.floor(random() * value.length)]! ^= 1 << Math.floor(random() * 8)
      log.values.set(key, value)
      return true
    },
    swap: (log, random) => {
      const keys = log.keys('u')
      if (keys.length < 2) return false
      const [a, b] = [pick(keys, random), pick(keys, random)]
      const [first, second] = [log.values.get(a)!, log.values.get(b)!]
      if (Buffer.compare(first, second) === 0) return false
      log.values.set(a, second)
      log.values.set(b, first)
      return true
    },
    cut: (log, random) => {
      const keys = log.keys('u')
      if (keys.length === 0) return false
      const from = Math.floor(random() * keys.length)
      for (const key of keys.slice(from)) log.values.delete(key)
      // Back to a state before the newest checkpoint, where what it replaced is still there.
      if (log.keys('s').length === 2 && random() < 0.5) {
        const newest = decodeEntry(log.values.get(log.keys('x').at(-1)!)!)
        log.values.delete(newest.slot === 0 ? `s:${WORKSPACE}` : `s:${WORKSPACE}/1`)
        log.values.delete(log.keys('x').at(-1)!)
      }
      return true
    },
    replay: (log, random) => {
      const keys = log.keys('u')
      if (keys.length === 0) return false
      const again = log.values.get(pick(keys, random))!
      const at = Math.floor(random() * keys.length)
      const later = keys.slice(at).map((key) => log.values.get(key)!)
      const first = Number.parseInt(keys[at]!.split(':')[2]!, 16)
      for (const [i, value] of [again, ...later].entries()) {
        log.values.set(seqKey(`u:${WORKSPACE}`, first + i), value)
      }
      return later.length > 0 && Buffer.compare(again, later[0]!) !== 0
    },
    checkpoint: (log, random) => {
      const key = log.keys('x').at(-1)
      if (key === undefined) return false
      const entry = decodeEntry(log.values.get(key)!)
      const place = entry.slot === 0 ? `s:${WORKSPACE}` : `s:${WORKSPACE}/1`
      const text = Buffer.from(log.values.get(place)!).toString('latin1')
      const found = /[a-z]{8}/.exec(text)
      if (found === null) return false
      const other = Buffer.from(text.replace(found[0], word(random)), 'latin1')
      log.values.set(place, other)
      log.values.set(key, encodeEntry({ ...entry, checkpoint: digestOf(other) }))
      return true
    },
  }
