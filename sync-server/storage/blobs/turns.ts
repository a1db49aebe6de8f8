import { Mutex } from '../../../lib/mutex.ts'
import { storageError } from './blobs.ts'

/** Runs the changes of a workspace's blobs one at a time, and keeps how many bytes they are. */
export class Turns {
  readonly #count: (workspace: string) => Promise<number>
  readonly #used = new Map<string, number>()
  readonly #mutexes = new Map<string, Mutex>()

  /** `count` adds up the bytes of a workspace's complete blobs. */
  constructor(count: (workspace: string) => Promise<number>) {
    this.#count = count
  }

  /** Runs work on a workspace's blobs after all earlier work. Rejects with `storage_failed` if the storage fails. */
  run<T>(workspace: string, work: () => Promise<T>): Promise<T> {
    const mutex = this.#mutexes.get(workspace) ?? new Mutex()
    this.#mutexes.set(workspace, mutex)
    return mutex.run(work).catch((error) => {
      throw storageError(error)
    })
  }

  /** Bytes of a workspace's complete blobs; to be called in a turn. */
  async used(workspace: string): Promise<number> {
    const known = this.#used.get(workspace)
    if (known !== undefined) return known
    const used = await this.#count(workspace)
    this.#used.set(workspace, used)
    return used
  }

  /** Notes that the blobs of a workspace are `used` bytes now; to be called in a turn. */
  set(workspace: string, used: number): void {
    this.#used.set(workspace, used)
  }

  /** Forgets the bytes of a workspace: another process may write it. */
  forget(workspace: string): void {
    this.#used.delete(workspace)
  }
}
