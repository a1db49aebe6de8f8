import { Mutex } from '../../../lib/mutex.ts'
import { didYouMean } from '../../../lib/text/suggest.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { FileId, FileKey } from '../../../protocol/ids.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
import { isPlainObject, MAX_TIME_MS } from '../../../workspace/document/values.ts'
import type { CheckpointFile, CheckpointInfo } from '../../../workspace/files/checkpoint.ts'
import { MAX_CHECKPOINT_FILES, MAX_CHECKPOINTS } from '../../config/limits.ts'
import type { Op } from '../../storage/integrity/level-keys.ts'
import type { FactLog } from '../../storage/update-log.ts'

/**
 * Checkpoints as facts of the server. Keys, their values JSON:
 *   `t:<workspace>/i:<name>` its description: Described
 *   `t:<workspace>/f:<name>` its files: PackedFile[]
 */
interface Described {
  name: string
  note: string
  by: string
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  files: number
  /** The idempotency key of the command that made it. */
  key: string | null
}

/** Id (0: the same as the path), path, version; of a binary file also its SHA-256. */
type PackedFile = [FileId | 0, FileKey, number] | [FileId | 0, FileKey, number, string]

/** The description in a stored value; null: it is none. */
export const readDescribed = (json: unknown): Described | null => {
  if (!isPlainObject(json)) return null
  const { name, note, by, at, files, key } = json
  const areTexts = [name, note, by].every((one) => typeof one === 'string')
  const hasKey = key === null || typeof key === 'string'
  return areTexts && hasKey && isTime(at) && isCount(files) ? (json as unknown as Described) : null
}

/** The files in a stored value; null: they are none. */
export const readFiles = (json: unknown): CheckpointFile[] | null =>
  Array.isArray(json) && json.every(isPacked) ? json.map(unpack) : null

const isPacked = (value: unknown): value is PackedFile => {
  if (!Array.isArray(value)) return false
  const [id, path, version, sha256] = value as unknown[]
  const hasId = id === 0 || typeof id === 'string'
  const hasBlob = sha256 === undefined || typeof sha256 === 'string'
  return hasId && typeof path === 'string' && isCount(version) && hasBlob
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isTime = (value: unknown): boolean => isCount(value) && (value as number) <= MAX_TIME_MS

export interface NewCheckpoint extends Omit<Described, 'files'> {
  files: readonly CheckpointFile[]
}

/** Versions and blobs that the checkpoints of one workspace name. */
interface Pins {
  versions: Map<string, Set<number>>
  blobs: Set<string>
}

const utf8 = new TextEncoder()
const put = (key: string, value: Described | readonly PackedFile[]): Op => ({
  type: 'put',
  key,
  value: utf8.encode(JSON.stringify(value)),
})

const infoKey = (workspace: string, name: string): string => `t:${workspace}/i:${name}`
const filesKey = (workspace: string, name: string): string => `t:${workspace}/f:${name}`

const pack = ({ id, path, version, sha256 }: CheckpointFile): PackedFile => {
  const shortId = id === (path as string) ? 0 : id
  return sha256 === undefined ? [shortId, path, version] : [shortId, path, version, sha256]
}

const unpack = ([id, path, version, sha256]: PackedFile): CheckpointFile => ({
  id: id === 0 ? (path as string as FileId) : id,
  path,
  version,
  ...(sha256 !== undefined && { sha256 }),
})

const show = ({ name, note, by, at, files }: Described): CheckpointInfo => ({
  ...{ name, note, by, files },
  at: isoTime(at),
})

/**
 * The named checkpoints of all workspaces. Retention asks it for the versions to keep. A checkpoint that cannot be read
 * is left out, and can be made anew.
 */
export class Checkpoints {
  readonly #facts: FactLog
  readonly #pins = new Map<string, Promise<Pins>>()
  readonly #mutexes = new Map<string, Mutex>()

  constructor(facts: FactLog) {
    this.#facts = facts
  }

  /** Forgets what is in memory of a workspace: another process may write it. */
  forget(workspace: string): void {
    this.#pins.delete(workspace)
  }

  /** The checkpoints of a workspace, oldest first. */
  async list(workspace: string): Promise<CheckpointInfo[]> {
    return (await this.#described(workspace)).map(show)
  }

  /** One checkpoint with its files, by path. Throws `unknown_checkpoint`. */
  async get(workspace: string, name: string): Promise<CheckpointInfo & { of: CheckpointFile[] }> {
    const found = readDescribed(await this.#fact(infoKey(workspace, name)))
    const files = found && readFiles(await this.#fact(filesKey(workspace, name)))
    if (found === null || files === null) throw await this.#unknown(workspace, name)
    return { ...show(found), of: files }
  }

  /**
   * Stores a checkpoint, once per key. Throws `checkpoint_exists`, and `too_large` where the workspace has
   * MAX_CHECKPOINTS, or these name MAX_CHECKPOINT_FILES files together.
   */
  add(workspace: string, { files, ...made }: NewCheckpoint): Promise<CheckpointInfo> {
    return this.#inTurn(workspace, async () => {
      const all = await this.#described(workspace)
      const known = all.find(({ name }) => name === made.name)
      if (known !== undefined) {
        if (made.key !== null && known.key === made.key && known.by === made.by) return show(known)
        throw new ClawError(
          'checkpoint_exists',
          `there is a checkpoint ${made.name}, made by ${known.by} at ${isoTime(known.at)}`,
          `choose another name, or: checkpoint ${made.name} --remove`,
        )
      }
      checkRoom(all, files.length)
      const described: Described = { ...made, files: files.length }
      const pins = await this.#pinsOf(workspace)
      await this.#facts.put([
        put(infoKey(workspace, made.name), described),
        put(filesKey(workspace, made.name), files.map(pack)),
      ])
      pin(pins, files)
      return show(described)
    })
  }

  /** Throws `unknown_checkpoint`, and what `check` throws. */
  remove(
    workspace: string,
    name: string,
    check: (info: CheckpointInfo) => void,
  ): Promise<CheckpointInfo> {
    return this.#inTurn(workspace, async () => {
      const { of: _, ...info } = await this.get(workspace, name)
      check(info)
      await this.#facts.put([
        { type: 'del', key: infoKey(workspace, name) },
        { type: 'del', key: filesKey(workspace, name) },
      ])
      this.#pins.delete(workspace)
      return info
    })
  }

  /** The versions of a file that checkpoints name. */
  async pinned(workspace: string, file: string): Promise<ReadonlySet<number>> {
    return (await this.#pinsOf(workspace)).versions.get(file) ?? NONE
  }

  /** The blobs that checkpoints name. */
  async pinnedBlobs(workspace: string): Promise<ReadonlySet<string>> {
    return (await this.#pinsOf(workspace)).blobs
  }

  async #described(workspace: string): Promise<Described[]> {
    const found = await this.#facts.readable(infoKey(workspace, ''))
    return found.flatMap(({ json }) => readDescribed(json) ?? []).sort((a, b) => a.at - b.at)
  }

  /** A readable value; null: there is none. */
  async #fact(key: string): Promise<unknown> {
    const found = await this.#facts.readable(key)
    return found.find((one) => one.key === key)?.json ?? null
  }

  #pinsOf(workspace: string): Promise<Pins> {
    let pins = this.#pins.get(workspace)
    if (pins === undefined) {
      pins = this.#readPins(workspace)
      pins.catch(() => this.#pins.delete(workspace))
      this.#pins.set(workspace, pins)
    }
    return pins
  }

  async #readPins(workspace: string): Promise<Pins> {
    const pins: Pins = { versions: new Map(), blobs: new Set() }
    for (const { json } of await this.#facts.readable(filesKey(workspace, ''))) {
      pin(pins, readFiles(json) ?? [])
    }
    return pins
  }

  async #unknown(workspace: string, name: string): Promise<ClawError> {
    const known = (await this.#described(workspace)).map((one) => one.name)
    return new ClawError(
      'unknown_checkpoint',
      `no checkpoint "${name.slice(0, 80)}" in this workspace`,
      didYouMean(name, known) || 'checkpoints lists them',
    )
  }

  #inTurn<T>(workspace: string, work: () => Promise<T>): Promise<T> {
    const mutex = this.#mutexes.get(workspace) ?? new Mutex()
    this.#mutexes.set(workspace, mutex)
    return mutex.run(work)
  }
}

const NONE: ReadonlySet<number> = new Set()

const pin = ({ versions, blobs }: Pins, files: readonly CheckpointFile[]): void => {
  for (const { id, version, sha256 } of files) {
    if (sha256 !== undefined) blobs.add(sha256)
    const known = versions.get(id)
    if (known === undefined) versions.set(id, new Set([version]))
    else known.add(version)
  }
}

/** Throws `too_large`. */
const checkRoom = (all: readonly Described[], files: number): void => {
  const remove = `remove one: checkpoint ${all[0]?.name ?? 'NAME'} --remove`
  if (all.length >= MAX_CHECKPOINTS) {
    throw new ClawError(
      'too_large',
      `the workspace has ${all.length} checkpoints; the limit is ${MAX_CHECKPOINTS}`,
      remove,
    )
  }
  const named = all.reduce((sum, one) => sum + one.files, files)
  if (named <= MAX_CHECKPOINT_FILES) return
  throw new ClawError(
    'too_large',
    `the checkpoints would name ${named} files together; the limit is ${MAX_CHECKPOINT_FILES}`,
    remove,
  )
}
