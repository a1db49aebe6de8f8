import { DIGEST_BYTES, digestOf, linked, startOf, unpackDigests } from '../../../lib/hash-chain.ts'
import type { Witness } from '../../../protocol/witness.ts'
import { baseHead, type ChainEntry, endOf, splitRecord } from '../../storage/chain.ts'
import type { LevelUpdateLog } from '../../storage/level-update-log.ts'
import type { StoredCheckpoint } from '../../storage/record-log.ts'
import type { Report } from './report.ts'
import { provenBy } from './verify-checkpoints.ts'

/** A checkpoint's entry, and the position of the record that binds it; null: none does. */
export interface Bound {
  entry: ChainEntry
  digest: Uint8Array
  boundAt: number | null
}

/** A workspace's chain, as it was found on disk. */
export interface FoundChain {
  workspace: string
  /** Position of the newest record. */
  end: number
  /** First position whose head is known: 0, or the checkpoint of a log that is older than its chain. */
  begin: number
  entries: Bound[]
  checkpoints: StoredCheckpoint[]
  /** The first record on disk; `end` and 1 for none. Later ones follow without a gap. */
  firstRecord: number
}

/**
 * Checks a workspace's hash chain: its entries, records and checkpoints belong together, and the heads of witnesses are
 * those of the chain.
 */
export const verifyRecord = async (
  log: LevelUpdateLog,
  workspace: string,
  witnesses: readonly Witness[],
  report: Report,
): Promise<void> => {
  const where = `workspace ${workspace}, record`
  const heads = new Map<number, string | null>(witnesses.map(({ seq }) => [seq, null]))
  const found = await report.look(where, () => walk(log, workspace, heads, report))
  if (found === null) return
  report.counts.chained += found.end
  tellEntries(found, report)
  const proven = await provenBy(log, found, report)
  for (const { seq, head } of witnesses) {
    const what = differenceOf(found, seq, head, heads.get(seq) ?? null)
    if (what !== null) {
      report.problem(where, what, WITNESSED)
      continue
    }
    const covers = proven.some(({ from }) => from <= seq)
    report.witnesses.push({ workspace, seq, proves: covers ? 'content' : 'chain' })
  }
}

/** Advice where a witness contradicts the log. */
const WITNESSED =
  'somebody changed the data, or it is not the log that the witness saw: keep a copy, and ask who had access'

const differenceOf = (
  { begin, end, entries }: FoundChain,
  seq: number,
  head: string,
  found: string | null,
): string | null => {
  if (found === head) return null
  const back = entries.findLast(({ entry }) => entry.kind === 'restored' && entry.seq < seq)
  const why =
    back === undefined
      ? ''
      : `; it was restored from a backup at record ${back.entry.seq} on ${dayOf(back.entry.at)}`
  if (seq > end) return `it is cut off at record ${end}; the witness saw record ${seq}${why}`
  if (seq < begin) return `it begins at record ${begin}; the witness saw record ${seq}${why}`
  return `record ${seq} or an earlier one is not the one that the witness saw${why}`
}

const dayOf = (at: number): string => new Date(at).toISOString()

/** Tells what the entries say of the log: where it begins, repairs, restores. */
const tellEntries = ({ workspace, entries }: FoundChain, report: Report): void => {
  for (const { entry } of entries) {
    const { kind, seq, at } = entry
    if (kind === 'folded') continue
    const what = {
      base: `the log is older than its chain, which begins at record ${seq}`,
      repaired: `repaired at record ${seq}: the document was changed without a record`,
      restored: `restored from a backup at record ${seq}: later records of the time before are gone`,
    }[kind]
    report.notes.push(`workspace ${workspace}: ${what} (${dayOf(at)})`)
  }
}

/** Follows the chain through entries and records; sets `heads` at the positions that it has. Throws on a broken chain. */
const walk = async (
  log: LevelUpdateLog,
  workspace: string,
  heads: Map<number, string | null>,
  report: Report,
): Promise<FoundChain> => {
  const checkpoints = await log.record.checkpoints(workspace)
  const chain = new Walk(workspace, heads)
  for await (const { entry, value } of log.record.entries(workspace)) chain.enter(entry, value)
  const [base] = checkpoints
  if (chain.entries.length === 0 && base !== undefined) chain.begin(base)
  let firstRecord: number | null = null
  for await (const { seq, value } of log.record.records(workspace)) {
    firstRecord ??= seq
    chain.meet(seq, value)
  }
  chain.done()
  for (const problem of chain.problems) report.problem(`workspace ${workspace}, record`, problem)
  const { entries, end, first } = chain
  return {
    ...{ workspace, entries, end, begin: first, checkpoints },
    firstRecord: firstRecord ?? end + 1,
  }
}

class Walk {
  readonly entries: Bound[] = []
  readonly problems: string[] = []
  first = 0
  end = 0
  readonly #workspace: string
  readonly #heads: Map<number, string | null>
  #head: Uint8Array
  #folded = 0
  #last = 0

  constructor(workspace: string, heads: Map<number, string | null>) {
    this.#workspace = workspace
    this.#heads = heads
    this.#head = startOf(workspace)
    this.#note(0)
  }

  #note(seq: number): void {
    if (this.#heads.has(seq)) this.#heads.set(seq, Buffer.from(this.#head).toString('hex'))
    this.end = seq
  }

  enter(entry: ChainEntry, value: Uint8Array): void {
    const index = this.entries.length + 1
    const before = this.entries.at(-1)?.digest ?? new Uint8Array(DIGEST_BYTES)
    if (Buffer.compare(entry.before, before) !== 0) {
      this.problems.push(`its entry ${index} does not follow on the one before`)
    }
    if (entry.kind === 'base' && index === 1) {
      this.#start(entry.from, entry.checkpoint)
    } else if (entry.from !== this.#folded) {
      this.problems.push(`its entry ${index} begins at record ${entry.from}, not ${this.#folded}`)
    }
    for (const digest of unpackDigests(entry.digests)) this.#link(digest)
    this.#folded = endOf(entry)
    if (Buffer.compare(entry.head, this.#head) !== 0) {
      this.problems.push(`its entry ${index} has another head than its records`)
    }
    this.entries.push({ entry, digest: digestOf(value), boundAt: null })
  }

  #link(digest: Uint8Array): void {
    this.#head = linked(this.#head, digest)
    this.#note(this.end + 1)
  }

  #start(seq: number, checkpoint: Uint8Array): void {
    this.#head = baseHead(this.#workspace, checkpoint)
    this.#folded = seq
    this.first = seq
    for (const at of this.#heads.keys()) this.#heads.set(at, null)
    this.#note(seq)
  }

  /** A log without a chain yet. */
  begin({ seq, value }: StoredCheckpoint): void {
    this.#start(seq, digestOf(value))
  }

  meet(seq: number, value: Uint8Array): void {
    if (this.#last > 0 && seq !== this.#last + 1) this.problems.push(gap(this.#last + 1, seq - 1))
    this.#last = seq
    const digest = digestOf(value)
    if (seq <= this.#folded) {
      const noted = this.#digestAt(seq)
      if (noted !== null && Buffer.compare(noted, digest) !== 0) {
        this.problems.push(`record ${seq} is not the one that became part of the checkpoint`)
      }
    } else {
      if (seq !== this.end + 1) this.problems.push(gap(this.end + 1, seq - 1))
      this.#link(digest)
    }
    const { binds } = splitRecord(value)
    if (binds === null) return
    const bound = this.entries.find(({ digest }) => Buffer.compare(digest, binds) === 0)
    if (bound === undefined) {
      this.problems.push(`record ${seq} binds an entry that is not there`)
      return
    }
    // It binds the entries before it, too.
    for (const one of this.entries.slice(0, this.entries.indexOf(bound) + 1)) one.boundAt ??= seq
  }

  /** Call after the last record: those that a checkpoint replaced are kept together, or none of them. */
  done(): void {
    if (this.#last > 0 && this.#last < this.#folded) {
      this.problems.push(gap(this.#last + 1, this.#folded))
    }
  }

  #digestAt(seq: number): Uint8Array | null {
    const found = this.entries.find(({ entry }) => entry.from < seq && seq <= endOf(entry))
    if (found === undefined) return null
    const at = (seq - found.entry.from - 1) * DIGEST_BYTES
    return found.entry.digests.subarray(at, at + DIGEST_BYTES)
  }
}

const gap = (from: number, to: number): string =>
  from === to ? `record ${from} is missing` : `records ${from} to ${to} are missing`
