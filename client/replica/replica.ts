import * as Y from 'yjs'
import type { LineRange } from '../../lib/merge/edits.ts'
import { stateVectorOf } from '../../lib/yjs/internals.ts'
import type { Json } from '../../workspace/document/schema.ts'
import type { ReadFile } from '../../workspace/files/stale.ts'
import type { StateVector } from '../../workspace/inbox/inbox.ts'
import type { InboxPosition } from '../../workspace/inbox/mailbox.ts'
import { storable } from '../../workspace/inbox/storable.ts'
import { FileNews, isMoot, mayBeMoot } from '../../workspace/inbox/unread.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { TaskRequest } from '../http/api.ts'
import { AnswerAges, type KeyKind } from './answers.ts'
import { Kept } from './kept.ts'
import { type Opened, openDatabase } from './opening.ts'
import { Reads } from './reads.ts'
import {
  type Cursor,
  decodeCursor,
  encodeCursor,
  entry,
  isSamePosition,
  type Position,
  putJson,
  range,
  readJson,
  type StoredMessage,
  type Write,
} from './stored.ts'
import { StoredDocument } from './stored-document.ts'

/** A verb holds the lock for well under a second; a longer wait means that its holder is stuck. */
export const LOCK_WAIT_MS = 30_000
/** The use of an idempotency key: a digest of the command, and its answer. */
export interface Answered {
  digest: string
  answer: Json
}

/** The version of a shared file that the agent last read or wrote. */
export interface FileBase {
  version: number
  content: string
}

/** The same of a file that is not text: its version, and the name of its bytes. */
export interface BlobBase {
  version: number
  sha256: string
}

/**
 * The base of a mirrored file: the state on disk when it last agreed with the document, without the
 * text.
 */
export interface MirrorBase {
  /** The digest of the text; null if there was no file. */
  digest: string | null
  /** The digest of the text that is about to replace it: if the disk has that text, it is the base. */
  next?: string
  /** The id of the file's content in the document. */
  fileId: string
  /** The file's version with the text of `digest`; absent: not known. */
  version?: number
}

/** A text that a mirror wrote over a moment ago. */
export interface MirrorOld {
  rel: string
  text: string
  /** When it was overwritten, milliseconds since the epoch. */
  at: number
}

/** An unacknowledged message. `since` names its first version: it stays the same while news of the file is added. */
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

/** The record of `Reads`. */
const READS = 'reads'

const mirrorTextKey = (mirror: string, file: string, digest: string): string =>
  `mt:${mirror}:${digest}:${file}`

/**
 * An agent's persisted copy of one workspace, with its inbox, the answers given under idempotency keys, the file contents
 * that it last saw, and queued commands.
 */
export class Replica extends StoredDocument {
  /** True where its agent may write nothing into the document. */
  onlyReads = false
  #cursor: Position | null
  #hasMoved = false
  #nextMessage: number
  #nextCommand: number
  readonly #answerAges: AnswerAges
  #answered = new Map<string, KeyKind>()
  readonly #reads: Reads
  /** True while `#reads` is to be stored: with the next commit, once for all of its files. */
  #hasRead = false
  #fresh: Message[] = []
  #files: FileNews
  /** True where the next commit changes the inbox, or the queue. */
  #hasMail = false
  #hasQueued = false
  /** The number of unread messages; `mayEnd`: some may become moot. */
  readonly #unread = new Kept<{ agent: string; count: number; mayEnd: boolean }>()
  readonly #queue = new Kept<readonly { key: string; command: QueuedCommand }[]>()
  readonly #listeners = new Set<(messages: readonly Message[]) => void>()

  private constructor(opened: Opened) {
    super(opened)
    this.#answerAges = new AnswerAges(opened.db)
    this.#cursor = opened.cursor && decodeCursor(opened.cursor)
    this.#files = opened.files
    this.#nextMessage = opened.nextMessage
    this.#nextCommand = opened.nextCommand
    this.#reads = new Reads(this.record(READS))
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

  protected moved(): Write | null {
    if (!this.#hasMoved) return null
    this.#hasMoved = false
    return this.#cursor && putJson('cursor', encodeCursor(this.#cursor))
  }

  protected committing(): { writes: () => Promise<Write[]>; done: () => void } {
    const fresh = this.#fresh
    this.#fresh = []
    const answered = this.#answered
    this.#answered = new Map()
    const reads = this.#hasRead ? [putJson(`r:${READS}`, this.#reads.toJson())] : []
    this.#hasRead = false
    const { hasMail, hasQueued } = { hasMail: this.#hasMail, hasQueued: this.#hasQueued }
    this.#hasMail = false
    this.#hasQueued = false
    return {
      writes: async () => [
        ...reads,
        ...(answered.size === 0 ? [] : await this.#answerAges.writes(answered, Date.now())),
      ],
      done: () => {
        if (hasMail) this.#unread.forget()
        if (hasQueued) this.#queue.forget()
        if (fresh.length > 0) for (const listener of this.#listeners) listener(fresh)
      },
    }
  }

  protected cursorIn(doc: Y.Doc, taken: number): Cursor | null {
    if (this.#cursor === null) return null
    const vector = new Map(this.#cursor.vector)
    // Operations under the taken id are another agent's, and were not looked at.
    vector.delete(taken)
    vector.set(doc.clientID, Y.getState(doc.store, doc.clientID))
    return encodeCursor({ ...this.#cursor, vector })
  }

  /** Has `listener` called with new messages of the inbox once they are committed; gives what ends that. */
  onMessages(listener: (messages: readonly Message[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The state vector up to which `agent` has its messages; null: it never had any here. */
  cursor(agent: string): StateVector | null {
    return this.#cursor?.agent === agent ? this.#cursor.vector : null
  }

  /** The positions in the archive of broadcasts and in that of tasks up to which `agent` has its messages. */
  archivePosition(agent: string): Omit<InboxPosition, 'vector'> {
    const known = this.#cursor?.agent === agent ? this.#cursor : null
    return { archived: known?.archived ?? 0, archivedTasks: known?.archivedTasks ?? 0 }
  }

  /** Stages messages for `agent` and moves its cursor to `to`, by default to the current document. */
  receive(agent: string, messages: readonly Message[], to?: InboxPosition): void {
    const vector = to?.vector ?? stateVectorOf(this.doc)
    const { archived, archivedTasks } = to ?? this.archivePosition(agent)
    const cursor = { agent, vector, archived, archivedTasks }
    if (this.#cursor !== null && isSamePosition(cursor, this.#cursor)) return
    // The cursor moves once all messages before it are staged, so no error leaves it ahead.
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
    this.#hasMail ||= messages.length > 0
    for (const one of messages.map(storable)) {
      const { message, since, unread } = this.#files.merge(one)
      const key = entry('m:', this.#nextMessage++)
      if (unread === null) this.#fresh.push(message)
      else this.acknowledge([unread])
      this.#files.add(key, message, since)
      const stored: StoredMessage = { agent, message, ...(since !== undefined && { since }) }
      this.stage(putJson(key, stored))
    }
  }

  /** The committed messages that `agent` has not acknowledged, oldest first, each with the key to do so. */
  async inbox(agent: string): Promise<Unread[]> {
    const found: Unread[] = []
    for await (const [key, value] of this.db.iterator(range('m:'))) {
      const stored = readJson<StoredMessage>(value)
      if (stored?.agent !== agent) continue
      const { message, since = `${key} ${message.message_id}` } = stored
      if (isMoot(this.doc, message)) this.acknowledge([key])
      else found.push({ key, message, since })
    }
    return found
  }

  /** The number of messages in `inbox`; reads them only where it may have changed. */
  async unread(agent: string): Promise<number> {
    const known = this.#unread.value
    if (known !== null && (known.agent !== agent || known.mayEnd)) this.#unread.forget()
    const { count } = await this.#unread.read(async () => {
      const found = await this.inbox(agent)
      const mayEnd = found.some(({ message }) => mayBeMoot(message))
      return { agent, count: found.length, mayEnd }
    })
    return count
  }

  /** Stages the acknowledgement of messages: they are not delivered again. */
  acknowledge(keys: readonly string[]): void {
    this.#hasMail ||= keys.length > 0
    for (const key of keys) {
      this.stage({ type: 'del', key })
      this.#files.delete(key)
    }
  }

  /** Stages a command for the server, after those that are queued. */
  enqueue(command: QueuedCommand): void {
    this.#hasQueued = true
    this.stage(putJson(entry('c:', this.#nextCommand++), command))
  }

  /** The committed commands that the server has not answered yet, in order, each with the key to `dequeue` it. */
  queue(): Promise<readonly { key: string; command: QueuedCommand }[]> {
    return this.#queue.read(async () => {
      const stored = await this.db.iterator(range('c:')).all()
      return stored.map(([key, value]) => ({ key, command: readJson<QueuedCommand>(value)! }))
    })
  }

  /** Stages that the server has answered a command. */
  dequeue(key: string): void {
    this.#hasQueued = true
    this.stage({ type: 'del', key })
  }

  async answered(idempotencyKey: string): Promise<Answered | null> {
    return readJson(await this.db.get(`k:${idempotencyKey}`))
  }

  /** Stages the answer to give whenever this key comes again, for as long as answers of this kind are kept. */
  remember(idempotencyKey: string, answered: Answered, kind: KeyKind = 'given'): void {
    this.stage(putJson(`k:${idempotencyKey}`, answered))
    this.#answered.set(idempotencyKey, kind)
  }

  async base(file: string): Promise<FileBase | null> {
    return readJson(await this.db.get(`b:${file}`))
  }

  /** Stages the version of a text file that the agent has now, the base of its next put. */
  keepBase(file: string, base: FileBase): void {
    this.stage(putJson(`b:${file}`, base), { type: 'del', key: `s:${file}` })
    this.stage({ type: 'del', key: `x:${file}` })
    this.#noteRead(file, base.version)
  }

  #noteRead(file: string, version: number, lines?: LineRange): void {
    this.#reads.note(file, version, Date.now(), lines)
    this.#hasRead = true
  }

  /** The versions that the agent read at or after `at` (milliseconds since the epoch, by this machine's clock), the newest first. */
  readSince(at: number): ReadFile[] {
    return this.#reads.since(at)
  }

  /** The version of a binary file that the agent last read or wrote. */
  async blob(file: string): Promise<BlobBase | null> {
    return readJson(await this.db.get(`x:${file}`))
  }

  /** Stages the version of a binary file that the agent has now; a text base under that name is removed. */
  keepBlob(file: string, blob: BlobBase): void {
    this.stage(putJson(`x:${file}`, blob))
    for (const key of [`b:${file}`, `s:${file}`]) this.stage({ type: 'del', key })
    this.#noteRead(file, blob.version)
  }

  /** The version of a file that the agent last read or wrote, text or not; null: none. */
  async readVersion(file: string): Promise<number | null> {
    return ((await this.seen(file)) ?? (await this.blob(file)))?.version ?? null
  }

  /** The text that the agent's line numbers count in: its base, or newer lines that it read since. */
  async seen(file: string): Promise<FileBase | null> {
    return readJson(await this.db.get(`s:${file}`)) ?? this.base(file)
  }

  /**
   * Stages the text that the agent's line numbers count in from now on; its base stays. `lines`: those that it has read just
   * now.
   */
  keepSeen(file: string, seen: FileBase, lines?: LineRange): void {
    this.stage(putJson(`s:${file}`, seen))
    if (lines !== undefined) this.#noteRead(file, seen.version, lines)
  }

  /** The bases of every file of a mirror that are committed, by path. */
  async mirrorBases(mirror: string): Promise<Map<string, MirrorBase>> {
    const prefix = `mh:${mirror}:`
    const stored = await this.db.iterator(range(prefix)).all()
    return new Map(
      stored.map(([key, value]) => [key.slice(prefix.length), readJson<MirrorBase>(value)!]),
    )
  }

  /** A committed text of a mirrored file: its base, or the text that is about to replace the base. */
  async mirrorText(mirror: string, file: string, digest: string): Promise<string | null> {
    const text = await this.db.get(mirrorTextKey(mirror, file, digest))
    return text === undefined ? null : Buffer.from(text).toString()
  }

  /** Stages such a text; null: it is of no use any more. */
  keepMirrorText(mirror: string, file: string, digest: string, text: string | null): void {
    const key = mirrorTextKey(mirror, file, digest)
    this.stage(
      text === null ? { type: 'del', key } : { type: 'put', key, value: Buffer.from(text) },
    )
  }

  /** Stages where a mirrored file stands; null: it is not mirrored any more. */
  keepMirrorBase(mirror: string, file: string, base: MirrorBase | null): void {
    const key = `mh:${mirror}:${file}`
    this.stage(base === null ? { type: 'del', key } : putJson(key, base))
  }

  /** The texts that a mirror wrote over, oldest first, each with its number. */
  async mirrorOlds(mirror: string): Promise<[number, MirrorOld][]> {
    const prefix = `mo:${mirror}:`
    const stored = await this.db.iterator(range(prefix)).all()
    return stored.map(([key, value]) => [
      Number(key.slice(prefix.length)),
      readJson<MirrorOld>(value)!,
    ])
  }

  /** Stages a text that a mirror wrote over; null: it is of no use any more. */
  keepMirrorOld(mirror: string, number: number, old: MirrorOld | null): void {
    const key = entry(`mo:${mirror}:`, number)
    this.stage(old === null ? { type: 'del', key } : putJson(key, old))
  }
}
