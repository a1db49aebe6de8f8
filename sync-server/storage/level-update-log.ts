import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { NameTable } from '../../lib/attribution/names.ts'
import { type Authorship, type DeletedText, NOBODY } from '../../lib/attribution/runs.ts'
import { GroupCommit } from './group-commit.ts'
import { Corruption, causeOf } from './integrity/corruption.ts'
import { putFormat } from './integrity/format.ts'
import { HighWaterMark } from './integrity/high-water-mark.ts'
import { type Op, seqKey, seqOf } from './integrity/level-keys.ts'
import { type Db, openDb, reopenDb } from './integrity/open.ts'
import { LevelAttribution } from './level-attribution.ts'
import { LevelVersionLog } from './level-version-log.ts'
import { decodeRecord, encodeRecord } from './log-record.ts'
import type {
  Archivable,
  AttributionMap,
  FactLog,
  Owned,
  Shelf,
  Stored,
  UpdateLog,
} from './update-log.ts'

/**
 * Keys are sorted text; values carry a checksum (integrity/checksummed.ts):
 *   `f:`                    format of the database (integrity/format.ts)
 *   `u:<workspace>:<seq>`   record (log-record.ts)
 *   `s:<workspace>`         checkpoint: 1 (format), seq, update
 *   `w:<workspace>`         the workspace exists
 *   `a:<place>:<seq>`       archived entry, unchanged
 *   `i:<place>:<id>`        seq of the archived entry with this id
 *   (a place is `<workspace>` for broadcasts and `<workspace>/tasks` for tasks; workspace names have no `/`)
 *   `o:<workspace>:<client>` the agent that owns a Yjs client id (UTF-8)
 *   `m:<workspace>:…`       attribution of the records that the checkpoint covers (level-attribution.ts)
 *   `h: v: c:`              versions (level-version-log.ts)
 *   `k: j: n: l: r:`        credentials and members (auth/stored/log.ts)
 *   `g:`                    state of HTTP agents (http-agents/records.ts)
 */
const FORMAT = 1
const utf8 = new TextDecoder()

const placeOf = (workspace: string, shelf: Shelf): string =>
  shelf === 'broadcasts' ? workspace : `${workspace}/${shelf}`

const keyOf = (kind: 'u' | 'a', workspace: string, seq: number): string =>
  seqKey(`${kind}:${workspace}`, seq)

const readFormat = (decoder: decoding.Decoder, what: string): void => {
  const format = decoding.readVarUint(decoder)
  if (format !== FORMAT) throw new Error(`${what} has format ${format}; this version reads 1`)
}

/** Of records without a word about their authors. */
const ANONYMOUS: Authorship = { credits: [], deleted: [] }

const encodeSeq = (seq: number): Uint8Array =>
  encoding.encode((encoder) => encoding.writeVarUint(encoder, seq))

/** Positions of a workspace's newest record and archived entries, pending ones included. */
interface Ends {
  record: number
  archive: { [S in Shelf]: number }
  /** The names in the records. */
  names: NameTable
}

/**
 * The update log on LevelDB, with group commit: one fsynced batch is in flight at a time, and all
 * writes that arrive meanwhile, from any workspace, form the next.
 */
export class LevelUpdateLog implements UpdateLog {
  /**
   * Called once when a write fails, before the waiting callers are rejected; can be called again
   * after `recover`.
   */
  onFailed: (error: Error) => void = () => {}
  readonly versions: LevelVersionLog
  readonly facts: FactLog
  readonly #db: Db
  readonly #highWaterMark: HighWaterMark
  readonly #now: () => number
  /** By workspace, filled on first use. */
  readonly #ends = new Map<string, Ends>()
  readonly #finding = new Map<string, Promise<Ends>>()
  readonly #commits: GroupCommit
  readonly #attribution: LevelAttribution

  private constructor(db: Db, highWaterMark: HighWaterMark, now: () => number) {
    this.#db = db
    this.#highWaterMark = highWaterMark
    this.#commits = new GroupCommit(db, highWaterMark, (error) => this.onFailed(error))
    this.#now = now
    this.#attribution = new LevelAttribution(db)
    this.versions = new LevelVersionLog(db, (ops) => this.#commits.put(ops))
    this.facts = {
      get: async (key) => {
        const value = await db.get(key)
        return value === undefined ? null : JSON.parse(utf8.decode(value))
      },
      entries: async (prefix) => {
        const found = await db.iterator({ gte: prefix, lt: `${prefix}\uffff` }).all()
        return found.map(([key, value]) => ({ key, json: JSON.parse(utf8.decode(value)) }))
      },
      put: (ops) => this.#commits.put(ops),
    }
  }

  /**
   * Opens or creates the database in `dir`, and upgrades an older format. Rejects with Corruption,
   * with Newer, with Older if `upgrade` is false, or with LevelDB's error; a lock of another
   * process has the cause code `LEVEL_LOCKED`.
   */
  static async open(dir: string, now: () => number, upgrade = true): Promise<LevelUpdateLog> {
    const db = await openDb(dir, upgrade)
    const highWaterMark = new HighWaterMark(dir)
    const log = new LevelUpdateLog(db, highWaterMark, now)
    try {
      await log.#checkEnd()
    } catch (error) {
      await log.close()
      throw error
    }
    return log
  }

  /** Throws Corruption if the newest durable record is missing. */
  async #checkEnd(): Promise<void> {
    const key = this.#highWaterMark.read()
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

  /** True after a failed write; all writes are then rejected until `recover`. */
  get failed(): boolean {
    return this.#commits.failure !== null
  }

  /**
   * After a failed write: closes the database and opens it again, which drops a partial write.
   * Rejected writes are gone, acknowledged ones are kept. Rejects if the database cannot be opened
   * or written; call it again then.
   */
  async recover(): Promise<void> {
    await this.#commits.settled()
    await reopenDb(this.#db)
    await this.#checkEnd()
    await putFormat(this.#db)
    this.#ends.clear()
    this.#finding.clear()
    this.#commits.resume()
  }

  /**
   * All current entries as stored, checksums included, in key order. Later writes are not included.
   */
  records(): AsyncIterable<[string, Uint8Array]> {
    return this.#db.iterator<string, Uint8Array>({ valueEncoding: 'view' })
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
    const ends = this.#ends.get(workspace) ?? (await this.#findEnds(workspace))
    const ops: Op[] = [...facts]
    if (updates.length > 0) {
      const key = keyOf('u', workspace, ++ends.record)
      const record = { at, updates, credits: updates.map((_, i) => credits[i] ?? NOBODY), deleted }
      ops.push({ type: 'put', key, value: encodeRecord(record, ends.names) })
    }
    const seq = ends.record
    if (seq === 1 && updates.length > 0) {
      ops.push({ type: 'put', key: `w:${workspace}`, value: new Uint8Array([FORMAT]) })
    }
    for (const { shelf, id, value } of archived) {
      const position = ++ends.archive[shelf]
      const place = placeOf(workspace, shelf)
      ops.push({ type: 'put', key: keyOf('a', place, position), value })
      if (id === null) continue
      ops.push({ type: 'put', key: `i:${place}:${id}`, value: encodeSeq(position) })
    }
    for (const { client, owner } of owned) {
      ops.push({ type: 'put', key: `o:${workspace}:${client}`, value: Buffer.from(owner) })
    }
    await this.#commits.put(ops)
    return seq
  }

  async owners(workspace: string): Promise<Map<number, string>> {
    const found = await this.#db.iterator({ gt: `o:${workspace}:`, lt: `o:${workspace};` }).all()
    const clientIn = (key: string) => Number(key.slice(key.lastIndexOf(':') + 1))
    return new Map(found.map(([key, owner]) => [clientIn(key), utf8.decode(owner)]))
  }

  /** Finds the ends of a workspace's log and archive, once. */
  #findEnds(workspace: string): Promise<Ends> {
    const finding = this.#finding.get(workspace)
    if (finding !== undefined) return finding
    const find = async (): Promise<Ends> => {
      const names = await this.#attribution.names(workspace)
      const { seq } = await this.#load(workspace, names)
      const archive = {
        broadcasts: await this.archiveEnd(workspace, 'broadcasts'),
        tasks: await this.archiveEnd(workspace, 'tasks'),
      }
      const ends = { record: seq, archive, names }
      this.#ends.set(workspace, ends)
      return ends
    }
    const found = find()
    this.#finding.set(workspace, found)
    return found
  }

  load(workspace: string): Promise<Stored> {
    return this.#load(workspace, new NameTable())
  }

  /** Adds the names in the records to `names`. */
  async #load(workspace: string, names: NameTable): Promise<Stored> {
    const stored: Stored = { checkpoint: null, tail: [], seq: 0 }
    const of = `workspace ${workspace}`
    const snapshot = this.#db.snapshot()
    try {
      const value = await this.#db.get(`s:${workspace}`, { snapshot })
      if (value !== undefined) {
        const decoder = decoding.createDecoder(value)
        readFormat(decoder, 'a checkpoint')
        stored.seq = decoding.readVarUint(decoder)
        stored.checkpoint = decoding.readTailAsUint8Array(decoder)
      }
      const after = { gt: keyOf('u', workspace, stored.seq), lt: `u:${workspace};`, snapshot }
      for await (const [key, record] of this.#db.iterator(after)) {
        if (seqOf(key) !== stored.seq + 1) throw missing(workspace, stored.seq + 1, seqOf(key) - 1)
        for (const update of decodeRecord(record, names).updates) stored.tail.push(update)
        stored.seq++
      }
      if (stored.seq === 0 && (await this.#db.get(`w:${workspace}`, { snapshot })) !== undefined) {
        throw new Corruption(of, 'all of it is missing')
      }
    } catch (error) {
      throw damageIn(of, error) ?? error
    } finally {
      await snapshot.close()
    }
    return stored
  }

  async compact(workspace: string, seq: number, checkpoint: Uint8Array): Promise<void> {
    const value = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, FORMAT)
      encoding.writeVarUint(encoder, seq)
      encoding.writeUint8Array(encoder, checkpoint)
    })
    const folded = await this.#attribution.fold(workspace, seq)
    await this.#commits.put([{ type: 'put', key: `s:${workspace}`, value }, ...folded])
    // Records are deleted only after the checkpoint is on disk; a crash here leaves records that
    // `load` skips.
    const covered = { gte: `u:${workspace}:`, lte: keyOf('u', workspace, seq) }
    await this.#db.clear(covered).catch((error: Error) => {
      // A deletion is a write, too: writes after a partial one could be lost with it.
      throw this.#commits.fail(error)
    })
  }

  attribution(workspace: string, clients: ReadonlySet<number> | null): Promise<AttributionMap> {
    return this.#attribution.read(workspace, clients)
  }

  deletedTexts(workspace: string, root: string): Promise<Omit<DeletedText, 'root'>[]> {
    return this.#attribution.texts(workspace, root)
  }

  async archived(workspace: string, shelf: Shelf, after: number, limit: number, bytes = Infinity) {
    const found: { seq: number; value: Uint8Array }[] = []
    const place = placeOf(workspace, shelf)
    const range = { gt: keyOf('a', place, after), lt: `a:${place};`, limit }
    let left = bytes
    for await (const [key, value] of this.#db.iterator(range)) {
      found.push({ seq: seqOf(key), value })
      left -= value.length
      if (left <= 0) break
    }
    return found
  }

  async archiveEnd(workspace: string, shelf: Shelf): Promise<number> {
    const place = placeOf(workspace, shelf)
    const range = { gt: `a:${place}:`, lt: `a:${place};`, reverse: true, limit: 1 }
    const [newest] = await this.#db.keys(range).all()
    return newest === undefined ? 0 : seqOf(newest)
  }

  async archivePosition(workspace: string, shelf: Shelf, id: string): Promise<number | null> {
    const value = await this.#db.get(`i:${placeOf(workspace, shelf)}:${id}`)
    return value === undefined ? null : decoding.readVarUint(decoding.createDecoder(value))
  }

  async workspaces(): Promise<string[]> {
    const keys = await this.#db.keys({ gte: 'w:', lt: 'w;' }).all()
    return keys.map((key) => key.slice(2))
  }

  async close(): Promise<void> {
    await this.#commits.settled()
    await this.#db.close()
    this.#highWaterMark.close()
  }
}

/** The damage behind an error in reading a workspace; null if LevelDB could not read at all. */
const damageIn = (of: string, error: unknown): Corruption | null => {
  const damage = causeOf(error, Corruption)
  if (damage?.where === of) return damage
  const { code, message } = error as { code?: string; message: string }
  if (damage === null && code?.startsWith('LEVEL_') && code !== 'LEVEL_CORRUPTION') return null
  return new Corruption(of, damage?.message ?? message)
}

const missing = (workspace: string, from: number, to: number): Corruption =>
  new Corruption(
    `workspace ${workspace}`,
    from === to ? `record ${from} is missing` : `records ${from} to ${to} are missing`,
  )
