import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { LazySet } from '../../lib/lazy.ts'
import { CLOSE } from '../../protocol/frames.ts'
import { MAX_SOCKET_BUFFER } from '../config/limits.ts'
import type { Hold, Shared } from './held.ts'
import { OwedBarriers } from './outgoing/owed-barriers.ts'
import { Reader } from './outgoing/reader.ts'
import type { Chunk } from './outgoing/ring.ts'
import type { Principal } from './principal.ts'
import { HeldFrames } from './updates/held-frames.ts'

let lastId = 0

/**
 * The sending side of one WebSocket. Frames are written to the TCP socket unchanged, so that one
 * buffer serves every reader of a room. Frames that do not fit are not queued here: the room's log
 * is read again on `drain`.
 */
export class Connection {
  readonly id = ++lastId
  readonly ws: WebSocket
  /** The principal of the connection. */
  readonly speaker: Principal
  /** True if its barriers are answered with the head of the log's chain. */
  readonly keepsHeads: boolean
  readonly #socket: Socket
  readonly reader = new Reader()
  readonly owed = new OwedBarriers()
  readonly held: HeldFrames
  /** The memory of the connection: incomplete messages, and unsent frames. */
  readonly hold: Hold
  #receivedBytes = 0
  #outbox: Buffer[] = []
  /** The unsent part of the held bytes, and the unsent frames shared with other connections. */
  #unsent = 0
  readonly #shared = new LazySet<Shared>()
  #blocked = false
  #progressAt = 0
  /** Bytes received before the last ping; null before the first ping. */
  #heardAtBeat: number | null = null
  #onReady: () => void = () => {}

  constructor(
    ws: WebSocket,
    socket: Socket,
    speaker: Principal,
    hold: Hold,
    now: number,
    keepsHeads = false,
  ) {
    this.ws = ws
    this.keepsHeads = keepsHeads
    this.hold = hold
    this.held = new HeldFrames(hold)
    this.speaker = speaker
    this.#socket = socket
    this.#progressAt = now
  }

  /**
   * Calls `listener` when the socket takes data again and the outbox is empty; replaces an earlier
   * listener.
   */
  whenReady(listener: () => void): void {
    this.#onReady = listener
  }

  /** Notes that a message of `bytes` is handled now. */
  receiving(bytes: number): void {
    this.#receivedBytes = bytes
  }

  /** Bytes of the newest received message. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get open(): boolean {
    return this.ws.readyState === this.ws.OPEN
  }

  /** True if no unsent data is queued. */
  get ready(): boolean {
    return !this.#blocked && this.#outbox.length === 0 && this.open
  }

  /**
   * Queues whole frames, in order. For small answers and a newcomer's state; commits go through
   * `sendChunk`.
   */
  send(frames: readonly Buffer[]): void {
    if (frames.length === 1 && this.ready) this.#write(frames[0]!)
    else {
      for (const frame of frames) this.#outbox.push(frame)
      this.#pump()
    }
    if (!this.ready) this.#count()
  }

  /** Like `send`, for frames shared with other connections; they are in memory once. */
  sendShared(frames: readonly Buffer[], shared: Shared): void {
    this.#shared.add(shared)
    for (const frame of frames) this.#outbox.push(frame)
    this.#pump()
    if (this.#outbox.length === 0) this.#letGo()
    else shared.join(this.hold)
  }

  /** Counts waiting bytes in `hold`; shared bytes count for one of their holders. */
  #count(): void {
    let unsent = this.#socket.writableLength
    if (this.#shared.size === 0) for (const { length } of this.#outbox) unsent += length
    unsent = Math.min(unsent, this.hold.most)
    const more = unsent - this.#unsent
    this.#unsent = unsent
    this.hold.add(more)
  }

  #letGo(): void {
    for (const shared of this.#shared) shared.leave(this.hold)
    this.#shared.clear()
  }

  /** Writes one commit without this connection's own frames; call only while `ready`. */
  sendChunk(chunk: Chunk): void {
    const { bytes, merged } = chunk
    const own = chunk.own.get(this.id)
    if (own === undefined) {
      this.#write(merged ?? bytes)
    } else if (own.end - own.start < bytes.length) {
      this.#socket.cork()
      if (own.start > 0) this.#write(bytes.subarray(0, own.start))
      if (own.end < bytes.length) this.#write(bytes.subarray(own.end))
      this.#socket.uncork()
    }
  }

  #write(bytes: Buffer): void {
    if (!this.#socket.write(bytes) && this.#socket.writableLength > MAX_SOCKET_BUFFER) {
      this.#blocked = true
      if (this.#outbox.length === 0) this.#count()
    }
  }

  #pump(): void {
    let next = 0
    const isOne = this.#outbox.length < 2
    if (!isOne) this.#socket.cork() // one system call for all
    while (next < this.#outbox.length && !this.#blocked && this.open) {
      this.#write(this.#outbox[next++]!)
    }
    if (!isOne) this.#socket.uncork()
    this.#outbox = this.#outbox.slice(next)
  }

  /** True if the socket has taken all written data. */
  drained(now: number): void {
    this.#progressAt = now
    this.#blocked = false
    this.#pump()
    if (this.#outbox.length === 0) this.#letGo()
    if (this.#unsent > 0) this.#count()
    if (this.ready) this.#onReady()
  }

  /**
   * Disconnects if no data could be written for this long (milliseconds). Returns true if it did.
   */
  cutIfStalled(now: number, most: number): boolean {
    if (!this.#blocked) this.#progressAt = now
    if (now - this.#progressAt < most) return false
    this.close(CLOSE.slowReader, 'slow reader')
    this.ws.terminate()
    return true
  }

  /**
   * Sends a ping, or disconnects if no byte arrived since the last one; returns true if it did. Any
   * byte counts, because a pong behind a large message on a slow line is late.
   */
  beat(): boolean {
    const { bytesRead } = this.#socket
    // A paused socket is not silent: the server does not read it.
    const isSilent = bytesRead === this.#heardAtBeat && !this.ws.isPaused
    this.#heardAtBeat = bytesRead
    if (isSilent) this.ws.terminate()
    else if (this.open) this.ws.ping()
    return isSilent
  }

  /** Releases the connection's held bytes now. */
  cut(reason: string): void {
    this.close(CLOSE.slowReader, reason)
    this.ws.terminate()
  }

  /** True if its memory holds unsent frames rather than incomplete messages. */
  get isSlow(): boolean {
    return this.#unsent > 0 || this.#shared.size > 0
  }

  close(code: number, reason: string): void {
    this.#outbox = []
    this.#letGo()
    if (this.open) this.ws.close(code, shortReason(reason))
  }
}

/** A close reason has at most 123 bytes (RFC 6455, 5.5), and half a character of another 3. */
const REASON_BYTES = 120

/** A close reason, shortened to fit a close frame. */
export const shortReason = (reason: string): string =>
  new TextDecoder().decode(new TextEncoder().encode(reason).subarray(0, REASON_BYTES))
