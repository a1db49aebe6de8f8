import { RING_BYTES } from '../../config/limits.ts'
import { updateFrame } from './frame-writer.ts'

/** The frames that one commit sends to every reader, adjacent and ready for the socket. */
export interface Chunk {
  seq: number
  bytes: Buffer
  /** The span in `bytes` of each sender's own frames, by connection id. */
  own: ReadonlyMap<number, { start: number; end: number }>
}

/** Groups a commit's frames by sender, so that a sender's own frames are one span to leave out. */
export const framesOf = (
  entries: readonly { from: number; update: Uint8Array }[],
): Omit<Chunk, 'seq'> => {
  const bySender = new Map<number, Buffer[]>()
  for (const { from, update } of entries) {
    const list = bySender.get(from)
    if (list === undefined) bySender.set(from, [updateFrame(update)])
    else list.push(updateFrame(update))
  }
  const all: Buffer[] = []
  const own = new Map<number, { start: number; end: number }>()
  let end = 0
  for (const [from, list] of bySender) {
    const start = end
    for (const frame of list) end += frame.length
    all.push(...list)
    own.set(from, { start, end })
  }
  return { bytes: all.length === 1 ? all[0]! : Buffer.concat(all, end), own }
}

/** The newest commits of a room in memory, for readers that are slightly behind. */
export class Ring {
  #chunks: Chunk[] = []
  #bytes = 0

  push(chunk: Chunk): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.bytes.length
    while (this.#bytes > RING_BYTES && this.#chunks.length > 1) {
      this.#bytes -= this.#chunks.shift()!.bytes.length
    }
    if (this.#chunks.length > 4096) this.#bytes -= this.#chunks.shift()!.bytes.length
  }

  /** The chunk after `seq`; undefined if there is none yet, null if it was dropped. */
  after(seq: number): Chunk | null | undefined {
    const first = this.#chunks[0]
    if (first === undefined) return undefined
    if (seq + 1 < first.seq) return null
    return this.#chunks[seq + 1 - first.seq]
  }
}
