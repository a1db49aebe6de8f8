import * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import { reauthor } from '../../workspace/document/reauthor.ts'
import type { Json } from '../../workspace/document/schema.ts'
import { type Opened, unusable } from './opening.ts'
import {
  type Cursor,
  type Database,
  entry,
  type Lease,
  putJson,
  range,
  type Write,
} from './stored.ts'

/** The log is folded into the checkpoint once it is larger than the checkpoint and than this many bytes, */
const LOG_BYTES = 256 * 1024
/** or has this many entries; each costs a read at every start. */
const LOG_ENTRIES = 500

const openedAnew = (): ClawError =>
  new ClawError(
    'busy',
    'another agent has taken the Yjs client id of this replica, which takes a new one',
    'give the same command again',
  )

/**
 * A document on disk. One process at a time has it: LevelDB's lock, which the kernel drops with the process. Changes are
 * staged in memory and written by `commit`, in one fsynced batch with every update of the document since the last one:
 * staged writes and a change of the document in the same tick are on disk together or not at all. The client id is
 * leased to this folder and is on disk before its first operation; in doubt a new one is taken.
 */
export abstract class StoredDocument {
  readonly doc: Y.Doc
  protected readonly db: Database
  readonly #lease: Lease
  #next: number
  #logBytes: number
  #checkpointBytes: number
  #updates: Uint8Array[] = []
  #staged: Write[] = []
  #isUrgent = false
  /** The first clock under the document's client id at which this replica wrote nothing. */
  #end: number
  /** Nothing is stored any more: the replica has to be opened again. */
  #isFrozen = false
  #isLeaseNew = false
  readonly #records: Map<string, Json>
  #written: Promise<void> = Promise.resolve()
  #closed: Promise<void> | null = null

  protected constructor(opened: Opened) {
    this.doc = opened.doc
    this.db = opened.db
    this.#lease = opened.lease
    this.#records = opened.records
    this.#next = opened.next
    this.#logBytes = opened.logBytes
    this.#checkpointBytes = opened.checkpointBytes
    this.#end = Y.getState(opened.doc.store, opened.doc.clientID)
    this.doc.on('afterTransactionCleanup', () => this.#followClientId())
    this.doc.on('update', (update, _origin, _doc, { local }: Y.Transaction) => {
      if (this.#isFrozen) return
      this.#updates.push(update)
      if (!local) return
      this.#isUrgent = true
      this.#end = Y.getState(this.doc.store, this.doc.clientID)
    })
  }

  /** Writes to add to the next commit; called once per commit. Null: there is nothing to write. */
  protected abstract moved(): Write | null
  /** Takes the commit's side work: writes that need the database, and a call once all is on disk. */
  protected abstract committing(): { writes: () => Promise<Write[]>; done: () => void }
  /** The inbox's cursor after the client id changed from `taken` to that of `doc`. */
  protected abstract cursorIn(doc: Y.Doc, taken: number): Cursor | null

  /**
   * Writes every update of the document and everything staged since the last commit as one batch. Resolves when
   * that, and every commit before, is fsync'd. After a failure every later commit fails, too.
   */
  commit(): Promise<void> {
    const { doc } = this
    if (this.#isFrozen) return Promise.reject(openedAnew())
    const moved = this.moved()
    if (this.#updates.length + this.#staged.length === 0 && moved === null) return this.#written
    const batch = this.#staged
    if (moved !== null) batch.push(moved)
    this.#isUrgent = false
    const first = this.#lease.first
    for (const update of this.#updates) {
      this.#logBytes += update.length
      batch.push({ type: 'put', key: entry('u:', this.#next++), value: update })
    }
    if (
      this.#logBytes > Math.max(LOG_BYTES, this.#checkpointBytes) ||
      this.#next - first > LOG_ENTRIES
    ) {
      const checkpoint = Y.encodeStateAsUpdate(doc)
      for (let i = first; i < this.#next; i++) batch.push({ type: 'del', key: entry('u:', i) })
      batch.push({ type: 'put', key: 'checkpoint', value: checkpoint })
      this.#lease.first = this.#next
      this.#checkpointBytes = checkpoint.length
      this.#logBytes = 0
    }
    if (this.#isLeaseNew || first !== this.#lease.first) {
      this.#isLeaseNew = false
      batch.push(putJson('lease', this.#lease))
    }
    this.#updates = []
    this.#staged = []
    const { writes, done } = this.committing()
    this.#written = this.#written.then(async () => {
      try {
        batch.push(...(await writes()))
        await this.db.batch(batch, { sync: true })
      } catch (cause) {
        throw unusable(this.db.location, cause)
      }
      done()
    })
    return this.#written
  }

  /**
   * Called where operations came in under this replica's client id that are not its own: it takes nothing in any more, and is
   * to be opened anew after `takeNewId`. Null: it goes on under the id that Yjs takes then.
   */
  onTaken: ((client: number) => void) | null = null

  /** Yjs takes a new client id when it meets operations under its own that it does not know. */
  #followClientId(): void {
    const { clientId } = this.#lease
    if (this.doc.clientID === clientId || this.#isFrozen) return
    if (this.onTaken === null) {
      this.#lease.clientId = this.doc.clientID
      this.#end = Y.getState(this.doc.store, this.doc.clientID)
      this.#isLeaseNew = true
      return
    }
    // Earlier changes are stored. The new ones collide with the replica's own, and are dropped.
    this.commit().catch(() => {}) // the next one fails, too, and says why
    this.#isFrozen = true
    this.onTaken(clientId)
  }

  /** True if it has operations under this client id that can be moved to another. */
  wroteUnder(client: number): boolean {
    return client === this.#lease.clientId && this.#end > 0 && this.record('stuck-id') !== client
  }

  /**
   * Moves this replica to a new client id after another agent took its own: writes all operations
   * that the server lacks under the new id, on top of the server's state, in one batch. False if
   * that is impossible. The replica then has to be opened again.
   */
  async takeNewId(server: Uint8Array): Promise<boolean> {
    const taken = this.#lease.clientId
    const local = this.#isFrozen ? await this.#stored() : this.doc
    // No await from here to the end: no write may come in between.
    const before = this.#isFrozen ? this.#written : this.commit()
    const doc = reauthor(local, server, { client: taken, end: this.#end }, new Y.Doc().clientID)
    if (doc === null) {
      await this.db.batch([putJson('r:stuck-id', taken)], { sync: true })
      return false
    }
    this.#isFrozen = true
    await before
    const { clientID: clientId } = doc
    const batch: Write[] = [
      { type: 'put', key: 'checkpoint', value: Y.encodeStateAsUpdate(doc) },
      putJson('lease', { ...this.#lease, clientId, first: this.#next }),
      putJson('r:taken-ids', [...(this.record<number[]>('taken-ids') ?? []), taken]),
    ]
    for (let i = this.#lease.first; i < this.#next; i++) {
      batch.push({ type: 'del', key: entry('u:', i) })
    }
    const cursor = this.cursorIn(doc, taken)
    if (cursor !== null) batch.push(putJson('cursor', cursor))
    doc.destroy()
    await this.db.batch(batch, { sync: true })
    return true
  }

  /** Reads the document from disk. */
  async #stored(): Promise<Y.Doc> {
    await this.#written
    const doc = new Y.Doc()
    const checkpoint = await this.db.get('checkpoint')
    const log = await this.db.iterator(range('u:')).all()
    doc.transact(() => {
      if (checkpoint !== undefined) Y.applyUpdate(doc, checkpoint)
      for (const [, update] of log) Y.applyUpdate(doc, update)
    })
    return doc
  }

  /** True if a state vector covers an id that this replica had to give up. */
  knowsTaken(vector: Uint8Array): boolean {
    const known = Y.decodeStateVector(vector)
    return (this.record<number[]>('taken-ids') ?? []).some((client) => known.has(client))
  }

  /**
   * True if a commit would write data that the server does not have: own operations, messages,
   * staged writes of commands. Others' operations and the inbox's cursor can be fetched again.
   */
  get isUrgent(): boolean {
    return this.#isUrgent
  }

  protected stage(...writes: Write[]): void {
    this.#staged.push(...writes)
    this.#isUrgent = true
  }

  /** The folder and machine that client ids are leased for: a copy of the replica is somewhere else. */
  get place(): string {
    return this.#lease.place
  }

  /** The last stored value of a small record of this replica. */
  record<T extends Json>(name: string): T | undefined {
    return this.#records.get(name) as T | undefined
  }

  /** Stages a small record. */
  keepRecord(name: string, value: Json): void {
    this.#records.set(name, value)
    this.stage(putJson(`r:${name}`, value))
  }

  get isClosed(): boolean {
    return this.#closed !== null
  }

  /** Commits, and lets the next process have the replica. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    try {
      await (this.#isFrozen ? this.#written : this.commit())
    } finally {
      this.doc.destroy()
      await this.db.close()
    }
  }
}
