import { type FileHandle, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { PARTIAL_KEPT_MS } from '../../config/limits.ts'
import { makeDir, namesIn, sizeOf } from '../integrity/disk.ts'
import { type Transfer, Transfers } from './transfers.ts'
import { type Announced, makeRoom, type Unfinished, WrongOffset } from './upload-quotas.ts'

/**
 * The unfinished uploads below one folder, as `<workspace>/partial/<SHA-256>.<size>`, and the limits on them. The caller
 * runs `open` and `dropOld` of a workspace one at a time.
 */
export class PartialUploads {
  readonly #dir: string
  readonly #now: () => number
  readonly #transfers: Transfers
  /** The agent that began an unfinished upload, by path. */
  readonly #begunBy = new Map<string, string>()

  constructor(dir: string, now: () => number) {
    this.#dir = dir
    this.#now = now
    this.#transfers = new Transfers(now)
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
  transfer<T>(
    upload: Announced,
    body: Readable,
    send: (transfer: Transfer) => Promise<T>,
  ): Promise<T> {
    return this.#transfers.run(this.path(upload), body, send)
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
    await this.dropOld(upload.workspace)
    await makeRoom(upload, {
      ...{ used, unfinished: () => this.#unfinished(upload.workspace) },
      drop: (key) => this.#drop(key),
    })
    await makeDir(this.#folder(upload.workspace))
    const file = await open(path, 'wx')
    if (upload.by !== undefined) this.#begunBy.set(path, upload.by)
    return file
  }

  /** The unfinished uploads of a workspace. */
  async #unfinished(workspace: string): Promise<Unfinished[]> {
    const dir = this.#folder(workspace)
    return (await namesIn(dir)).map((name) => {
      const key = join(dir, name)
      const isWhole = this.#transfers.get(key)?.isComplete === true
      return { key, size: Number(name.split('.')[1]) || 0, by: this.#begunBy.get(key), isWhole }
    })
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
      if (this.#transfers.get(path) !== undefined) continue
      const { mtimeMs } = await stat(path)
      if (mtimeMs < this.#now() - PARTIAL_KEPT_MS) await this.#drop(path)
    }
  }

  /** Forgets an upload whose file got its final name. */
  moved(path: string): void {
    this.#begunBy.delete(path)
  }
}
