import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/** How often it is looked who waits for too long, and so many are sent away at a time (milliseconds, count). */
const LOOK_MS = 50
const AT_A_TIME = 50
/** A request of a client far away, with TLS before it, is there after so long (milliseconds). */
const PATIENCE_MS = 1_000
/** So many go in in a turn (count): what they ask for is answered in the next. */
const IN_A_TURN = 8
/** … and of those that queue one in so long (milliseconds). */
const QUEUE_MS = 10

interface Waiting {
  socket: Socket
  address: string
  since: number
}

export interface PorchOptions {
  /** Whether there is room for one more connection. */
  enter: (socket: Socket) => boolean
  /** Whether what comes from an address queues: for a while what it asked was refused. */
  queues: (address: string) => boolean
  /** Whether what its first bytes ask for need not queue: it shows a credential that is good, or asks for next to nothing. */
  passes: (first: Buffer) => boolean
  /** Of one address: so many may have asked for nothing for a while (count). */
  most: number
  /** Nobody who says nothing waits longer (milliseconds). */
  silentMs: number
}

/** What has come on a socket that nobody reads from yet; it stays there. */
const firstOf = (socket: Socket): Buffer => {
  const first: Buffer | null = socket.read()
  if (first === null) return Buffer.alloc(0)
  socket.unshift(first)
  return first
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/**
 * Where connections wait until they have asked for something. A listener hands over all that have come, thousands at a
 * time: here each costs next to nothing until its first byte, then they go in a few in a turn, and where too many of one
 * address wait, those that have waited longest leave, some at a time. Where requests of an address are refused again and
 * again, what comes from there queues, all such addresses in turn, and is slow; but for who shows a good credential at once. So
 * whoever is inside hardly notices.
 */
export class AcceptQueue {
  readonly #options: PorchOptions
  readonly #server: Server
  /** What the server itself does with a connection. */
  readonly #serve: ((socket: Socket) => void)[]
  /** By peer, the oldest first. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #of = new Map<string, number>()
  #knocking: Socket[] = []
  /** By address, each in its turn. */
  readonly #queues = new Map<string, Socket[]>()
  #serving: NodeJS.Timeout | null = null
  #looking: NodeJS.Timeout | null = null

  constructor(server: Server, options: PorchOptions) {
    this.#options = options
    this.#server = server
    this.#serve = server.listeners('connection') as ((socket: Socket) => void)[]
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => this.#come(socket))
    server.prependListener('request', ({ socket }) => this.#leave(peerOf(socket)))
    server.prependListener('upgrade', ({ socket }) => this.#leave(peerOf(socket)))
  }

  /** Sends away all who have not asked for anything yet; call when nobody is let in any more. */
  clear(): void {
    for (const { socket } of this.#waiting.values()) socket.destroy()
  }

  #come(socket: Socket): void {
    socket.on('error', () => {}) // its close says enough
    // It may be gone already.
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
      // It ended, and had said nothing.
      if (socket.readableLength === 0) socket.destroy()
      else this.#knock(socket)
    })
  }

  #knock(socket: Socket): void {
    this.#knocking.push(socket)
    if (this.#knocking.length === 1) setImmediate(() => this.#letIn())
  }

  #letIn(): void {
    for (const socket of this.#knocking.splice(0, IN_A_TURN)) {
      if (socket.destroyed) continue
      const address = socket.remoteAddress ?? ''
      if (this.#options.queues(address) && !this.#options.passes(firstOf(socket))) {
        this.#queue(address, socket)
      } else this.#enter(socket)
    }
    if (this.#knocking.length > 0) setImmediate(() => this.#letIn())
  }

  #queue(address: string, socket: Socket): void {
    const queue = this.#queues.get(address)
    if (queue === undefined) this.#queues.set(address, [socket])
    else queue.push(socket)
    this.#serving ??= setInterval(() => this.#serveNext(), QUEUE_MS)
  }

  /** The next that is still there, of the address whose turn it is. */
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
