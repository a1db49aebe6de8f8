import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Milliseconds between two searches for connections that wait too long, and the most that one
 * search closes.
 */
const LOOK_MS = 50
const AT_A_TIME = 50
/** Milliseconds in which the first request of a distant client arrives, TLS handshake included. */
const PATIENCE_MS = 1_000
/** Connections accepted per turn of the event loop; the next turn answers their requests. */
const IN_A_TURN = 8
/** Milliseconds between two accepted connections from throttled addresses. */
const QUEUE_MS = 10

interface Waiting {
  socket: Socket
  address: string
  since: number
}

export interface AcceptQueueOptions {
  /** Counts a new connection. False: the limit is reached, so the connection is closed. */
  enter: (socket: Socket) => boolean
  /** True if connections from an address must queue, because its recent requests were rejected. */
  queues: (address: string) => boolean
  /**
   * True if a request with these first bytes skips the queue: it shows a valid credential, or is
   * cheap.
   */
  passes: (first: Buffer) => boolean
  /** The most connections per address that may wait without a request (count). */
  most: number
  /** A connection that sends no byte is closed after this time (milliseconds). */
  silentMs: number
}

const ignore = (): void => {}

/** Returns the bytes received on a socket so far, and leaves them to be read again. */
const firstOf = (socket: Socket): Buffer => {
  const first: Buffer | null = socket.read()
  if (first === null) return Buffer.alloc(0)
  socket.unshift(first)
  return first
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/**
 * Holds new connections until their first byte arrives. A listener hands over thousands of
 * connections at once. Here a connection costs almost nothing until its first byte; then a few are
 * accepted per turn of the event loop. Of an address with too many waiting connections, the oldest
 * are closed, some at a time. Addresses with repeatedly rejected requests are throttled, in round-
 * robin order, except for requests with a valid credential. Open connections therefore hardly
 * notice a flood.
 */
export class AcceptQueue {
  readonly #options: AcceptQueueOptions
  readonly #server: Server
  /** The server's own connection listeners. */
  readonly #serve: ((socket: Socket) => void)[]
  /** By peer, oldest first. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #of = new Map<string, number>()
  #ready: Socket[] = []
  /** By address, served in round-robin order. */
  readonly #queues = new Map<string, Socket[]>()
  #serving: NodeJS.Timeout | null = null
  #looking: NodeJS.Timeout | null = null

  constructor(server: Server, options: AcceptQueueOptions) {
    this.#options = options
    this.#server = server
    this.#serve = server.listeners('connection') as ((socket: Socket) => void)[]
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => this.#come(socket))
    server.prependListener('request', ({ socket }) => this.#leave(peerOf(socket)))
    server.prependListener('upgrade', ({ socket }) => this.#leave(peerOf(socket)))
  }

  /** Closes all connections without a request; call once the server accepts no more. */
  clear(): void {
    for (const { socket } of this.#waiting.values()) socket.destroy()
  }

  #come(socket: Socket): void {
    socket.on('error', ignore) // the close event follows
    // The peer may have disconnected already.
    if (socket.remotePort === undefined || !this.#options.enter(socket)) {
      socket.destroy()
      return
    }
    const [peer, address] = [peerOf(socket), socket.remoteAddress ?? '']
    this.#waiting.set(peer, { socket, address, since: performance.now() })
    this.#of.set(address, (this.#of.get(address) ?? 0) + 1)
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS).unref()
    socket.once('close', () => this.#leave(peer))
    socket.once('readable', () => {
      // The connection ended without a byte.
      if (socket.readableLength === 0) socket.destroy()
      else this.#onFirstByte(socket)
    })
  }

  #onFirstByte(socket: Socket): void {
    this.#ready.push(socket)
    if (this.#ready.length === 1) setImmediate(() => this.#acceptReady())
  }

  #acceptReady(): void {
    for (const socket of this.#ready.splice(0, IN_A_TURN)) {
      if (socket.destroyed) continue
      const address = socket.remoteAddress ?? ''
      if (this.#options.queues(address) && !this.#options.passes(firstOf(socket))) {
        this.#queue(address, socket)
      } else this.#enter(socket)
    }
    if (this.#ready.length > 0) setImmediate(() => this.#acceptReady())
  }

  #queue(address: string, socket: Socket): void {
    const queue = this.#queues.get(address)
    if (queue === undefined) this.#queues.set(address, [socket])
    else queue.push(socket)
    this.#serving ??= setInterval(() => this.#serveNext(), QUEUE_MS)
  }

  /** Accepts the next open connection of the next address. */
  #serveNext(): void {
    for (const [address, queue] of this.#queues) {
      this.#queues.delete(address)
      let socket = queue.shift()
      while (socket?.destroyed) socket = queue.shift()
      if (queue.length > 0) this.#queues.set(address, queue)
      if (socket === undefined) continue
      this.#enter(socket)
      return
    }
    clearInterval(this.#serving!)
    this.#serving = null
  }

  #enter(socket: Socket): void {
    for (const serve of this.#serve) serve.call(this.#server, socket)
  }

  #leave(peer: string): void {
    const one = this.#waiting.get(peer)
    if (one === undefined) return
    this.#waiting.delete(peer)
    const left = this.#of.get(one.address)! - 1
    if (left > 0) this.#of.set(one.address, left)
    else this.#of.delete(one.address)
  }

  #look(): void {
    const { most, silentMs } = this.#options
    const now = performance.now()
    let gone = 0
    for (const [peer, { socket, address, since }] of this.#waiting) {
      if (now - since < PATIENCE_MS || gone === AT_A_TIME) break
      const isSilent = now - since > silentMs && socket.bytesRead === 0
      if (!isSilent && this.#of.get(address)! <= most) continue
      this.#leave(peer)
      socket.destroy()
      gone++
    }
    if (this.#waiting.size > 0) return
    clearInterval(this.#looking!)
    this.#looking = null
  }
}
