import { Mutex } from '../../../lib/mutex.ts'
import { didYouMean } from '../../../lib/text/suggest.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { FileId, FileKey } from '../../../protocol/ids.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
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

/** The named checkpoints of all workspaces. Retention asks it for the versions to keep. */
export class Checkpoints {
  readonly #facts: FactLog
  readonly #pins = new Map<string, Promise<Pins>>()
  readonly #mutexes = new Map<string, Mutex>()

  constructor(facts: FactLog) {
    this.#facts = facts
  }

  /** The checkpoints of a workspace, oldest first. */
  async list(workspace: string): Promise<CheckpointInfo[]> {
    return (await this.#described(workspace)).map(show)
  }

  /** One checkpoint with its files, by path. Throws `unknown_checkpoint`. */
  async get(workspace: string, name: string): Promise<CheckpointInfo & { of: CheckpointFile[] }> {
    const found = (await this.#facts.get(infoKey(workspace, name))) as Described | null
    const files =
      found && ((await this.#facts.get(filesKey(workspace, name))) as PackedFile[] | null)
    if (found === null || files === null) throw await this.#unknown(workspace, name)
    return { ...show(found), of: files.map(unpack) }
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
    const found = await this.#facts.entries(infoKey(workspace, ''))
    return found.map(({ json }) => json as Described).sort((a, b) => a.at - b.at)
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
    for (const { json } of await this.#facts.entries(filesKey(workspace, ''))) {
      pin(pins, (json as PackedFile[]).map(unpack))
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
