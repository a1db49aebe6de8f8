import { ClawError } from '../../../protocol/errors.ts'
import { MAX_BLOB_BYTES } from '../../../protocol/limits.ts'
import { BLOB_QUOTA_BYTES, MAX_AGENT_PARTIALS, MAX_PARTIALS } from '../../config/limits.ts'

/** An upload as announced: the workspace, and the SHA-256 and length of the bytes. */
export interface Announced {
  workspace: string
  sha256: string
  /** Bytes. */
  size: number
  /** The agent that uploads; absent if unknown. */
  by?: string | undefined
}

/** An unfinished upload; in a folder its agent is unknown after a restart. */
export interface Unfinished {
  key: string
  /** As announced (bytes). */
  size: number
  by: string | undefined
  /** True once all bytes arrived; they are then being verified. */
  isWhole: boolean
}

/** The upload continues at another offset than the caller gave. */
export class WrongOffset extends ClawError {
  readonly offset: number

  constructor(offset: number) {
    super('wrong_offset', `the upload goes on at byte ${offset}`, 'send what comes from there on')
    this.offset = offset
  }
}

/** The uploads of a workspace that are not finished, and the bytes of its complete blobs. */
export interface Uploads {
  unfinished: () => Promise<readonly Unfinished[]>
  used: () => Promise<number>
  /** Ends an incomplete upload and deletes its bytes. */
  drop: (key: string) => Promise<void>
}

/**
 * Drops the uploads of the agent that announced the most, until a new one fits. Throws `too_large`, `busy`, `quota`.
 */
export const makeRoom = async (upload: Announced, uploads: Uploads): Promise<void> => {
  const { size, by } = upload
  if (size > MAX_BLOB_BYTES) {
    throw new ClawError(
      'too_large',
      `the file is ${size} bytes; the limit for binary files is ${MAX_BLOB_BYTES}`,
      'split or compress it',
    )
  }
  const used = await uploads.used()
  for (;;) {
    const all = await uploads.unfinished()
    const mine = all.filter((one) => by !== undefined && one.by === by)
    if (mine.length >= MAX_AGENT_PARTIALS) {
      throw new ClawError(
        'busy',
        `${mine.length} of your uploads are unfinished here; the limit is ${MAX_AGENT_PARTIALS}`,
        'go on with one of them, or try again when one is done',
      )
    }
    const announced = sizeOfAll(all)
    if (all.length < MAX_PARTIALS && used + announced + size <= BLOB_QUOTA_BYTES) return
    const least = sizeOfAll(mine) + size
    const gone = used + size <= BLOB_QUOTA_BYTES ? tooGreedy(all, by, least) : null
    if (gone === null) {
      throw new ClawError(
        'quota',
        `the workspace has ${used + announced} bytes that are not text; with these ${size} it would be over its ${BLOB_QUOTA_BYTES}`,
        'file-rm unneeded files; their space is free about a week later',
      )
    }
    await uploads.drop(gone.key)
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
