import { MAX_MIRROR_BYTES } from '../../protocol/limits.ts'
import type { Listed } from './disk/scan.ts'

/** Files take disk space in blocks of this many bytes on most file systems. */
const BLOCK_BYTES = 4096

export const FULL = 'the mirror would take more of the disk than it may: --max-size allows more'

const blocks = (bytes: number): number => Math.max(1, Math.ceil(bytes / BLOCK_BYTES)) * BLOCK_BYTES

/** Disk space that a mirror's files take, and its limit. */
export class Budget {
  readonly #most: number
  #files = new Map<string, number>()
  #total = 0

  constructor(most = MAX_MIRROR_BYTES) {
    this.#most = most
  }

  /** Replaces the known files by those on the disk. */
  set(files: ReadonlyMap<string, Listed>): void {
    this.#files = new Map([...files].map(([rel, { bytes }]) => [rel, blocks(bytes)]))
    this.#total = 0
    for (const bytes of this.#files.values()) this.#total += bytes
  }

  /**
   * Counts a text that is about to be written (null: removed). Returns a function that undoes that,
   * or null if the text is over the limit.
   */
  take(rel: string, text: string | null): (() => void) | null {
    const before = this.#files.get(rel) ?? 0
    const after = text === null ? 0 : blocks(Buffer.byteLength(text))
    if (after > before && this.#total - before + after > this.#most) return null
    this.#put(rel, after)
    return () => this.#put(rel, before)
  }

  #put(rel: string, bytes: number): void {
    this.#total += bytes - (this.#files.get(rel) ?? 0)
    if (bytes === 0) this.#files.delete(rel)
    else this.#files.set(rel, bytes)
  }
}
