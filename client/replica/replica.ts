import * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import { reauthor } from '../../workspace/document/reauthor.ts'
import type { Json } from '../../workspace/document/schema.ts'
import type { StateVector } from '../../workspace/inbox/inbox.ts'
import type { InboxPosition } from '../../workspace/inbox/mailbox.ts'
import { storable } from '../../workspace/inbox/storable.ts'
import { FileNews, isMoot } from '../../workspace/inbox/unread.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { TaskRequest } from '../http/api.ts'
import { AnswerAges, type KeyKind } from './answers.ts'
import { type Opened, openDatabase, unusable } from './opening.ts'
import {
  type Cursor,
  type Database,
  entry,
  type Lease,
  putJson,
  range,
  readJson,
  type StoredMessage,
  type Write,
} from './stored.ts'

/** A verb holds the lock for well under a second; whoever waits this long is behind something stuck. */
export const LOCK_WAIT_MS = 30_000
/** The log is folded into the checkpoint once it is larger than that and than this many bytes … */
const LOG_BYTES = 256 * 1024
/** … or has this many entries, each of which costs a read at every start. */
const LOG_ENTRIES = 500

/** What an idempotency key was used for: a digest of the command, and what it answered. */
export interface Answered {
  digest: string
  answer: Json
}

/** What the agent has in its hands of a shared file: what it last read or wrote. */
export interface FileBase {
  version: number
  content: string
}

/** The same of a file that is not text: its version, and the name of its bytes. */
export interface BlobBase {
  version: number
  sha256: string
}

/** Where a mirrored file stands: what was on disk when it last agreed with the document, without the text itself. */
export interface MirrorBase {
  /** That text's digest; null: there was no file. */
  digest: string | null
  /** The digest of what is about to be written over it: on disk, it is the base. */
  next?: string
  /** The id of the file's content in the document. */
  fileId: string
}

/** A text that a mirror wrote over a moment ago. */
export interface MirrorOld {
  rel: string
  text: string
  /** When it was overwritten, milliseconds since the epoch. */
  at: number
}

/** A message that nobody acknowledged. `since` names its first version: it stays while news of the same is added. */
export interface Unread {
  key: string
  message: Message
  since: string
}

/** A command for the server's tasks that could not be sent when it was given. */
export interface QueuedCommand {
  verb: string
  task: string
  command: TaskRequest
}

const mirrorTextKey = (mirror: string, file: string, digest: string): string =>
  `mt:${mirror}:${digest}:${file}`

const openedAnew = (): ClawError =>
  new ClawError(
    'busy',
    'another agent has taken the Yjs client id of this replica, which takes a new one',
    'give the same command again',
  )

/**
 * An agent's persisted copy of one workspace, and what it must not forget about it: its Yjs client id, the messages
 * that nobody acknowledged yet, the answers given under idempotency keys, and the file contents it last saw.
 *
 * One process at a time has it (LevelDB's lock, which the kernel drops with the process). Changes are staged in
 * memory and written by `commit`, in one fsync'd batch with every update of the document since the last one: what is
 * staged in the same tick as a change of the document is on disk with that change or not at all. The client id
 * is leased to this folder and is on disk before its first operation; where it is in doubt, a fresh one is taken.
 */
export class Replica {
  readonly doc: Y.Doc
  readonly #db: Database
  readonly #lease: Lease
  #cursor: Cursor | null
  #next: number
  #nextMessage: number
  #nextCommand: number
  #logBytes: number
  #checkpointBytes: number
  #updates: Uint8Array[] = []
  #staged: Write[] = []
  #hasMoved = false
  #isUrgent = false
  /** The first clock under the document's client id that nothing was written at here. */
  #end: number
  /** Nothing is stored any more: it is to be opened anew. */
  #isFrozen = false
  #isLeaseNew = false
  readonly #answerAges: AnswerAges
  #answered = new Map<string, KeyKind>()
  #fresh: Message[] = []
  #files: FileNews
  readonly #listeners = new Set<(messages: readonly Message[]) => void>()
  readonly #records: Map<string, Json>
  #written: Promise<void> = Promise.resolve()
  #closed: Promise<void> | null = null

  private constructor(opened: Opened) {
    this.doc = opened.doc
    this.#db = opened.db
    this.#answerAges = new AnswerAges(opened.db)
    this.#lease = opened.lease
    this.#cursor = opened.cursor
    this.#records = opened.records
    this.#files = opened.files
    this.#next = opened.next
    this.#nextMessage = opened.nextMessage
    this.#nextCommand = opened.nextCommand
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

  /**
   * Opens the replica in `dir`, creating it if need be; waits for another process that has it. Throws `busy`,
   * `data_unusable`. A damaged one is moved aside, `warn` says where, and a fresh one takes its place.
   */
  static async open(
    dir: string,
    warn: (line: string) => void,
    waitMs = LOCK_WAIT_MS,
  ): Promise<Replica> {
    return new Replica(await openDatabase(dir, warn, waitMs))
  }

  /**
   * Writes every update of the document and everything staged since the last commit as one batch. Resolves when
   * that, and every commit before, is fsync'd. After a failure every later commit fails, too.
   */
  commit(): Promise<void> {
    const { doc } = this
    if (this.#isFrozen) return Promise.reject(openedAnew())
    if (this.#updates.length + this.#staged.length === 0 && !this.#hasMoved) return this.#written
    const batch = this.#staged
    if (this.#hasMoved) batch.push(putJson('cursor', this.#cursor))
    this.#hasMoved = false
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
    const fresh = this.#fresh
    this.#fresh = []
    const answered = this.#answered
    this.#answered = new Map()
    this.#written = this.#written.then(async () => {
      try {
        if (answered.size > 0) batch.push(...(await this.#answerAges.writes(answered, Date.now())))
        await this.#db.batch(batch, { sync: true })
      } catch (cause) {
        throw unusable(this.#db.location, cause)
      }
      if (fresh.length > 0) for (const listener of this.#listeners) listener(fresh)
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
    // What came before is stored. What came in now stands beside the replica's own as nobody meant it.
    this.commit().catch(() => {}) // the next one fails, too, and says why
    this.#isFrozen = true
    this.onTaken(clientId)
  }

  /** Whether it has operations under this client id that can be moved to another. */
  wroteUnder(client: number): boolean {
    return client === this.#lease.clientId && this.#end > 0 && this.record('stuck-id') !== client
  }

  /**
   * Where another agent has the client id of this replica: writes all that the server lacks under a new one, onto what the server
   * has, in one batch. False: it cannot be. Afterwards this replica is of no use until it is opened again.
   */
  async takeNewId(server: Uint8Array): Promise<boolean> {
    const taken = this.#lease.clientId
    const local = this.#isFrozen ? await this.#stored() : this.doc
    // In one go: nothing is written here between what is taken along and the end.
    const before = this.#isFrozen ? this.#written : this.commit()
    const doc = reauthor(local, server, { client: taken, end: this.#end }, new Y.Doc().clientID)
    if (doc === null) {
      await this.#db.batch([putJson('r:stuck-id', taken)], { sync: true })
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
    if (this.#cursor !== null) {
      const known = Y.decodeStateVector(Buffer.from(this.#cursor.vector, 'base64'))
      // What stands there by now is somebody else's, and was not looked at.
      known.delete(taken)
      known.set(clientId, Y.getState(doc.store, clientId))
      const vector = Buffer.from(Y.encodeStateVector(known)).toString('base64')
      batch.push(putJson('cursor', { ...this.#cursor, vector }))
    }
    doc.destroy()
    await this.#db.batch(batch, { sync: true })
    return true
  }

  /** The document as it is on disk. */
  async #stored(): Promise<Y.Doc> {
    await this.#written
    const doc = new Y.Doc()
    const checkpoint = await this.#db.get('checkpoint')
    const log = await this.#db.iterator(range('u:')).all()
    doc.transact(() => {
      if (checkpoint !== undefined) Y.applyUpdate(doc, checkpoint)
      for (const [, update] of log) Y.applyUpdate(doc, update)
    })
    return doc
  }

  /** Whether a state vector has operations under an id that this replica had to give up. */
  knowsTaken(vector: Uint8Array): boolean {
    const known = Y.decodeStateVector(vector)
    return (this.record<number[]>('taken-ids') ?? []).some((client) => known.has(client))
  }

  /**
   * Whether what a commit would write cannot be had again from the server: operations of this replica's own, messages,
   * whatever a command has staged. What others wrote can, and so can how far the inbox has looked.
   */
  get isUrgent(): boolean {
    return this.#isUrgent
  }

  #stage(...writes: Write[]): void {
    this.#staged.push(...writes)
    this.#isUrgent = true
  }

  /** Has `listener` called with new messages of the inbox once they are committed; gives what ends that. */
  onMessages(listener: (messages: readonly Message[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The state vector up to which `agent` has its messages; null: it never had any here. */
  cursor(agent: string): StateVector | null {
    if (this.#cursor?.agent !== agent) return null
    return Y.decodeStateVector(Buffer.from(this.#cursor.vector, 'base64'))
  }

  /** The positions in the archive of broadcasts and in that of tasks up to which `agent` has its messages. */
  archivePosition(agent: string): Omit<InboxPosition, 'vector'> {
    const known = this.#cursor?.agent === agent ? this.#cursor : null
    return { archived: known?.archived ?? 0, archivedTasks: known?.archivedTasks ?? 0 }
  }

  /** Stages messages for `agent` and moves its cursor: where not said otherwise, to the document as it is now. */
  receive(agent: string, messages: readonly Message[], to?: InboxPosition): void {
    const vector = Buffer.from(to?.vector ?? Y.encodeStateVector(this.doc)).toString('base64')
    const { archived, archivedTasks } = to ?? this.archivePosition(agent)
    const cursor: Cursor = { agent, vector, archived, archivedTasks }
    if (JSON.stringify(cursor) === JSON.stringify(this.#cursor)) return
    // The cursor moves once what it covers is staged, so no error leaves it ahead.
    this.deliver(agent, messages)
    this.#cursor = cursor
    this.#hasMoved = true
  }

  /**
   * Stages messages for `agent`, also such that come from somewhere else than the document. Nobody is told of what only
   * takes the place of an unread one.
   */
  deliver(agent: string, messages: readonly Message[]): void {
    if (this.#cursor?.agent !== agent) this.#files = new FileNews()
    for (const one of messages.map(storable)) {
      const { message, since, unread } = this.#files.merge(one)
      const key = entry('m:', this.#nextMessage++)
      if (unread === null) this.#fresh.push(message)
      else this.acknowledge([unread])
      this.#files.add(key, message, since)
      const stored: StoredMessage = { agent, message, ...(since !== undefined && { since }) }
      this.#stage(putJson(key, stored))
    }
  }

  /** The committed messages that `agent` has not acknowledged, oldest first, each with the key to do so. */
  async inbox(agent: string): Promise<Unread[]> {
    const found: Unread[] = []
    for await (const [key, value] of this.#db.iterator(range('m:'))) {
      const stored = readJson<StoredMessage>(value)
      if (stored?.agent !== agent) continue
      const { message, since = `${key} ${message.message_id}` } = stored
      if (isMoot(this.doc, message)) this.acknowledge([key])
      else found.push({ key, message, since })
    }
    return found
  }

  /** Stages the acknowledgement of messages: they are not handed out again. */
  acknowledge(keys: readonly string[]): void {
    for (const key of keys) {
      this.#stage({ type: 'del', key })
      this.#files.delete(key)
    }
  }

  /** A small record of this replica's own, as it was last kept. */
  record<T extends Json>(name: string): T | undefined {
    return this.#records.get(name) as T | undefined
  }

  /** Stages a small record. */
  keepRecord(name: string, value: Json): void {
    this.#records.set(name, value)
    this.#stage(putJson(`r:${name}`, value))
  }

  /** Stages a command for the server, after those that are queued. */
  enqueue(command: QueuedCommand): void {
    this.#stage(putJson(entry('c:', this.#nextCommand++), command))
  }

  /** The committed commands that the server has not answered yet, in order, each with the key to `dequeue` it. */
  async queue(): Promise<{ key: string; command: QueuedCommand }[]> {
    const stored = await this.#db.iterator(range('c:')).all()
    return stored.map(([key, value]) => ({ key, command: readJson<QueuedCommand>(value)! }))
  }

  /** Stages that the server has answered a command. */
  dequeue(key: string): void {
    this.#stage({ type: 'del', key })
  }

  async answered(idempotencyKey: string): Promise<Answered | null> {
    return readJson(await this.#db.get(`k:${idempotencyKey}`))
  }

  /** Stages the answer to give whenever this key comes again, for as long as answers of this kind are kept. */
  remember(idempotencyKey: string, answered: Answered, kind: KeyKind = 'given'): void {
    this.#stage(putJson(`k:${idempotencyKey}`, answered))
    this.#answered.set(idempotencyKey, kind)
  }

  async base(file: string): Promise<FileBase | null> {
    return readJson(await this.#db.get(`b:${file}`))
  }

  /** Stages what the agent now has in its hands of a file. */
  keepBase(file: string, base: FileBase): void {
    this.#stage(putJson(`b:${file}`, base), { type: 'del', key: `s:${file}` })
    this.#stage({ type: 'del', key: `x:${file}` })
  }

  /** What the agent last read or wrote of a file that is not text. */
  async blob(file: string): Promise<BlobBase | null> {
    return readJson(await this.#db.get(`x:${file}`))
  }

  /** Stages what the agent now has in its hands of a file that is not text; of a text under its name it has nothing. */
  keepBlob(file: string, blob: BlobBase): void {
    this.#stage(putJson(`x:${file}`, blob))
    for (const key of [`b:${file}`, `s:${file}`]) this.#stage({ type: 'del', key })
  }

  /** The version of a file that the agent last read or wrote, text or not; null: none. */
  async readVersion(file: string): Promise<number | null> {
    return ((await this.seen(file)) ?? (await this.blob(file)))?.version ?? null
  }

  /** The text that the agent's line numbers count in: its base, or newer lines that it read since. */
  async seen(file: string): Promise<FileBase | null> {
    return readJson(await this.#db.get(`s:${file}`)) ?? this.base(file)
  }

  /** Stages the text that the agent's line numbers count in from now on; its base stays. */
  keepSeen(file: string, seen: FileBase): void {
    this.#stage(putJson(`s:${file}`, seen))
  }

  /** The bases of every file of a mirror that are committed, by path. */
  async mirrorBases(mirror: string): Promise<Map<string, MirrorBase>> {
    const prefix = `mh:${mirror}:`
    const stored = await this.#db.iterator(range(prefix)).all()
    return new Map(
      stored.map(([key, value]) => [key.slice(prefix.length), readJson<MirrorBase>(value)!]),
    )
  }

  /** A committed text of a mirrored file: its base, or what is about to be written over that. */
  async mirrorText(mirror: string, file: string, digest: string): Promise<string | null> {
    const text = await this.#db.get(mirrorTextKey(mirror, file, digest))
    return text === undefined ? null : Buffer.from(text).toString()
  }

  /** Stages such a text; null: it is of no use any more. */
  keepMirrorText(mirror: string, file: string, digest: string, text: string | null): void {
    const key = mirrorTextKey(mirror, file, digest)
    this.#stage(
      text === null ? { type: 'del', key } : { type: 'put', key, value: Buffer.from(text) },
    )
  }

  /** Stages where a mirrored file stands; null: it is not mirrored any more. */
  keepMirrorBase(mirror: string, file: string, base: MirrorBase | null): void {
    const key = `mh:${mirror}:${file}`
    this.#stage(base === null ? { type: 'del', key } : putJson(key, base))
  }

  /** The folder and machine that client ids are leased for: a copy of the replica is somewhere else. */
  get place(): string {
    return this.#lease.place
  }

  /** The texts that a mirror wrote over, oldest first, each with its number. */
  async mirrorOlds(mirror: string): Promise<[number, MirrorOld][]> {
    const prefix = `mo:${mirror}:`
    const stored = await this.#db.iterator(range(prefix)).all()
    return stored.map(([key, value]) => [
      Number(key.slice(prefix.length)),
      readJson<MirrorOld>(value)!,
    ])
  }

  /** Stages a text that a mirror wrote over; null: it is of no use any more. */
  keepMirrorOld(mirror: string, number: number, old: MirrorOld | null): void {
    const key = entry(`mo:${mirror}:`, number)
    this.#stage(old === null ? { type: 'del', key } : putJson(key, old))
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
      await this.#db.close()
    }
  }
}
