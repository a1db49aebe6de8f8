import type { Socket } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'
import { ClawError } from '../../protocol/errors.ts'
import { HEADS_HEADER, OWNER_HEADER, SYNC, SYNC_STEP_1 } from '../../protocol/frames.ts'
import { serverInfo } from '../http/api.ts'
import { upgradeRefused } from '../http/middlebox.ts'
import { agentFor } from '../http/proof.ts'
import { authorization, syncAt, type Target } from '../http/target.ts'
import { trusted } from '../http/trust.ts'
import { OwnerHint } from './owner-hint.ts'

/** Timeout of a handshake, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 8_000
/** The same for the owner's own address (milliseconds): the configured one is next. */
const DIRECT_TIMEOUT_MS = 1_500
/** Longest part of a rejection's body that is read, in characters. */
const MAX_REFUSAL = 64 * 1024

/** Callbacks of a gated socket. */
export interface SocketEvents {
  /** A connection begins, with this credential. */
  dials: (readsOnly: boolean, token: string | null) => void
  /** The server's header Date. */
  dated: (date: string | undefined) => void
  commit: () => Promise<void>
  /** True while edits must not be sent. */
  holds: () => boolean
  /** The part of a frame that may be sent; null for nothing. */
  filter: (frame: Uint8Array) => Uint8Array | null
  sent: (frame: Uint8Array) => void
  failed: (error: ClawError) => void
}

/** A connection that counts its received and sent bytes. */
export type HeardSocket = WebSocket & { readonly bytesRead: number; readonly bytesWritten: number }

/**
 * A WebSocket that sends a frame only when the replica has it on disk: each frame waits for a commit, in order. An
 * operation that others saw and its author lost would get its number twice, and replicas would diverge for good. `handshakeMs`: the time
 * for the next handshake (milliseconds). `hint`: another address to dial.
 */
export const gatedSocket = (
  target: Target,
  handshakeMs: () => number,
  events: SocketEvents,
  hint = new OwnerHint(target.base),
) =>
  class GatedSocket extends WebSocket {
    #tail: Promise<void> = Promise.resolve()
    #socket: Socket | null = null
    /** The reason of the rejection is known; errors that follow say less. */
    isRefused = false

    constructor(address: string | URL, protocols?: string | string[]) {
      const token = target.token?.() ?? null
      const headers = { ...authorization({ token: () => token }), [HEADS_HEADER]: '1' }
      const { direct } = hint
      const base = direct ?? target.base
      const most = handshakeMs()
      const handshakeTimeout = direct === null ? most : Math.min(most, DIRECT_TIMEOUT_MS)
      const agent = agentFor({ ...target, base }, [token], handshakeTimeout)
      const options: ClientOptions = {
        handshakeTimeout,
        perMessageDeflate: false,
        headers,
        ...(agent !== null && { agent }),
        ...(target.sync.startsWith('wss:') && trusted()),
      }
      const rest = String(address).slice(target.sync.length)
      super(direct === null ? address : `${syncAt(direct)}${rest}`, protocols ?? [], options)
      events.dials(target.readsOnly?.() ?? false, token)
      this.on('upgrade', ({ socket, headers }) => {
        this.#socket = socket
        events.dated(headers.date)
        if (direct === null) void hint.hear(headers[OWNER_HEADER], token)
      })
      if (direct === null) hearRefusal(this, target, events.failed)
      else goQuietly(this, hint)
    }

    get bytesRead(): number {
      return this.#socket?.bytesRead ?? 0
    }

    get bytesWritten(): number {
      return this.#socket?.bytesWritten ?? 0
    }

    override send(whole: Uint8Array): void {
      const frame = events.filter(whole)
      if (frame === null) return
      this.#tail = this.#tail
        .then(() => events.commit())
        .then(() => {
          if (this.readyState !== WebSocket.OPEN || (isEdit(frame) && events.holds())) return
          super.send(frame)
          events.sent(frame)
        })
        .catch((error) => {
          events.failed(ClawError.from(error))
          this.terminate()
        })
    }
  }

type Refusable = WebSocket & { isRefused: boolean }

/** Explains a rejected upgrade, and ends the connection then. */
const hearRefusal = (
  socket: Refusable,
  { base }: Target,
  failed: (error: ClawError) => void,
): void => {
  socket.on('unexpected-response', (_request, response) => {
    let body = ''
    response.on('data', (chunk) => {
      if (body.length < MAX_REFUSAL) body += chunk
    })
    response.once('close', () => {
      socket.isRefused = true
      const { statusCode: status = 0, headers } = response
      const isThere = () => serverInfo({ base }, HANDSHAKE_TIMEOUT_MS)
      void upgradeRefused(base, { status, headers, text: body }, isThere).then((error) => {
        failed(error)
        socket.terminate()
      })
    })
  })
}

/** A connection to the owner's own address: whatever is wrong there, the configured one may work, so nobody is told. */
const goQuietly = (socket: Refusable, hint: OwnerHint): void => {
  socket.isRefused = true
  socket.once('open', () => {
    socket.isRefused = false
  })
  socket.once('unexpected-response', () => socket.terminate())
  socket.once('close', () => hint.drop())
}

const isEdit = (frame: Uint8Array): boolean => frame[0] === SYNC && frame[1] !== SYNC_STEP_1
