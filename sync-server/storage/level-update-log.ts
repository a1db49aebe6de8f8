import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type Authorship, UNCREDITED } from '../../lib/attribution/runs.ts'
import { GroupCommit } from './group-commit.ts'
import { hasNothing, isSurelyNew } from './has-nothing.ts'
import { Corruption, causeOf } from './integrity/corruption.ts'
import { Conflict, type Db, isStoreFailure, type Store } from './integrity/db.ts'
import { putFormat } from './integrity/format.ts'
import { type Op, seqOf } from './integrity/level-keys.ts'
import { openLevel } from './integrity/open.ts'
import { purgeRecords } from './integrity/purge.ts'
import { sizeIn } from './integrity/sizes.ts'
import { joinedAfter, joinedParts } from './joined/tail.ts'
import { archiveOps, LevelArchive } from './level-archive.ts'
import { LevelAttribution } from './level-attribution.ts'
import { levelFactLog } from './level-fact-log.ts'
import {
  addRecords,
  checkpointKey,
  checkpointsOf,
  type Found,
  LevelRecordLog,
  readCheckpointHead,
  recordKey,
  storedOf,
} from './level-record-log.ts'
import { LevelVersionLog } from './level-version-log.ts'
import { LogEnds } from './log-ends.ts'
import { encodeRecord } from './log-record.ts'
import type { Archivable, FactLog, Joined, Owned, Stored, UpdateLog } from './update-log.ts'

/**
 * Keys are sorted text; values carry a checksum (integrity/checksummed.ts):
 *   `f:`                    format of the database (integrity/format.ts)
 *   `u:<workspace>:<seq>`   record (log-record.ts)
 *   `s:<workspace>`         checkpoint: 1 (format), seq, update; every other one is at `s:<workspace>/1`
 *   `x:<workspace>:<n>`     entry of the record (chain.ts): what stays of records that a checkpoint replaced
 *   `z:<workspace>:<seq>`   joined records (joined/tail.ts)
 *   `w:<workspace>`         the workspace exists
 *   `a:<place>:<seq>`       archived entry, unchanged
 *   `i:<place>:<id>`        seq of the archived entry with this id
 *   (a place is `<workspace>` for broadcasts and `<workspace>/tasks` for tasks; workspace names have no `/`)
 *   `o:<workspace>:<client>` the agent that owns a Yjs client id (UTF-8)
 *   `m:<workspace>:…`       attribution of the records that the checkpoint covers (level-attribution.ts)
 *   `q:`                    search index of the archive (history/find/segments.ts)
 *   `h: v: c:`              versions (level-version-log.ts)
 *   `k: j: n: l: r:`        credentials and members (auth/stored/log.ts)
 *   `e:<hash>`              the workspace of a secret; nodes of a cluster have it (auth/stored/log.ts)
 *   `b: d: p:`              blobs of a cluster (blobs/stored-blobs.ts)
 *   `g:`                    state of HTTP agents (http-agents/records.ts)
 *   `y:`                    undos of files (history/attribution/undos.ts)
 *   `t:`                    checkpoints of workspaces (history/checkpoints/store.ts)
 */
const FORMAT = 1
const utf8 = new TextDecoder()

const checkFormat = (format: number, what: string): void => {
  if (format !== FORMAT) throw new Error(`${what} has format ${format}; this version reads 1`)
}

/** Access to records that are made from others: they are stored durably and together, by the group commit. */
export interface Derived {
  db: Pick<Db, 'get' | 'getMany' | 'iterator' | 'keys'>
  put: (ops: Op[]) => Promise<void>
}

/** Of records without a word about their authors. */
const ANONYMOUS: Authorship = { credits: [], deleted: [] }

/**
 * The update log on an ordered store (LevelDB or PostgreSQL), with group commit: one durable batch is in flight at a time,
 * and all writes that arrive meanwhile, from any workspace, form the next.
 */
export class LevelUpdateLog implements UpdateLog {
  /**
   * Called once when a write fails, before the waiting callers are rejected; can be called again
   * after `recover`.
   */
  onFailed: (error: Error) => void = () => {}
  /** Called after entries of a workspace were archived. */
  onArchived: (workspace: string) => void = () => {}
  readonly versions: LevelVersionLog
  readonly record: LevelRecordLog
  readonly facts: FactLog
  /** For records that are made from others, and can be made again. */
  readonly derived: Derived
  readonly #store: Store
  readonly #db: Db
  readonly #now: () => number
  readonly #ends: LogEnds
  readonly #commits: GroupCommit
  /** Of the records that checkpoints cover. */
  readonly folded: LevelAttribution
  readonly archived: UpdateLog['archived']
  readonly archivedAt: UpdateLog['archivedAt']
  readonly archiveEnd: UpdateLog['archiveEnd']
  readonly archivePosition: UpdateLog['archivePosition']
  readonly attribution: UpdateLog['attribution']
  readonly deletedTexts: UpdateLog['deletedTexts']

  private constructor(store: Store, now: () => number) {
    const { db } = store
    this.#store = store
    this.#db = db
    this.#commits = new GroupCommit(store, (error) => this.onFailed(error))
    this.#now = now
    const put = (ops: Op[]): Promise<void> => this.#commits.put(ops)
    const archive = new LevelArchive(db)
    this.archived = (...of) => archive.page(...of)
    this.archivedAt = (...of) => archive.at(...of)
    this.archiveEnd = (...of) => archive.end(...of)
    this.archivePosition = (...of) => archive.position(...of)
    this.folded = new LevelAttribution(db)
    this.attribution = (...of) => this.folded.read(...of)
    this.deletedTexts = (...of) => this.folded.texts(...of)
    this.versions = new LevelVersionLog(db, put)
    this.record = new LevelRecordLog(db, put, (...upTo) => this.#clear(...upTo), now)
    this.#ends = new LogEnds(db, this.record, this.folded, archive)
    this.facts = levelFactLog(db, put)
    this.derived = { db, put }
  }

  /**
   * Opens or creates the database in `dir`, and upgrades an older format. Rejects with Corruption,
   * with Newer, with Older if `upgrade` is false, or with LevelDB's error; a lock of another
   * process has the cause code `LEVEL_LOCKED`.
   */
  static async open(dir: string, now: () => number, upgrade = true): Promise<LevelUpdateLog> {
    return LevelUpdateLog.on(await openLevel(dir, upgrade), now)
  }

  /** The log on an open store, which it closes. Rejects with Corruption, and closes the store then. */
  static async on(store: Store, now: () => number): Promise<LevelUpdateLog> {
    const log = new LevelUpdateLog(store, now)
    try {
      await log.#checkEnd()
    } catch (error) {
      await log.close()
      throw error
    }
    store.watch((error) => log.#commits.fail(error))
    return log
  }

  /** Throws Corruption if the newest durable record is missing. */
  async #checkEnd(): Promise<void> {
    const key = this.#store.mark.read()
    if (key === null || (await this.#db.get(key)) !== undefined) return
    const workspace = key.slice(2, key.lastIndexOf(':'))
    const seq = await this.load(workspace).then(
      ({ seq }) => seq,
      (error) => {
        // Opening this workspace reports its damage; the other workspaces stay available.
        if (causeOf(error, Corruption) !== null) return seqOf(key)
        throw error
      },
    )
    if (seq < seqOf(key)) {
      throw new Corruption(
        `workspace ${workspace}`,
        `it ends at record ${seq}, and record ${seqOf(key)} was acknowledged`,
      )
    }
  }

  /** The failure of the store; all writes are then rejected until `recover`. null: it works. */
  get failure(): Error | null {
    return this.#commits.failure
  }

  /**
   * After a failed write: closes the database and opens it again. Acknowledged writes are kept, rejected ones are gone;
   * one that rejected with Unknown is stored or gone from now on. Rejects if the database cannot be opened or written;
   * call it again then, unless it rejects with Fenced.
   */
  async recover(): Promise<void> {
    await this.record.settled()
    await this.#commits.settled()
    await this.#store.reopen()
    await this.#checkEnd()
    await putFormat(this.#db)
    this.versions.readAnew()
    this.forget()
    this.#commits.resume()
  }

  /** All entries as stored, checksums included, in key order; without later writes. */
  records(): AsyncIterable<[string, Uint8Array]> {
    return this.#db.iterator({ valueEncoding: 'view' })
  }

  /** Bytes that the records of a workspace take, about; null: the store cannot tell. */
  sizeOf(workspace: string): Promise<number | null> {
    return sizeIn(this.#store, workspace)
  }

  async append(
    workspace: string,
    updates: readonly Uint8Array[],
    archived: readonly Archivable[] = [],
    owned: readonly Owned[] = [],
    facts: readonly Op[] = [],
    { credits, deleted }: Authorship = ANONYMOUS,
  ): Promise<number> {
    const at = this.#now()
    // Without a wait if they are known: records are stored in the order of the calls.
    const found = this.#ends.of(workspace)
    const ends = found instanceof Promise ? await found : found
    this.#ends.check(workspace, ends)
    const { chain, joiner } = ends
    const ops: Op[] = [...facts]
    if (updates.length > 0) {
      const record = {
        at,
        updates,
        credits: updates.map((_, i) => credits[i] ?? UNCREDITED),
        deleted,
      }
      ops.push(...joiner.take(workspace, (seq) => chain.digestAt(seq)))
      const value = chain.append(encodeRecord(record, ends.names))
      ops.push({ type: 'put', key: recordKey(workspace, chain.end), value })
      ops.push(...this.record.entryOps(workspace, chain))
    }
    const seq = chain.end
    if (seq === 1 && updates.length > 0) {
      ops.push({ type: 'put', key: `w:${workspace}`, value: new Uint8Array([FORMAT]) })
    }
    for (const entry of archived) {
      ops.push(...archiveOps(workspace, entry, ++ends.archive[entry.shelf]))
    }
    for (const { client, owner } of owned) {
      ops.push({ type: 'put', key: `o:${workspace}:${client}`, value: Buffer.from(owner) })
    }
    const stored = this.#commits.put(ops)
    // Runs while the disk works.
    chain.digest()
    if (updates.length > 0) joiner.added(seq, updates)
    await stored.catch((error: Error) => {
      // Another process wrote this workspace: its log is read again.
      if (error instanceof Conflict) this.forget(workspace)
      throw error
    })
    chain.stored(seq)
    if (archived.length > 0) this.onArchived(workspace)
    return seq
  }

  /** Forgets what is in memory of one workspace, or of all: another process may have written it. */
  forget(workspace?: string): void {
    this.record.forget(workspace)
    this.#ends.forget(workspace)
  }

  async owners(workspace: string): Promise<Map<number, string>> {
    const found = await this.#db.iterator({ gt: `o:${workspace}:`, lt: `o:${workspace};` }).all()
    const clientIn = (key: string) => Number(key.slice(key.lastIndexOf(':') + 1))
    return new Map(found.map(([key, owner]) => [clientIn(key), utf8.decode(owner)]))
  }

  async load(workspace: string): Promise<Stored> {
    return storedOf(await this.#load(workspace, false))
  }

  async loadJoined(workspace: string): Promise<Joined> {
    const found = await this.#load(workspace, true)
    const isWhole = !found.parts.some(({ isPacked }) => isPacked)
    const tail = joinedParts(found.parts)
    const stored = isWhole || tail !== null ? storedOf(found) : await this.load(workspace)
    const single = isWhole || tail === null ? stored.tail : null
    return { ...stored, tail: tail ?? stored.tail, single }
  }

  /** `joined`: whether joined records take the place of their records. */
  async #load(workspace: string, joined: boolean): Promise<Found> {
    this.#ends.noteEmpty(workspace, false)
    const found: Found = { checkpoint: null, parts: [], seq: 0 }
    if (isSurelyNew(this.#store, workspace)) {
      this.#ends.noteEmpty(workspace, true)
      return found
    }
    const at = { snapshot: this.#db.snapshot() }
    try {
      const newest = (await checkpointsOf(this.#db, workspace, at)).at(-1)
      if (newest !== undefined) {
        const decoder = decoding.createDecoder(newest.value)
        const { format, seq } = readCheckpointHead(decoder)
        checkFormat(format, 'a checkpoint')
        found.seq = seq
        found.checkpoint = decoding.readTailAsUint8Array(decoder)
      }
      const all = joined ? await joinedAfter(this.#db, workspace, found.seq, recordKey, at) : []
      for (const { from, to, packed } of all) {
        await addRecords(this.#db, workspace, found, at, from - 1)
        found.parts.push({ bytes: packed, isPacked: true })
        found.seq = to
      }
      await addRecords(this.#db, workspace, found, at, null)
      const isEmpty = found.seq === 0 && (await hasNothing(this.#db, workspace, at.snapshot))
      if (isEmpty) this.#ends.noteEmpty(workspace, true)
    } catch (error) {
      throw damageIn(`workspace ${workspace}`, error) ?? error
    } finally {
      await at.snapshot.close()
    }
    return found
  }

  async compact(
    workspace: string,
    seq: number,
    checkpoint: Uint8Array,
    kind: 'folded' | 'repaired' = 'folded',
  ): Promise<void> {
    const value = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, FORMAT)
      encoding.writeVarUint(encoder, seq)
      encoding.writeUint8Array(encoder, checkpoint)
    })
    const at = this.#now()
    const ends = await this.#ends.of(workspace)
    const attribution = await this.folded.fold(workspace, seq)
    this.#ends.check(workspace, ends)
    const { chain } = ends
    const { folded, slot, isRetaining } = chain
    chain.fold(seq, value, kind, at)
    const key = checkpointKey(workspace, chain.slot)
    const ops: Op[] = [...attribution, { type: 'put', key, value }]
    ops.push(...ends.joiner.folded(workspace, seq))
    // `load` takes the newer one of two checkpoints, so they never end at the same record.
    if (folded === seq) ops.push({ type: 'del', key: checkpointKey(workspace, slot) })
    await this.#commits.put([...ops, ...this.record.entryOps(workspace, chain)])
    // The records of the checkpoint before stay until a client knows this one (record-log.ts).
    if (isRetaining) await this.#clear(workspace, folded)
  }

  /**
   * Removes the records up to `seq`, which a checkpoint on disk covers; a crash here leaves records that `load` skips.
   */
  async #clear(workspace: string, seq: number): Promise<void> {
    const covered = { gte: `u:${workspace}:`, lte: recordKey(workspace, seq) }
    await this.#db.clear(covered).catch((error: Error) => {
      if (error instanceof Conflict) throw error
      // A deletion is a write, too: writes after a partial one could be lost with it.
      throw this.#commits.fail(error)
    })
  }

  /**
   * Deletes the records of a workspace that nobody reaches, and that nothing writes any more (integrity/purge.ts). Done again
   * after a crash it goes on.
   */
  async purge(workspace: string): Promise<void> {
    await this.record.settled()
    await this.#commits.settled()
    this.forget(workspace)
    await purgeRecords(this.#store, workspace).catch((error: Error) => {
      throw this.#commits.fail(error)
    })
    this.forget(workspace)
  }

  async workspaces(): Promise<string[]> {
    const keys = await this.#db.keys({ gte: 'w:', lt: 'w;' }).all()
    return keys.map((key) => key.slice(2))
  }

  async close(): Promise<void> {
    await this.record.settled()
    await this.#commits.settled()
    await this.#store.close()
  }
}

/** The damage behind an error in reading a workspace; null if the store could not read at all. */
const damageIn = (of: string, error: unknown): Corruption | null => {
  const damage = causeOf(error, Corruption)
  if (damage?.where === of) return damage
  const { code, message } = error as { code?: string; message: string }
  if (damage === null && isStoreFailure(error) && code !== 'LEVEL_CORRUPTION') return null
  return new Corruption(of, damage?.message ?? message)
}
