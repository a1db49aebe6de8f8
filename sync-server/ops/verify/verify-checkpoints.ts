import * as decoding from 'lib0/decoding'
import { NameTable } from '../../../lib/attribution/names.ts'
import { digestOf } from '../../../lib/hash-chain.ts'
import { readCheckpointHead } from '../../storage/level-record-log.ts'
import type { LevelUpdateLog } from '../../storage/level-update-log.ts'
import { decodeRecord } from '../../storage/log-record.ts'
import type { StoredCheckpoint } from '../../storage/record-log.ts'
import { docOf } from '../../sync/updates/document.ts'
import { documentDigest } from './document-digest.ts'
import type { Report } from './report.ts'
import type { Bound, FoundChain } from './verify-record.ts'

/**
 * Checks the checkpoints of a chain: each is the one of its entry, and the newest holds what its records hold, as far
 * as these are kept. Resolves to the states from which the rest of the chain is on disk: a witness from position `from`
 * on proves the whole content up to its own.
 */
export const provenBy = async (
  log: LevelUpdateLog,
  found: FoundChain,
  report: Report,
): Promise<{ from: number }[]> => {
  const where = `workspace ${found.workspace}, record`
  const proven: { from: number }[] = []
  const withEntry = found.checkpoints.map((checkpoint) => ({
    checkpoint,
    of: entryOf(found, checkpoint),
  }))
  for (const { checkpoint, of } of withEntry) {
    const { seq, value } = checkpoint
    if (of === undefined || Buffer.compare(of.entry.checkpoint, digestOf(value)) !== 0) {
      if (found.entries.length === 0) continue
      report.problem(where, `the checkpoint at record ${seq} is not the one that was stored`)
    } else if (of.entry.kind === 'base') proven.push({ from: of.entry.seq })
    else if (of.boundAt !== null && found.firstRecord <= seq + 1) proven.push({ from: of.boundAt })
  }
  const newest = withEntry.at(-1)
  const newestEntry = found.entries.findLast(({ entry }) => entry.checkpoint.length > 0)
  if (newestEntry !== undefined && newest?.of !== newestEntry) {
    report.problem(where, `the checkpoint at record ${newestEntry.entry.seq} is missing`)
  }
  if (found.checkpoints.length === 0 || found.firstRecord === 1) proven.push({ from: 0 })
  if (found.entries.length === 0) proven.push({ from: found.begin })
  if (newest?.of?.entry.kind === 'folded') {
    const before = withEntry.length === 2 ? withEntry[0]!.checkpoint : null
    if (newest.of.boundAt === null && !standsOn(found, newest.of, before)) {
      report.problem(
        where,
        `no record binds the checkpoint at record ${newest.checkpoint.seq}, and what it replaced is missing`,
      )
    }
    await report.look(where, () => checkFold(log, found, before, newest.checkpoint))
  }
  return proven
}

/** True if what a checkpoint replaced is on disk, as it is until a record binds the checkpoint. */
const standsOn = (
  { entries, firstRecord }: FoundChain,
  of: Bound,
  before: StoredCheckpoint | null,
): boolean => {
  const earlier = entries
    .slice(0, entries.indexOf(of))
    .findLast(({ entry }) => entry.checkpoint.length > 0)
  if (earlier === undefined) return firstRecord === 1
  const { seq } = earlier.entry
  return before?.seq === seq && firstRecord <= seq + 1 && seq < of.entry.seq
}

const entryOf = ({ entries }: FoundChain, { seq, slot }: StoredCheckpoint): Bound | undefined =>
  entries.findLast(
    ({ entry }) => entry.checkpoint.length > 0 && entry.seq === seq && entry.slot === slot,
  )

/** Throws if a checkpoint is not what the one before it and the records between make, where these are on disk. */
const checkFold = async (
  log: LevelUpdateLog,
  { workspace, firstRecord }: FoundChain,
  before: StoredCheckpoint | null,
  { seq, value }: StoredCheckpoint,
): Promise<void> => {
  const from = before?.seq ?? 0
  if (firstRecord > from + 1 || from === seq) return
  const tail: Uint8Array[] = []
  for await (const record of log.record.records(workspace)) {
    if (record.seq > seq) break
    if (record.seq <= from) continue
    for (const update of decodeRecord(record.value, new NameTable()).updates) tail.push(update)
  }
  const folded = docOf({ checkpoint: before && updateIn(before.value), tail, seq })
  const stored = docOf({ checkpoint: updateIn(value), tail: [], seq })
  const isSame = documentDigest(folded) === documentDigest(stored)
  folded.destroy()
  stored.destroy()
  if (!isSame)
    throw new Error(`the checkpoint at record ${seq} does not hold what its records hold`)
}

const updateIn = (value: Uint8Array): Uint8Array => {
  const decoder = decoding.createDecoder(value)
  readCheckpointHead(decoder)
  return decoding.readTailAsUint8Array(decoder)
}
