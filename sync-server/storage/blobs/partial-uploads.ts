import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { ClawError } from '../../../protocol/errors.ts'
import { MAX_BLOB_BYTES } from '../../../protocol/limits.ts'
import {
  BLOB_QUOTA_BYTES,
  MAX_AGENT_PARTIALS,
  MAX_PARTIALS,
  PARTIAL_KEPT_MS,
  STALLED_UPLOAD_MS,
} from '../../config/limits.ts'
import { makeDir, namesIn, sizeOf } from '../integrity/disk.ts'

/** An upload as announced: the workspace, and the SHA-256 and length of the bytes. */
export interface Announced {
  workspace: string
  sha256: string
  /** Bytes. */
  size: number
  /** The agent that uploads; absent if unknown. */
  by?: string | undefined
}

/** An unfinished upload. Its agent is unknown after a restart. */
interface Unfinished {
  path: string
  /** As announced (bytes). */
  size: number
  by: string | undefined
  /** True once all bytes arrived; they are then being verified. */
  isWhole: boolean
}

/** The upload continues at another offset than the caller gave. */
export class WrongOffset extends ClawError {
  readonly offset: number

  constructor(offset: number) {
    super('wrong_offset', `the upload goes on at byte ${offset}`, 'send what comes from there on')
    this.offset = offset
  }
}

/** A request that sends the bytes of an upload. Another request may cut it once it is stalled. */
export class Transfer {
  readonly ended: Promise<void>
  readonly #body: Readable
  readonly #now: () => number
  #lastByteAt: number
  #isComplete = false
  #end = () => {}

  constructor(body: Readable, now: () => number) {
    this.#body = body
    this.#now = now
    this.#lastByteAt = now()
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** True once all bytes arrived. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** True if it waits for bytes and has received none for STALLED_UPLOAD_MS. */
  get isStalled(): boolean {
    return !this.#isComplete && this.#now() - this.#lastByteAt >= STALLED_UPLOAD_MS
  }

  noteBytes(): void {
    this.#lastByteAt = this.#now()
  }

  /** Notes that all bytes arrived; from here on no other request may cut it. */
  complete(): void {
    this.#isComplete = true
  }

  /** Ends the request if it still waits for bytes. */
  cut(): void {
    this.#body.destroy(new Error('another request goes on with this upload'))
  }

  end(): void {
    this.#end()
  }
}

/**
 * The unfinished uploads below one folder, as `<workspace>/partial/<SHA-256>.<size>`, and the limits on them. The caller
 * runs `open` and `dropOld` of a workspace one at a time.
 */
export class PartialUploads {
  readonly #dir: string
  readonly #now: () => number
  readonly #transfers = new Map<string, Transfer>()
  /** The agent that began an unfinished upload, by path. */
  readonly #begunBy = new Map<string, string>()

  constructor(dir: string, now: () => number) {
    this.#dir = dir
    this.#now = now
  }

  path({ workspace, sha256, size }: Announced): string {
    return join(this.#folder(workspace), `${sha256}.${size}`)
  }

  #folder(workspace: string): string {
    return join(this.#dir, workspace, 'partial')
  }

  /** Bytes of an upload on disk; 0 if it has not begun. */
  async offset(upload: Announced): Promise<number> {
    return (await sizeOf(this.path(upload))) ?? 0
  }

  /** Runs `send` as the upload's only transfer; cuts a stalled one first. Throws `busy` if another is not stalled. */
  async transfer<T>(
    upload: Announced,
    body: Readable,
    send: (transfer: Transfer) => Promise<T>,
  ): Promise<T> {
    const path = this.path(upload)
    for (let other = this.#transfers.get(path); other; other = this.#transfers.get(path)) {
      if (!other.isStalled) {
        throw new ClawError('busy', 'the same upload is under way', 'wait for it, or go on with it')
      }
      other.cut()
      await other.ended
    }
    const transfer = new Transfer(body, this.#now)
    this.#transfers.set(path, transfer)
    try {
      return await send(transfer)
    } finally {
      this.#transfers.delete(path)
      transfer.end()
    }
  }

  /**
   * Opens the file of an upload, or creates it if the quotas allow. `used` returns the bytes of the workspace's complete
   * blobs. Throws `wrong_offset` if the file does not end at `offset`; `too_large`, `busy`, `quota`.
   */
  async open(upload: Announced, offset: number, used: () => Promise<number>): Promise<FileHandle> {
    const path = this.path(upload)
    const there = await sizeOf(path)
    if (offset !== (there ?? 0)) throw new WrongOffset(there ?? 0)
    if (there !== null) return open(path, 'r+')
    await this.#makeRoom(upload, used)
    await makeDir(this.#folder(upload.workspace))
    const file = await open(path, 'wx')
    if (upload.by !== undefined) this.#begunBy.set(path, upload.by)
    return file
  }

  /** Drops old uploads, and those of the agent that announced the most, until a new one fits. */
  async #makeRoom(upload: Announced, usedNow: () => Promise<number>): Promise<void> {
    const { workspace, size } = upload
    if (size > MAX_BLOB_BYTES) {
      throw new ClawError(
        'too_large',
        `the file is ${size} bytes; the limit for binary files is ${MAX_BLOB_BYTES}`,
        'split or compress it',
      )
    }
    await this.dropOld(workspace)
    const used = await usedNow()
    for (let others = await this.#unfinished(upload); ; others = await this.#unfinished(upload)) {
      const { mine, all, announced } = others
      if (mine.length >= MAX_AGENT_PARTIALS) {
        throw new ClawError(
          'busy',
          `${mine.length} of your uploads are unfinished here; the limit is ${MAX_AGENT_PARTIALS}`,
          'go on with one of them, or try again when one is done',
        )
      }
      if (all.length < MAX_PARTIALS && used + announced + size <= BLOB_QUOTA_BYTES) return
      const least = sizeOfAll(mine) + size
      const gone = used + size <= BLOB_QUOTA_BYTES ? tooGreedy(all, upload.by, least) : null
      if (gone === null) break
      await this.#drop(gone.path)
    }
    const { announced } = await this.#unfinished(upload)
    throw new ClawError(
      'quota',
      `the workspace has ${used + announced} bytes that are not text; with these ${size} it would be over its ${BLOB_QUOTA_BYTES}`,
      'file-rm unneeded files; their space is free about a week later',
    )
  }

  /**
   * The unfinished uploads of a workspace, those of the same agent, and the bytes announced for
   * all.
   */
  async #unfinished({ workspace, by }: Announced) {
    const dir = this.#folder(workspace)
    const all: Unfinished[] = (await namesIn(dir)).map((name) => {
      const path = join(dir, name)
      const isWhole = this.#transfers.get(path)?.isComplete === true
      return { path, size: Number(name.split('.')[1]) || 0, by: this.#begunBy.get(path), isWhole }
    })
    const mine = all.filter((one) => by !== undefined && one.by === by)
    return { all, mine, announced: sizeOfAll(all) }
  }

  /** Ends an incomplete upload and deletes its bytes. */
  async #drop(path: string): Promise<void> {
    this.#transfers.get(path)?.cut()
    await rm(path, { force: true })
    this.#begunBy.delete(path)
  }

  /** Deletes the uploads without a transfer and without new bytes for PARTIAL_KEPT_MS. */
  async dropOld(workspace: string): Promise<void> {
    const dir = this.#folder(workspace)
    for (const name of await namesIn(dir)) {
      const path = join(dir, name)
      if (this.#transfers.has(path)) continue
      const { mtimeMs } = await stat(path)
      if (mtimeMs < this.#now() - PARTIAL_KEPT_MS) await this.#drop(path)
    }
  }

  /** Forgets an upload whose file got its final name. */
  moved(path: string): void {
    this.#begunBy.delete(path)
  }
}

const sizeOfAll = (uploads: readonly Unfinished[]): number =>
  uploads.reduce((sum, { size }) => sum + size, 0)

/**
 * The upload to drop in favour of one of `by`: an upload of the agent that announced the most, if
 * that is more than `least` bytes. Null if there is none.
 */
const tooGreedy = (
  all: readonly Unfinished[],
  by: string | undefined,
  least: number,
): Unfinished | null => {
  const announced = new Map<string | undefined, number>()
  for (const one of all) announced.set(one.by, (announced.get(one.by) ?? 0) + one.size)
  const [most] = [...announced].filter(([who]) => who !== by).sort(([, a], [, b]) => b - a)
  if (most === undefined || most[1] <= least) return null
  return all.find((one) => one.by === most[0] && !one.isWhole) ?? null
}
