import { RING_BYTES } from '../../config/limits.ts'
import { updateFrame } from './frame-writer.ts'

/** The frames that one commit sends to every reader, adjacent and ready for the socket. */
export interface Chunk {
  seq: number
  bytes: Buffer
  /** The span in `bytes` of each sender's own frames, by connection id. */
  own: ReadonlyMap<number, { start: number; end: number }>
  /** The same with the clients' updates merged into one, for readers that wrote none of them; null: not merged. */
  merged: Buffer | null
}

interface Entry {
  /** The id of its connection. */
  from: number
  update: Uint8Array
}

/**
 * Groups a commit's frames by sender, so that a sender's own frames are one span to leave out. `clients`: updates of
 * clients, which change what `merged` does (null: not known); `own`: the server's, which come after them.
 */
export const framesOf = (
  clients: readonly Entry[],
  own: readonly Entry[] = [],
  merged: Uint8Array | null = null,
): Omit<Chunk, 'seq'> => ({
  ...bySender([...clients, ...own]),
  merged:
    merged === null
      ? null
      : Buffer.concat([merged, ...own.map(({ update }) => update)].map(updateFrame)),
})

const bySender = (entries: readonly Entry[]): Pick<Chunk, 'bytes' | 'own'> => {
  const senders = new Map<number, Buffer[]>()
  for (const { from, update } of entries) {
    const list = senders.get(from)
    if (list === undefined) senders.set(from, [updateFrame(update)])
    else list.push(updateFrame(update))
  }
  const all: Buffer[] = []
  const own = new Map<number, { start: number; end: number }>()
  let end = 0
  for (const [from, list] of senders) {
    const start = end
    for (const frame of list) end += frame.length
    all.push(...list)
    own.set(from, { start, end })
  }
  return { bytes: all.length === 1 ? all[0]! : Buffer.concat(all, end), own }
}

const sizeOf = ({ bytes, merged }: Chunk): number => bytes.length + (merged?.length ?? 0)

/** The newest commits of a room in memory, for readers that are slightly behind. */
export class Ring {
  #chunks: Chunk[] = []
  #bytes = 0
  /** The seq of the newest commit, also if it is not here any more; 0: there was none. */
  #end = 0

  push(chunk: Chunk): void {
    this.#end = chunk.seq
    this.#chunks.push(chunk)
    this.#bytes += sizeOf(chunk)
    while (this.#bytes > RING_BYTES && this.#chunks.length > 1) {
      this.#bytes -= sizeOf(this.#chunks.shift()!)
    }
    if (this.#chunks.length > 4096) this.#bytes -= sizeOf(this.#chunks.shift()!)
  }

  /** Drops the commits once all readers have them. A reader without a cursor may need them after its read of the log. */
  release(readers: Iterable<{ reader: { cursor: number | null } }>): void {
    if (this.#chunks.length === 0) return
    for (const { reader } of readers) if (reader.cursor !== this.#end) return
    this.#chunks = []
    this.#bytes = 0
  }

  /** The chunk after `seq`; undefined if there is none yet, null if it was dropped. */
  after(seq: number): Chunk | null | undefined {
    const first = this.#chunks[0]
    if (first === undefined) return seq < this.#end ? null : undefined
    if (seq + 1 < first.seq) return null
    return this.#chunks[seq + 1 - first.seq]
  }
}
