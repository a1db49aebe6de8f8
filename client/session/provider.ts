import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { randomFraction } from '../../lib/random.ts'
import { AWARENESS, BARRIER, HEAD_BYTES, SYNC, SYNC_UPDATE } from '../../protocol/frames.ts'
import { backoffMs } from './closing.ts'
import type { HeardSocket } from './gated-socket.ts'

/** A position of the workspace's log, and the head of its hash chain there. */
export interface Head {
  seq: number
  head: Uint8Array
}

/** The rest of an answer to a barrier; the bytes are copied, as those of the message are used again. */
const readHead = (decoder: decoding.Decoder): Head => ({
  seq: decoding.readVarUint(decoder),
  head: decoding.readUint8Array(decoder, HEAD_BYTES).slice(),
})

/** The client ids in an awareness event. */
interface Changed {
  added: number[]
  updated: number[]
  removed: number[]
}

/** Events of a provider. */
export interface ProviderEvents {
  /** True if another attempt follows a close with this code. */
  retries: (closeCode: number) => boolean
  /** The wait before the next attempt is over: calls `dial`, at once or in its turn. */
  redials: (dial: () => void) => void
  status: (isConnected: boolean) => void
  synced: () => void
  /** `head`: of the log's hash chain, as far as the server gives it. */
  barrier: (nonce: number, head: Head | null) => void
  error: (event: unknown) => void
  /** Gets the awareness updates that come; without it they are applied at once. */
  awareness?: (update: Uint8Array) => void
  /** `null`: closed by this side, or the attempt failed. */
  closed: (event: { code: number; reason: string } | null) => void
}

/** y-websocket's provider with ClawLink's back-off and barriers; the only file that touches its internals. */
export class Provider {
  readonly #inner: WebsocketProvider
  readonly #awareness: Awareness
  /** Updates that have come and wait for the end of what was read with them. */
  readonly #updates: (() => void)[] = []
  readonly #redials: ProviderEvents['redials']
  /** The wait that the server demanded before the next attempt, in milliseconds. */
  #demandedMs = 0
  /** The server was not reached: who dials next is a matter of `redials`. */
  #isAway = false
  #wait: ReturnType<typeof setTimeout> | undefined

  /** `socketClass` opens the connections. Dials at `dial`. */
  constructor(
    url: string,
    workspace: string,
    doc: Y.Doc,
    awareness: Awareness,
    socketClass: unknown,
    events: ProviderEvents,
  ) {
    const inner = new WebsocketProvider(url, workspace, doc, {
      connect: false,
      awareness,
      disableBc: true,
      WebSocketPolyfill: socketClass as typeof globalThis.WebSocket,
      // It would wait for up to 2.5 s by a plan of its own.
      shouldReconnect: ({ code }) => {
        if (events.retries(code)) this.#redialLater()
        return false
      },
    })
    this.#inner = inner
    this.#redials = events.redials
    this.#awareness = awareness
    // y-websocket sends every state back that it receives: with 500 agents 500 frames per change of one.
    awareness.off('update', inner._awarenessUpdateHandler)
    awareness.on('update', this.#showOwn)
    this.#gatherUpdates()
    const { awareness: onStates } = events
    if (onStates !== undefined) {
      inner.messageHandlers[AWARENESS] = (_encoder, decoder) =>
        onStates(decoding.readVarUint8Array(decoder))
    }
    inner.messageHandlers[BARRIER] = (_encoder, decoder) => {
      this.#handOver()
      const nonce = decoding.readVarUint(decoder)
      events.barrier(nonce, decoding.hasContent(decoder) ? readHead(decoder) : null)
    }
    inner.on('status', ({ status }) => events.status(status === 'connected'))
    inner.on('sync', () => events.synced())
    inner.on('connection-error', (event) => events.error(event))
    inner.on('connection-close', (event) => events.closed(event))
  }

  get isSynced(): boolean {
    return this.#inner.synced
  }

  /** The present connection, or attempt. */
  get socket(): HeardSocket | null {
    return this.#inner.ws as unknown as HeardSocket | null
  }

  /** True if a Yjs transaction with this origin came from the server. */
  isOrigin(origin: unknown): boolean {
    return origin === this.#inner
  }

  /** Applies an awareness update of the server. */
  applyStates(update: Uint8Array): void {
    applyAwarenessUpdate(this.#awareness, update, this.#inner)
  }

  /** Hands messages over in one transaction, as of the server. */
  together(run: () => void): void {
    Y.transact(this.#inner.doc, run, this.#inner, false)
  }

  dial(): void {
    clearTimeout(this.#wait)
    this.#inner.connect()
  }

  disconnect(): void {
    clearTimeout(this.#wait)
    this.#inner.disconnect()
  }

  /** Ends a dead connection at once; the provider dials again. */
  hangUp(): void {
    this.socket?.terminate()
  }

  send(frame: Uint8Array): void {
    this.#inner.ws?.send(frame as Uint8Array<ArrayBuffer>)
  }

  /** The next attempt comes no sooner than in `ms` milliseconds. */
  demand(ms: number): void {
    this.#demandedMs = ms
  }

  /** Nobody was reached: the next attempt is made as soon as it is let. */
  wasAway(): void {
    this.#isAway = true
  }

  /** y-websocket closes a connection without a message for 30 s; a heartbeat at `now` counts as one. */
  asked(now: number): void {
    this.#inner.wsLastMessageReceived = now
  }

  destroy(): void {
    clearTimeout(this.#wait)
    this.#updates.length = 0
    this.#awareness.off('update', this.#showOwn)
    this.#inner.destroy()
  }

  /**
   * Has Yjs apply all updates that were read together in one transaction, in a microtask or before the next message that
   * comes after them: a transaction costs in proportion to all clients of the document.
   */
  #gatherUpdates(): void {
    const { messageHandlers } = this.#inner
    const handle = messageHandlers[SYNC]!
    messageHandlers[SYNC] = (encoder, decoder, ...rest) => {
      if (decoder.arr[decoder.pos] === SYNC_UPDATE) {
        const count = this.#updates.push(() => handle(encoder, decoder, ...rest))
        if (count === 1) queueMicrotask(() => this.#handOver())
        return
      }
      this.#handOver()
      handle(encoder, decoder, ...rest)
    }
  }

  #handOver(): void {
    const updates = this.#updates.splice(0)
    if (updates.length === 1) updates[0]!()
    else if (updates.length > 1) {
      this.together(() => {
        for (const apply of updates) apply()
      })
    }
  }

  #showOwn = ({ added, updated, removed }: Changed, origin: unknown): void => {
    const { clientID } = this.#awareness
    const isOwn = [added, updated, removed].some((clients) => clients.includes(clientID))
    if (!isOwn || origin === this.#inner || !this.#inner.wsconnected) return
    const state = encodeAwarenessUpdate(this.#awareness, [clientID])
    this.send(
      encoding.encode((encoder) => {
        encoding.writeVarUint(encoder, AWARENESS)
        encoding.writeVarUint8Array(encoder, state)
      }),
    )
  }

  #redialLater(): void {
    const tries = this.#inner.wsUnsuccessfulReconnects
    const wait = this.#isAway ? 0 : Math.max(backoffMs(tries, randomFraction()), this.#demandedMs)
    this.#isAway = false
    this.#demandedMs = 0
    clearTimeout(this.#wait)
    this.#wait = setTimeout(() => this.#redials(() => this.dial()), wait)
  }
}
