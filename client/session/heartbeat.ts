import { WebSocket } from 'ws'
import type { HeardSocket } from './gated-socket.ts'

/** Interval of heartbeats, in milliseconds: a server that stays silent from one to the next is given up. */
export const BEAT_MS = 10_000
/** After a beat this many times late the machine slept, and its connections are as good as dead. */
const SLEPT_BEATS = 3

/** The connection that a heartbeat watches. */
export interface Watched {
  socket: () => HeardSocket | null
  /** A sign of life was asked for now. */
  asked: (now: number) => void
  /** The connection is dead. */
  dead: () => void
  /** The machine slept. */
  slept: () => void
}

/** Asks a connected server for signs of life, and gives up a silent one after one to two beats. */
export class Heartbeat {
  readonly #beatMs: number
  readonly #watched: Watched
  readonly #timer: NodeJS.Timeout
  #last = Date.now()
  /** The connection that was asked, with its received bytes at that time. */
  #asked: { socket: HeardSocket; bytesRead: number } | null = null

  constructor(beatMs: number, watched: Watched) {
    this.#beatMs = beatMs
    this.#watched = watched
    this.#timer = setInterval(() => this.#beat(), beatMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const now = Date.now()
    const slept = now - this.#last > SLEPT_BEATS * this.#beatMs
    this.#last = now
    if (slept) this.#watched.slept()
    const socket = this.#watched.socket()
    if (socket?.readyState !== WebSocket.OPEN) return
    const { bytesRead } = socket
    // Any byte counts, not only the answer, which on a slow line waits behind a large message.
    const isSilent = this.#asked?.socket === socket && this.#asked.bytesRead === bytesRead
    if (slept || isSilent) {
      this.#watched.dead()
      return
    }
    this.#asked = { socket, bytesRead }
    this.#watched.asked(now)
    socket.ping()
  }
}
