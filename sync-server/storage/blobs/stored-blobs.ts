import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { ClawError } from '../../../protocol/errors.ts'
import { PARTIAL_KEPT_MS } from '../../config/limits.ts'
import type { Db } from '../integrity/db.ts'
import type { Op } from '../integrity/level-keys.ts'
import { type Blobs, badBlob, type Progress, receive, storageError } from './blobs.ts'
import { type Transfer, Transfers } from './transfers.ts'
import { Turns } from './turns.ts'
import { type Announced, makeRoom, type Unfinished, WrongOffset } from './upload-quotas.ts'

/** Bytes that are stored at once, with how far the upload is by then. */
const PIECE_BYTES = 256 * 1024
/** Digits of a position: more than the largest blob has. */
const POSITION_DIGITS = 12
/** Above all positions and workspace names. */
const END = '\uffff'

/** A complete blob. `at`: when it was put last (milliseconds since the epoch). */
interface Whole {
  size: number
  at: number
}

/** An unfinished upload: what has come, when and from whom. */
interface Begun {
  offset: number
  at: number
  by?: string
}

type Name = Pick<Announced, 'workspace' | 'sha256' | 'size'>

const wholeKey = (workspace: string, sha256: string): string => `b:${workspace}/${sha256}`
const begunKey = ({ workspace, sha256, size }: Name): string => `p:${workspace}/${sha256}.${size}`
const piecesOf = ({ workspace, sha256, size }: Name): string => `d:${workspace}/${sha256}.${size}/`
const pieceKey = (name: Name, position: number): string =>
  piecesOf(name) + String(position).padStart(POSITION_DIGITS, '0')
const positionOf = (key: string): number => Number(key.slice(-POSITION_DIGITS))
const json = (key: string, value: Whole | Begun): Op => ({
  ...{ type: 'put', key, value: Buffer.from(JSON.stringify(value)) },
})

/**
 * Blobs in the store, under the fence of the workspace's owner, so that an upload goes on at the next owner. Keys:
 *   `b:<workspace>/<SHA-256>`                   a complete blob: Whole (JSON)
 *   `p:<workspace>/<SHA-256>.<size>`            an unfinished upload: Begun (JSON)
 *   `d:<workspace>/<SHA-256>.<size>/<position>` its bytes from there on, up to the next such key
 */
export class StoredBlobs implements Blobs {
  readonly #db: Pick<Db, 'get' | 'iterator' | 'keys'>
  readonly #put: (ops: Op[]) => Promise<void>
  readonly #now: () => number
  readonly #transfers: Transfers
  readonly #turns = new Turns(async (workspace) =>
    (await this.list(workspace)).reduce((sum, { size }) => sum + size, 0),
  )

  /** `put` stores operations durably and together. */
  constructor(
    db: Pick<Db, 'get' | 'iterator' | 'keys'>,
    put: (ops: Op[]) => Promise<void>,
    now: () => number,
  ) {
    this.#db = db
    this.#put = put
    this.#now = now
    this.#transfers = new Transfers(now)
  }

  forget(workspace: string): void {
    this.#turns.forget(workspace)
  }

  bytesOf(workspace: string): Promise<number> {
    return this.#turns.run(workspace, () => this.#turns.used(workspace))
  }

  async size(workspace: string, sha256: string): Promise<number | null> {
    return (await this.#whole(workspace, sha256))?.size ?? null
  }

  async #json<T>(key: string): Promise<T | null> {
    const value = await this.#db.get(key)
    return value === undefined ? null : (JSON.parse(Buffer.from(value).toString()) as T)
  }

  #whole(workspace: string, sha256: string): Promise<Whole | null> {
    return this.#json<Whole>(wholeKey(workspace, sha256))
  }

  read(workspace: string, sha256: string, start: number, end: number): Readable {
    const bytes = async function* (this: StoredBlobs): AsyncGenerator<Uint8Array> {
      const whole = await this.#whole(workspace, sha256)
      if (whole === null) throw new Error('the blob is missing')
      yield* this.#bytes({ workspace, sha256, size: whole.size }, start, end)
    }
    return Readable.from(bytes.call(this))
  }

  /** The bytes from `start` to `end`, both included. */
  async *#bytes(name: Name, start: number, end: number): AsyncGenerator<Uint8Array> {
    const upTo = { gte: piecesOf(name), lte: pieceKey(name, start), reverse: true, limit: 1 }
    const [first] = await this.#db.keys(upTo).all()
    if (first === undefined) return
    for await (const [key, value] of this.#db.iterator({ gte: first, lte: pieceKey(name, end) })) {
      const from = positionOf(key)
      yield value.subarray(Math.max(0, start - from), end + 1 - from)
    }
  }

  async progress(upload: Announced): Promise<Progress> {
    const whole = await this.size(upload.workspace, upload.sha256)
    if (whole !== null) return { offset: whole, complete: true }
    const begun = await this.#json<Begun>(begunKey(upload))
    return { offset: begun?.offset ?? 0, complete: false }
  }

  async append(upload: Announced, offset: number, body: Readable): Promise<Progress> {
    if (await this.#renew(upload)) return { offset: upload.size, complete: true }
    return this.#transfers.run(begunKey(upload), body, (transfer) =>
      this.#append(upload, offset, body, transfer).catch((error) => {
        throw storageError(error)
      }),
    )
  }

  async #append(
    upload: Announced,
    offset: number,
    body: Readable,
    transfer: Transfer,
  ): Promise<Progress> {
    await this.#turns.run(upload.workspace, () => this.#begin(upload, offset))
    let at = offset
    let waiting: Uint8Array[] = []
    const store = async (): Promise<void> => {
      const value = Buffer.concat(waiting)
      waiting = []
      if (value.length === 0 || transfer.isCut) return
      await this.#put([
        { type: 'put', key: pieceKey(upload, at - value.length), value },
        json(begunKey(upload), this.#begun(upload, at)),
      ])
    }
    try {
      const drop = async (): Promise<void> => {
        waiting = []
        await this.#drop(upload)
      }
      for await (const part of receive({ upload, offset, body, transfer, drop })) {
        // The stream may use the memory of a chunk again.
        waiting.push(Uint8Array.from(part.chunk))
        at = part.at + part.chunk.length
        if (waiting.reduce((sum, { length }) => sum + length, 0) >= PIECE_BYTES) await store()
      }
    } finally {
      await store()
      if (at === 0 && upload.size > 0 && !transfer.isCut)
        await this.#put([{ type: 'del', key: begunKey(upload) }])
    }
    if (at < upload.size) return { offset: at, complete: false }
    transfer.complete()
    await this.#finish(upload)
    return { offset: at, complete: true }
  }

  #begun({ by }: Announced, offset: number): Begun {
    return { offset, at: this.#now(), ...(by !== undefined && { by }) }
  }

  /** Throws `wrong_offset` if the upload is not there; `too_large`, `busy`, `quota` where it is new. */
  async #begin(upload: Announced, offset: number): Promise<void> {
    const begun = await this.#json<Begun>(begunKey(upload))
    if (offset !== (begun?.offset ?? 0)) throw new WrongOffset(begun?.offset ?? 0)
    if (begun !== null) return
    const { workspace } = upload
    await this.#dropOld(workspace)
    await makeRoom(upload, {
      used: () => this.#turns.used(workspace),
      unfinished: async () => (await this.#unfinished(workspace)).map(({ upload }) => upload),
      drop: (key) => this.#drop(nameOf(key)),
    })
    await this.#put([json(begunKey(upload), this.#begun(upload, 0))])
  }

  /** Verifies a complete upload, and makes it a blob. */
  async #finish(upload: Announced): Promise<void> {
    const { workspace, sha256, size } = upload
    const hash = createHash('sha256')
    let read = 0
    for await (const bytes of this.#bytes(upload, 0, size - 1)) {
      hash.update(bytes)
      read += bytes.length
    }
    if (read !== size || hash.digest('hex') !== sha256) {
      await this.#drop(upload)
      throw badBlob(upload)
    }
    await this.#turns.run(workspace, async () => {
      const used = await this.#turns.used(workspace)
      const before = await this.size(workspace, sha256)
      await this.#put([
        json(wholeKey(workspace, sha256), { size, at: this.#now() }),
        { type: 'del', key: begunKey(upload) },
      ])
      this.#turns.set(workspace, used + size - (before ?? 0))
    })
  }

  /** Sets an existing blob's time to now; false if it does not exist. */
  #renew({ workspace, sha256, size }: Announced): Promise<boolean> {
    return this.#turns.run(workspace, async () => {
      const there = await this.size(workspace, sha256)
      if (there === null) return false
      if (there !== size) throw new ClawError('usage', `that blob has ${there} bytes, not ${size}`)
      await this.#put([json(wholeKey(workspace, sha256), { size, at: this.#now() })])
      return true
    })
  }

  async workspaces(): Promise<string[]> {
    const names = new Set<string>()
    for (const kind of ['b:', 'p:']) {
      for (let after = kind; ; ) {
        const [key] = await this.#db.keys({ gt: after, lt: kind + END, limit: 1 }).all()
        if (key === undefined) break
        const name = key.slice(2, key.indexOf('/'))
        names.add(name)
        after = `${kind}${name}/${END}`
      }
    }
    return [...names].sort()
  }

  async collect(workspace: string, wanted: ReadonlySet<string>, before: number): Promise<number> {
    await this.#turns.run(workspace, () => this.#dropOld(workspace))
    let collected = 0
    for (const { sha256 } of await this.list(workspace)) {
      if (wanted.has(sha256)) continue
      // One lock per blob: a concurrent put either renews it first, or finds it gone.
      await this.#turns.run(workspace, async () => {
        const whole = await this.#whole(workspace, sha256)
        if (whole === null || whole.at >= before) return
        const { size } = whole
        const used = await this.#turns.used(workspace)
        const gone: Op = { type: 'del', key: wholeKey(workspace, sha256) }
        await this.#put([gone, ...(await this.#pieces({ workspace, sha256, size }))])
        this.#turns.set(workspace, used - size)
        collected++
      })
    }
    return collected
  }

  /** The complete blobs of a workspace. */
  async list(workspace: string): Promise<{ sha256: string; size: number }[]> {
    const range = { gt: `b:${workspace}/`, lt: `b:${workspace}/${END}` }
    return (await this.#db.iterator(range).all()).map(([key, value]) => ({
      sha256: key.slice(-64),
      size: (JSON.parse(Buffer.from(value).toString()) as Whole).size,
    }))
  }

  async #unfinished(workspace: string): Promise<{ upload: Unfinished; at: number }[]> {
    const range = { gt: `p:${workspace}/`, lt: `p:${workspace}/${END}` }
    return (await this.#db.iterator(range).all()).map(([key, value]) => {
      const { at, by } = JSON.parse(Buffer.from(value).toString()) as Begun
      const isWhole = this.#transfers.get(key)?.isComplete === true
      return { upload: { key, size: nameOf(key).size, by, isWhole }, at }
    })
  }

  /** Deletes the uploads without a transfer and without new bytes for PARTIAL_KEPT_MS. */
  async #dropOld(workspace: string): Promise<void> {
    const before = this.#now() - PARTIAL_KEPT_MS
    for (const { upload, at } of await this.#unfinished(workspace)) {
      if (at < before && this.#transfers.get(upload.key) === undefined) {
        await this.#drop(nameOf(upload.key))
      }
    }
  }

  /** Ends an incomplete upload and deletes its bytes. */
  async #drop(name: Name): Promise<void> {
    const key = begunKey(name)
    this.#transfers.get(key)?.cut()
    await this.#put([{ type: 'del', key }, ...(await this.#pieces(name))])
  }

  /** Deletes the bytes of an upload. */
  async #pieces(name: Name): Promise<Op[]> {
    const range = { gt: piecesOf(name), lt: piecesOf(name) + END }
    return (await this.#db.keys(range).all()).map((key) => ({ type: 'del', key }))
  }
}

/** The upload of a `p:` key. */
const nameOf = (key: string): Name => {
  const [workspace = '', name = ''] = key.slice(2).split('/')
  const [sha256 = '', size = ''] = name.split('.')
  return { workspace, sha256, size: Number(size) }
}
