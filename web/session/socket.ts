import { call } from './api.ts'
import { Batch } from './batch.ts'

/** Close code of an attempt that got no ticket: y-websocket tries again. */
const NO_TICKET = 1006

/**
 * Makes the class of the sockets of a workspace: each gets a ticket first, because browsers send no header with a
 * WebSocket. `together` hands over several updates at once.
 */
export const ticketSocket = (
  workspace: string,
  failed: (error: unknown) => void,
  together: (run: () => void) => void,
) =>
  class TicketSocket {
    readonly CONNECTING = 0
    readonly OPEN = 1
    binaryType: BinaryType = 'arraybuffer'
    onopen: (() => void) | null = null
    onmessage: ((event: MessageEvent) => void) | null = null
    onclose: ((event: { code: number; reason: string }) => void) | null = null
    onerror: ((event: unknown) => void) | null = null
    /** Not counted in a browser. */
    readonly bytesRead = 0
    #socket: WebSocket | null = null
    #isClosed = false
    readonly #batch = new Batch(together, (event) => this.onmessage?.(event))

    constructor(url: string | URL) {
      this.#open(String(url)).catch((error) => {
        failed(error)
        this.#ended(NO_TICKET, 'no ticket')
      })
    }

    get readyState(): number {
      return this.#socket?.readyState ?? (this.#isClosed ? WebSocket.CLOSED : WebSocket.CONNECTING)
    }

    send(data: Uint8Array<ArrayBuffer>): void {
      if (this.readyState === WebSocket.OPEN) this.#socket!.send(data)
    }

    close(): void {
      this.#isClosed = true
      this.#socket?.close()
    }

    /** Ends it without waiting for the server. */
    terminate(): void {
      this.close()
      this.#ended(NO_TICKET, 'given up')
    }

    async #open(url: string): Promise<void> {
      const { ticket } = await call<{ ticket: string }>(workspace, 'POST', 'api/ticket', {})
      if (this.#isClosed) return
      const socket = new WebSocket(`${url}?ticket=${encodeURIComponent(ticket)}`)
      socket.binaryType = 'arraybuffer'
      socket.onopen = () => this.onopen?.()
      socket.onmessage = (event) => this.#batch.take(event)
      socket.onerror = (event) => this.onerror?.(event)
      socket.onclose = ({ code, reason }) => this.#ended(code, reason)
      this.#socket = socket
    }

    #ended(code: number, reason: string): void {
      this.#isClosed = true
      this.#batch.handOver()
      const told = this.onclose
      this.onclose = null
      told?.({ code, reason })
    }
  }
