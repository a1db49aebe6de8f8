import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { REQUEST_BYTES } from '../config/quotas.ts'
import type { Hold } from '../sync/held.ts'

/**
 * The holds of HTTP requests. A request's body and its answer stay in memory until the client has
 * received the whole answer.
 */
export class Requests {
  readonly #holds = new WeakMap<IncomingMessage, Hold>()
  readonly #of = new WeakMap<Socket, Set<Hold>>()

  /** `open` opens the hold of a request; `cut` closes the request's socket. */
  constructor(server: Server, open: (request: IncomingMessage, cut: () => void) => Hold) {
    server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
      const { socket } = request
      const hold = open(request, () => socket.destroy())
      this.#holds.set(request, hold)
      const all = this.#onSocket(socket)
      all.add(hold)
      response.once('close', () => {
        hold.close()
        all.delete(hold)
      })
      hold.add(REQUEST_BYTES)
    })
  }

  /** Pipelined responses behind an unread one get no close event from their socket. */
  #onSocket(socket: Socket): Set<Hold> {
    const known = this.#of.get(socket)
    if (known !== undefined) return known
    const all = new Set<Hold>()
    this.#of.set(socket, all)
    socket.once('close', () => {
      for (const hold of all) hold.close()
    })
    return all
  }

  /** The hold of a request. */
  of(request: IncomingMessage): Hold {
    return this.#holds.get(request)!
  }
}
