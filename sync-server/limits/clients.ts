import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { addressOf, type Proxies } from '../config/proxies.ts'
import type { ConnectionLimits } from './connection-limits.ts'

/** The addresses of clients, and the sockets that each may have open. */
export class Clients {
  readonly #sockets: ConnectionLimits
  readonly #isProxy: Proxies
  /** Of requests that other nodes forward. */
  readonly #noted = new WeakMap<IncomingMessage, string>()
  /** By socket: the address that it counts for, and a function that ends that. */
  readonly #entered = new WeakMap<Socket, { address: string; leave: () => void }>()

  constructor(sockets: ConnectionLimits, isProxy: Proxies) {
    this.#sockets = sockets
    this.#isProxy = isProxy
  }

  /** Counts a socket for an address until it closes. Throws `too_many`. */
  enter(socket: Socket, address: string): void {
    const leave = this.#sockets.enter({ address, agent: null, workspace: '' })
    this.#entered.set(socket, { address, leave })
    socket.once('close', leave)
  }

  /** The client of this request is at `address`, whoever sends it; its socket counts for that. Throws `too_many`. */
  note(request: IncomingMessage, address: string): void {
    this.#noted.set(request, address)
    const { socket } = request
    const before = this.#entered.get(socket)
    if (before === undefined || before.address === address) return
    before.leave()
    this.enter(socket, address)
  }

  /** The address that counts for a request, as limits have it. */
  addressOf(request: IncomingMessage): string {
    const { socket, headers } = request
    const noted = this.#noted.get(request)
    if (noted !== undefined) return noted
    return addressOf(socket.remoteAddress, headers['x-forwarded-for']?.toString(), this.#isProxy)
  }
}
