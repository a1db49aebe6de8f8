import { statfs } from 'node:fs/promises'
import { RECOVERY_BYTES, RECOVERY_MS } from '../config/limits.ts'

export interface RecoveryEnv {
  /** The data folder. */
  data: string
  /** Opens the store again and stores something; rejects while that does not work. */
  recover: () => Promise<void>
  onRecovered: () => void
  onError: (error: unknown) => void
}

/** Bytes that may still be written below a folder. */
export const freeBytes = async (dir: string): Promise<number> => {
  const { bavail, bsize } = await statfs(dir)
  return bavail * bsize
}

/** After the store failed, tries now and then to open it again, once there is room on its disk. */
export class Recovery {
  readonly #env: RecoveryEnv
  #timer: NodeJS.Timeout | null = null
  #trying: Promise<void> | null = null
  #closed = false
  #lastError = ''

  constructor(env: RecoveryEnv) {
    this.#env = env
  }

  begin(): void {
    if (this.#closed || this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#trying = this.#try().finally(() => {
        this.#trying = null
      })
    }, RECOVERY_MS)
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
      // Once a second would fill a log.
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
