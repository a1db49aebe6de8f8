import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { REQUEST_BYTES } from '../config/quotas.ts'
import type { Hold } from '../sync/held.ts'

/** What is held for HTTP requests: until an answer was taken whole it, and the body of what it answers, are in memory. */
export class Requests {
  readonly #holds = new WeakMap<IncomingMessage, Hold>()
  readonly #of = new WeakMap<Socket, Set<Hold>>()

  /** `open`: what is held for a request, which that function ends. */
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

  /** Those behind an answer that is not taken are not told when their socket closes. */
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

  /** What is held for a request. */
  of(request: IncomingMessage): Hold {
    return this.#holds.get(request)!
  }
}
