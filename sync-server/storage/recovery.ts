import { statfs } from 'node:fs/promises'
import { RECOVERY_BYTES, RECOVERY_MS } from '../config/limits.ts'

export interface RecoveryEnv {
  /** The data folder. */
  data: string
  /** Opens the store again and writes to it; rejects if that fails. */
  recover: () => Promise<void>
  onRecovered: () => void
  onError: (error: unknown) => void
}

/** Free bytes of a folder's file system. */
export const freeBytes = async (dir: string): Promise<number> => {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}

/** Retries to open a failed store from time to time, once its disk has free space. */
export class Recovery {
  readonly #env: RecoveryEnv
  #timer: NodeJS.Timeout | null = null
  #trying: Promise<void> | null = null
  #closed = false
  #lastError = ''

  constructor(env: RecoveryEnv) {
    this.#env = env
  }

  /** Tries for the first time after `ms`. */
  begin(ms = RECOVERY_MS): void {
    if (this.#closed || this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#trying = this.#try().finally(() => {
        this.#trying = null
      })
    }, ms)
  }

  async #try(): Promise<void> {
    const { data, recover, onRecovered, onError } = this.#env
    try {
      const hasRoom = (await freeBytes(data)) >= RECOVERY_BYTES
      if (hasRoom && !this.#closed) await recover()
      this.#timer = null
      if (!hasRoom) this.begin()
      else if (!this.#closed) onRecovered()
      this.#lastError = ''
    } catch (error) {
      // Logging each second would fill the log.
      const { message } = error as Error
      if (message !== this.#lastError) onError(error)
      this.#lastError = message
      this.#timer = null
      this.begin()
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#trying
  }
}
