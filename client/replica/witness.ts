import { readdirSync, readFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { replaceOwn } from '../../lib/disk/own-file.ts'
import { parseWitness, type Witness } from '../../protocol/witness.ts'

/** Milliseconds between two writes of a witness: each costs an fsync, and an older witness is good, too. */
const REST_MS = 1_000
/** Witnesses of other logs that are kept (count). */
const MAX_ASIDE = 8

/** The witness in a file; null if there is none. */
export const readWitness = (path: string): Witness | null => {
  try {
    return parseWitness(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

/** The file of a replica's witness, beside its folder. */
export const witnessPath = (replicaDir: string): string => `${replicaDir}.witness`

/** The files of the witnesses of a replica: the one in use, then those of other logs, which were set aside. */
export const witnessFiles = (replicaDir: string): string[] => {
  const path = witnessPath(replicaDir)
  return [path, ...asides(path)]
}

const asides = (path: string): string[] => {
  const prefix = `${basename(path)}-`
  try {
    const names = readdirSync(dirname(path)).filter((name) => name.startsWith(prefix))
    return names.sort().map((name) => join(dirname(path), name))
  } catch {
    return []
  }
}

/**
 * Keeps the newest head that a server gave out for a workspace, in one line on disk. A server whose log lost records
 * cannot take it back: where a head contradicts the kept one, that is set aside and stays.
 */
export class WitnessFile {
  readonly #path: string
  readonly #workspace: string
  readonly #now: () => number
  #known: Witness | null
  #isSaved = true
  #timer: NodeJS.Timeout | null = null
  /** Time of the last write, in milliseconds since the epoch. */
  #savedAt = Number.NEGATIVE_INFINITY
  /** Changes of the files, one at a time. */
  #changes: Promise<void> = Promise.resolve()

  constructor(replicaDir: string, workspace: string, now: () => number) {
    this.#path = witnessPath(replicaDir)
    this.#workspace = workspace
    this.#now = now
    this.#known = readWitness(this.#path)
  }

  /** Notes a head. It is on disk after REST_MS, or when `close` resolves. */
  note(seq: number, head: Uint8Array): void {
    const known = this.#known
    const hex = Buffer.from(head).toString('hex')
    if (known?.seq === seq && known.head === hex) return
    const now = this.#now()
    this.#known = {
      ...{ workspace: this.#workspace, seq, head: hex },
      at: new Date(now).toISOString(),
    }
    if (known !== null && seq <= known.seq) this.#change(() => this.#setAside(known))
    this.#isSaved = false
    const wait = Math.max(0, this.#savedAt + REST_MS - now)
    this.#timer ??= setTimeout(() => this.#save(), Math.min(wait, REST_MS)).unref()
  }

  #save(): void {
    this.#timer = null
    this.#savedAt = this.#now()
    if (this.#isSaved) return
    this.#isSaved = true
    const witness = this.#known!
    this.#change(() => replaceOwn(this.#path, witness))
  }

  /** A change that fails costs nothing but itself: the profile has an older witness, or none. */
  #change(change: () => Promise<void>): void {
    this.#changes = this.#changes.then(change).catch(() => {})
  }

  async #setAside({ seq, head }: Witness): Promise<void> {
    if (asides(this.#path).length >= MAX_ASIDE) return
    await rename(this.#path, `${this.#path}-${seq}-${head.slice(0, 8)}`)
  }

  /** Resolves when the newest head is on disk. */
  close(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#save()
    return this.#changes
  }
}
