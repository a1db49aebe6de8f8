import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { ClawError } from '../../protocol/errors.ts'
import { isBlobName } from '../../protocol/ids.ts'
import { MAX_BLOB_BYTES } from '../../protocol/limits.ts'
import {
  BLOB_QUOTA_BYTES,
  MAX_AGENT_PARTIALS,
  MAX_PARTIALS,
  PARTIAL_KEPT_MS,
  STALLED_UPLOAD_MS,
} from '../config/limits.ts'
import { digestOf, makeDir, namesIn, sizeOf, syncDir, touch, write } from './integrity/disk.ts'

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

/**
 * The bytes of an upload that are on disk. Complete: verified, fsynced and under the final name.
 */
export interface Progress {
  offset: number
  complete: boolean
}

/** An upload with a request that sends its bytes. */
interface Upload {
  /** Milliseconds since the epoch. */
  lastByteAt: number
  /** Ends the request if it still waits for bytes. */
  cut: () => void
  ended: Promise<void>
}

/** The upload continues at another offset than the caller gave. */
export class WrongOffset extends ClawError {
  readonly offset: number

  constructor(offset: number) {
    super('wrong_offset', `the upload goes on at byte ${offset}`, 'send what comes from there on')
    this.offset = offset
  }
}

/**
 * Stores the bytes of binary files below one folder, as `<workspace>/<first two digits>/<SHA-256>`;
 * unfinished uploads are at `<workspace>/partial/<SHA-256>.<size>`. A blob gets its name once it is
 * complete, verified and fsynced, so every named blob is good. The caller checks `workspace` and
 * `sha256`. Methods throw `storage_failed` if the disk fails.
 */
export class BlobStore {
  readonly #dir: string
  readonly #now: () => number
  readonly #uploads = new Map<string, Upload>()
  /** The agent that began an unfinished upload, by path. */
  readonly #begunBy = new Map<string, string>()
  /** Bytes of a workspace's complete blobs. */
  readonly #used = new Map<string, number>()
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(dir: string, now: () => number) {
    this.#dir = dir
    this.#now = now
  }

  #path({ workspace, sha256 }: Omit<Announced, 'size'>): string {
    return join(this.#dir, workspace, sha256.slice(0, 2), sha256)
  }

  #partials(workspace: string): string {
    return join(this.#dir, workspace, 'partial')
  }

  #partial({ workspace, sha256, size }: Announced): string {
    return join(this.#partials(workspace), `${sha256}.${size}`)
  }

  /** Length of a blob in bytes; null if it does not exist. */
  size(workspace: string, sha256: string): Promise<number | null> {
    return sizeOf(this.#path({ workspace, sha256 }))
  }

  /** The bytes of a blob from `start` to `end`, both included. */
  read(workspace: string, sha256: string, start: number, end: number): Readable {
    return createReadStream(this.#path({ workspace, sha256 }), { start, end })
  }

  /** The progress of an upload; offset 0 if it has not begun. */
  async progress(upload: Announced): Promise<Progress> {
    const whole = await this.size(upload.workspace, upload.sha256)
    if (whole !== null) return { offset: whole, complete: true }
    return { offset: (await sizeOf(this.#partial(upload))) ?? 0, complete: false }
  }

  /**
   * Appends `body` at `offset`. A complete upload is verified and gets its final name. A blob that
   * exists already counts as put now. Throws `wrong_offset`; `busy` while another request sends the
   * same upload; `too_large`; `quota`; `usage` for more bytes than announced and `bad_blob` for
   * other bytes, which both end the upload; `malformed` if the body breaks off, after which the
   * upload can continue.
   */
  async append(upload: Announced, offset: number, body: Readable): Promise<Progress> {
    const path = this.#partial(upload)
    if (await this.#renew(upload)) return { offset: upload.size, complete: true }
    for (let other = this.#uploads.get(path); other; other = this.#uploads.get(path)) {
      if (this.#now() - other.lastByteAt < STALLED_UPLOAD_MS) {
        throw new ClawError('busy', 'the same upload is under way', 'wait for it, or go on with it')
      }
      other.cut()
      await other.ended
    }
    let end = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const cut = () => void body.destroy(new Error('another request goes on with this upload'))
    const mine: Upload = { lastByteAt: this.#now(), cut, ended }
    this.#uploads.set(path, mine)
    try {
      return await this.#append(upload, offset, body, mine)
    } finally {
      this.#uploads.delete(path)
      end()
    }
  }

  async #append(
    upload: Announced,
    offset: number,
    body: Readable,
    mine: Upload,
  ): Promise<Progress> {
    const path = this.#partial(upload)
    const file = await this.#begin(upload, offset)
    let at = offset
    try {
      for await (const chunk of bytesOf(body)) {
        mine.lastByteAt = this.#now()
        if (at + chunk.length > upload.size) {
          await rm(path)
          throw new ClawError('usage', `more came than the ${upload.size} bytes announced`)
        }
        await write(file, chunk, at)
        at += chunk.length
      }
      if (at < upload.size) return { offset: at, complete: false }
      // From here on no other request may cut it.
      mine.lastByteAt = Number.POSITIVE_INFINITY
      await this.#finish(upload, file)
      return { offset: at, complete: true }
    } catch (error) {
      throw storageError(error)
    } finally {
      await file.close().catch(() => {}) // the bytes are written already
      if (at === 0 && upload.size > 0) await rm(path, { force: true })
    }
  }

  /**
   * Opens the partial file, or creates it if the quotas allow. Throws `wrong_offset` if it does not
   * end at `offset`.
   */
  #begin(upload: Announced, offset: number): Promise<FileHandle> {
    const { workspace } = upload
    const path = this.#partial(upload)
    return this.#inTurn(workspace, async () => {
      const there = await sizeOf(path)
      if (offset !== (there ?? 0)) throw new WrongOffset(there ?? 0)
      if (there === null) {
        await this.#checkRoom(upload)
        await makeDir(this.#partials(workspace))
      }
      const file = await open(path, there === null ? 'wx' : 'r+')
      if (there === null && upload.by !== undefined) this.#begunBy.set(path, upload.by)
      return file
    })
  }

  async #checkRoom(upload: Announced): Promise<void> {
    const { workspace, size } = upload
    if (size > MAX_BLOB_BYTES) {
      throw new ClawError(
        'too_large',
        `the file is ${size} bytes; the limit for binary files is ${MAX_BLOB_BYTES}`,
        'split or compress it',
      )
    }
    await this.#dropOldPartials(workspace)
    const used = await this.#usedBy(workspace)
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
      'file-rm what nobody needs; the space comes back about a week later',
    )
  }

  /**
   * The unfinished uploads of a workspace, those of the same agent, and the bytes announced for
   * all.
   */
  async #unfinished({ workspace, by }: Announced) {
    const dir = this.#partials(workspace)
    const all: Unfinished[] = (await namesIn(dir)).map((name) => {
      const path = join(dir, name)
      const isWhole = this.#uploads.get(path)?.lastByteAt === Number.POSITIVE_INFINITY
      return { path, size: Number(name.split('.')[1]) || 0, by: this.#begunBy.get(path), isWhole }
    })
    const mine = all.filter((one) => by !== undefined && one.by === by)
    return { all, mine, announced: sizeOfAll(all) }
  }

  /** Ends an incomplete upload and deletes its bytes. */
  async #drop(path: string): Promise<void> {
    this.#uploads.get(path)?.cut()
    await rm(path, { force: true })
    this.#begunBy.delete(path)
  }

  /** Verifies a complete upload and moves it to its final name, durably. */
  async #finish(upload: Announced, file: FileHandle): Promise<void> {
    const { workspace, sha256, size } = upload
    const partial = this.#partial(upload)
    if ((await digestOf(partial)) !== sha256) {
      await rm(partial)
      throw new ClawError(
        'bad_blob',
        `the ${size} bytes that came are not those with the SHA-256 ${sha256}`,
        'they may have been changed on the way, or at home while they were sent: send them again',
      )
    }
    await file.sync()
    await this.#inTurn(workspace, async () => {
      const path = this.#path(upload)
      const used = await this.#usedBy(workspace)
      const before = await sizeOf(path)
      await makeDir(dirname(path))
      await touch(partial, this.#now())
      await rename(partial, path)
      await syncDir(dirname(path)).catch(async (error) => {
        // A power loss must not take a blob's name back.
        if (before === null) await rename(path, partial)
        throw error
      })
      this.#begunBy.delete(partial)
      this.#used.set(workspace, used + size - (before ?? 0))
    })
  }

  /** Sets an existing blob's time to now; false if it does not exist. */
  #renew({ workspace, sha256, size }: Announced): Promise<boolean> {
    return this.#inTurn(workspace, async () => {
      const path = this.#path({ workspace, sha256 })
      const there = await sizeOf(path)
      if (there === null) return false
      if (there !== size) throw new ClawError('usage', `that blob has ${there} bytes, not ${size}`)
      await touch(path, this.#now())
      return true
    })
  }

  /** Names of the workspaces with blobs or uploads. */
  workspaces(): Promise<string[]> {
    return namesIn(this.#dir)
  }

  /**
   * Deletes the blobs that are not `wanted` and were put before `before`, and old uploads. Returns
   * the count of deleted blobs.
   */
  async collect(workspace: string, wanted: ReadonlySet<string>, before: number): Promise<number> {
    await this.#inTurn(workspace, () => this.#dropOldPartials(workspace))
    let collected = 0
    for (const path of await this.#all(workspace)) {
      if (wanted.has(path.slice(-64))) continue
      // One lock per blob: a concurrent put either renews it first, or finds it gone.
      await this.#inTurn(workspace, async () => {
        const { mtimeMs, size } = await stat(path)
        if (mtimeMs >= before) return
        const used = await this.#usedBy(workspace)
        await rm(path)
        this.#used.set(workspace, used - size)
        collected++
      })
    }
    return collected
  }

  async #dropOldPartials(workspace: string): Promise<void> {
    const dir = this.#partials(workspace)
    for (const name of await namesIn(dir)) {
      const path = join(dir, name)
      if (this.#uploads.has(path)) continue
      const { mtimeMs } = await stat(path)
      if (mtimeMs < this.#now() - PARTIAL_KEPT_MS) await this.#drop(path)
    }
  }

  async #all(workspace: string): Promise<string[]> {
    const dir = join(this.#dir, workspace)
    const paths: string[] = []
    for (const part of await namesIn(dir)) {
      if (!/^[0-9a-f]{2}$/.test(part)) continue
      const names = await namesIn(join(dir, part))
      paths.push(...names.filter(isBlobName).map((name) => join(dir, part, name)))
    }
    return paths
  }

  async #usedBy(workspace: string): Promise<number> {
    const known = this.#used.get(workspace)
    if (known !== undefined) return known
    let used = 0
    for (const path of await this.#all(workspace)) used += (await sizeOf(path)) ?? 0
    this.#used.set(workspace, used)
    return used
  }

  /** Runs what must not meet its like in a workspace. */
  #inTurn<T>(workspace: string, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(workspace) ?? Promise.resolve()
    const turn = before.then(work).catch((error) => {
      throw storageError(error)
    })
    const after = turn.catch(() => {}) // the caller handles the error
    this.#turns.set(workspace, after)
    void after.then(() => {
      if (this.#turns.get(workspace) === after) this.#turns.delete(workspace)
    })
    return turn
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

/**
 * The chunks of a request's body. The body stays open if the caller stops early. Throws `malformed`
 * if it breaks off.
 */
const bytesOf = async function* (body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array
  } catch (cause) {
    const error = new ClawError(
      'malformed',
      `the body broke off: ${(cause as Error).message}`,
      'HEAD says how much is here; go on from there',
    )
    error.cause = cause
    throw error
  }
}

const storageError = (thrown: unknown): ClawError => {
  if (thrown instanceof ClawError) return thrown
  const { code, message } = thrown as NodeJS.ErrnoException
  const error = new ClawError(
    'storage_failed',
    `the server cannot store these bytes: ${code ?? message}`,
    code === 'ENOSPC' ? 'make room on the disk of the server' : 'see the server log',
  )
  error.cause = thrown
  return error
}
