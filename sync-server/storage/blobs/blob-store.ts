import { createReadStream } from 'node:fs'
import { type FileHandle, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { syncFolder } from '../../../lib/disk/sync-folder.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { isBlobName } from '../../../protocol/ids.ts'
import { digestOf, makeDir, namesIn, sizeOf, touch, write } from '../integrity/disk.ts'
import { type Blobs, badBlob, type Progress, receive, storageError } from './blobs.ts'
import { PartialUploads } from './partial-uploads.ts'
import type { Transfer } from './transfers.ts'
import { Turns } from './turns.ts'
import type { Announced } from './upload-quotas.ts'

/**
 * Stores the bytes of binary files below one folder, as `<workspace>/<first two digits>/<SHA-256>`;
 * unfinished uploads are at `<workspace>/partial/<SHA-256>.<size>`. A blob gets its name once it is
 * complete, verified and fsynced, so every named blob is good. The caller checks `workspace` and
 * `sha256`. Methods throw `storage_failed` if the disk fails.
 */
export class BlobStore implements Blobs {
  readonly #dir: string
  readonly #now: () => number
  readonly #partials: PartialUploads
  readonly #turns = new Turns((workspace) => this.#count(workspace))

  constructor(dir: string, now: () => number) {
    this.#dir = dir
    this.#now = now
    this.#partials = new PartialUploads(dir, now)
  }

  #path({ workspace, sha256 }: Omit<Announced, 'size'>): string {
    return join(this.#dir, workspace, sha256.slice(0, 2), sha256)
  }

  forget(workspace: string): void {
    this.#turns.forget(workspace)
  }

  /** Bytes of a workspace's complete blobs. */
  bytesOf(workspace: string): Promise<number> {
    return this.#turns.run(workspace, () => this.#turns.used(workspace))
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
    return { offset: await this.#partials.offset(upload), complete: false }
  }

  /**
   * Appends `body` at `offset`. A complete upload is verified and gets its final name. A blob that
   * exists already counts as put now. Throws `wrong_offset`; `busy` while another request sends the
   * same upload; `too_large`; `quota`; `usage` for more bytes than announced and `bad_blob` for
   * other bytes, which both end the upload; `malformed` if the body breaks off, after which the
   * upload can continue.
   */
  async append(upload: Announced, offset: number, body: Readable): Promise<Progress> {
    if (await this.#renew(upload)) return { offset: upload.size, complete: true }
    return this.#partials.transfer(upload, body, (transfer) =>
      this.#append(upload, offset, body, transfer),
    )
  }

  async #append(
    upload: Announced,
    offset: number,
    body: Readable,
    transfer: Transfer,
  ): Promise<Progress> {
    const { workspace } = upload
    const path = this.#partials.path(upload)
    const file = await this.#turns.run(workspace, () =>
      this.#partials.open(upload, offset, () => this.#turns.used(workspace)),
    )
    let at = offset
    try {
      const drop = () => rm(path)
      for await (const part of receive({ upload, offset, body, transfer, drop })) {
        await write(file, part.chunk, part.at)
        at = part.at + part.chunk.length
      }
      if (at < upload.size) return { offset: at, complete: false }
      transfer.complete()
      await this.#finish(upload, file)
      return { offset: at, complete: true }
    } catch (error) {
      throw storageError(error)
    } finally {
      await file.close().catch(() => {}) // the bytes are written already
      if (at === 0 && upload.size > 0) await rm(path, { force: true })
    }
  }

  /** Verifies a complete upload and moves it to its final name, durably. */
  async #finish(upload: Announced, file: FileHandle): Promise<void> {
    const { workspace, sha256, size } = upload
    const partial = this.#partials.path(upload)
    if ((await digestOf(partial)) !== sha256) {
      await rm(partial)
      throw badBlob(upload)
    }
    await file.sync()
    await this.#turns.run(workspace, async () => {
      const path = this.#path(upload)
      const used = await this.#turns.used(workspace)
      const before = await sizeOf(path)
      await makeDir(dirname(path))
      await touch(partial, this.#now())
      await rename(partial, path)
      await syncFolder(dirname(path)).catch(async (error) => {
        // A power loss must not take a blob's name back.
        if (before === null) await rename(path, partial)
        throw error
      })
      this.#partials.moved(partial)
      this.#turns.set(workspace, used + size - (before ?? 0))
    })
  }

  /** Sets an existing blob's time to now; false if it does not exist. */
  #renew({ workspace, sha256, size }: Announced): Promise<boolean> {
    return this.#turns.run(workspace, async () => {
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
    await this.#turns.run(workspace, () => this.#partials.dropOld(workspace))
    let collected = 0
    for (const path of await this.#all(workspace)) {
      if (wanted.has(path.slice(-64))) continue
      // One lock per blob: a concurrent put either renews it first, or finds it gone.
      await this.#turns.run(workspace, async () => {
        const { mtimeMs, size } = await stat(path)
        if (mtimeMs >= before) return
        const used = await this.#turns.used(workspace)
        await rm(path)
        this.#turns.set(workspace, used - size)
        collected++
      })
    }
    return collected
  }

  /** The complete blobs of a workspace. */
  async list(workspace: string): Promise<{ sha256: string; size: number }[]> {
    const paths = await this.#all(workspace)
    return Promise.all(
      paths.map(async (path) => ({ sha256: path.slice(-64), size: (await sizeOf(path)) ?? 0 })),
    )
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

  async #count(workspace: string): Promise<number> {
    let bytes = 0
    for (const path of await this.#all(workspace)) bytes += (await sizeOf(path)) ?? 0
    return bytes
  }
}
