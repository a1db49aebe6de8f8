import { WebSocket } from 'ws'
import type { HeardSocket } from './gated-socket.ts'

/** Parts of a heartbeat's interval after which a waiting session asks for a sign of life, and as long until it gives up. */
const PARTS = 5
/** With more sent since the last answer, the next one may wait behind that on a slow line (bytes). */
const MUCH_BYTES = 64 * 1024

/** The connection that is watched. */
export interface Awaited {
  socket: () => HeardSocket | null
  /** True while somebody waits for an answer. */
  waits: () => boolean
  /** The connection is dead. */
  dead: () => void
}

interface Seen {
  socket: HeardSocket
  bytesRead: number
  /** A ping was sent then. */
  isAsked: boolean
}

/**
 * Gives up a connection that is silent while somebody waits for an answer, sooner than a heartbeat would: a node that hangs
 * is replaced within seconds, and its clients find the next one only by dialing. A server that answers pings is kept,
 * however long its answer takes. Each connection that was given up doubles the patience, until an answer comes.
 */
export class AnswerWatch {
  readonly #watched: Awaited
  readonly #leastMs: number
  readonly #mostMs: number
  #patienceMs: number
  /** True from giving up a connection until an answer. */
  #isDoubtful = false
  #timer: NodeJS.Timeout | null = null
  /** The connection, and its sent bytes, when the last answer came. */
  #answered: { socket: HeardSocket; bytesWritten: number } | null = null

  constructor(beatMs: number, watched: Awaited) {
    this.#watched = watched
    this.#leastMs = beatMs / PARTS
    this.#mostMs = beatMs
    this.#patienceMs = this.#leastMs
  }

  /** Call when somebody begins to wait. */
  begin(): void {
    const socket = this.#watched.socket()
    if (this.#timer === null && socket !== null) this.#wait(socket, false)
  }

  /** Call when an answer came. */
  answered(): void {
    const socket = this.#watched.socket()
    this.#answered = socket && { socket, bytesWritten: socket.bytesWritten }
    this.#patienceMs = this.#leastMs
    this.#isDoubtful = false
  }

  /** Time for the next handshake (milliseconds): after a silence a balancer may lead to the same server again. */
  handshakeMs(most: number): number {
    if (!this.#isDoubtful) return most
    const ms = Math.min(this.#patienceMs, most)
    this.#grow()
    return ms
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #grow(): void {
    this.#patienceMs = Math.min(2 * this.#patienceMs, this.#mostMs)
  }

  #wait(socket: HeardSocket, isAsked: boolean): void {
    const seen = { socket, bytesRead: socket.bytesRead, isAsked }
    // A process that was busy reads first.
    this.#timer = setTimeout(() => setImmediate(() => this.#look(seen)), this.#patienceMs)
    this.#timer.unref()
  }

  #look(seen: Seen): void {
    if (this.#timer === null) return
    this.#timer = null
    const { socket, waits, dead } = this.#watched
    const now = socket()
    if (!waits() || now?.readyState !== WebSocket.OPEN) return
    const isHeard = now !== seen.socket || now.bytesRead !== seen.bytesRead
    if (isHeard || this.#isLoaded(now)) this.#wait(now, false)
    else if (!seen.isAsked) {
      now.ping()
      this.#wait(now, true)
    } else {
      this.#isDoubtful = true
      this.#grow()
      dead()
    }
  }

  #isLoaded(socket: HeardSocket): boolean {
    const before = this.#answered?.socket === socket ? this.#answered.bytesWritten : 0
    return socket.bufferedAmount > 0 || socket.bytesWritten - before > MUCH_BYTES
  }
}
