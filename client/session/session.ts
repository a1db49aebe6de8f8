import type { Socket } from 'node:net'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type ClientOptions, WebSocket } from 'ws'
import { Awareness } from 'y-protocols/awareness'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { ClawError, ERRORS, type ErrorCode } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import {
  type Activity,
  activities,
  type Presence,
  readPresence,
} from '../../workspace/agents/presence.ts'
import { serverInfo } from '../http/api.ts'
import { clockOffset } from '../http/clock.ts'
import { explained, httpError, noServer, upgradeRefused } from '../http/middlebox.ts'
import { agentFor } from '../http/proof.ts'
import { authorization, type Target } from '../http/target.ts'
import { trusted } from '../http/trust.ts'
import type { Replica } from '../replica/replica.ts'
import { Hold } from './hold.ts'

/** The one addition to y-websocket's message types; docs/PROTOCOL.md. */
const MESSAGE_BARRIER = 100
const MESSAGE_SYNC = 0
const SYNC_STEP_1 = 0
const SYNC_STEP_2 = 1
const SYNC_UPDATE = 2
/** A SyncStep2 with an update of nothing. */
const NOTHING_TO_SEND = Uint8Array.of(MESSAGE_SYNC, SYNC_STEP_2, 2, 0, 0)
/** RFC 6455's close code for a frame over the server's limit. */
const FRAME_TOO_LARGE = 1009
/** A server that takes the connection but does not answer the handshake; with a quick beat sooner. */
const HANDSHAKE_TIMEOUT_MS = 8_000
const HANDSHAKE_BEATS = 4
/** Tries to reconnect come after about 0.2, 0.4, 0.8 … s and no rarer than this; whoever needs it sooner wakes it. */
const BACKOFF_CAP_MS = 10_000
/** So many tries make y-websocket wait for as long as it is told, up to 200 s. */
const MANY_TRIES = 10
/** A connected server is asked for a sign of life this often, and is given as long to say anything. */
export const BEAT_MS = 10_000
/** When a beat is so many times late, the machine slept, and its connections are as good as gone. */
const SLEPT_BEATS = 3
/** A server that was away a moment ago is waited for no longer than this. */
const AWAY_TIMEOUT_MS = 1_000

/** What a socket of this session tells it. */
interface SocketEvents {
  /** It is made, and shows this credential. */
  dials: (readsOnly: boolean, token: string | null) => void
  /** The server said its time. */
  dated: (date: string | undefined) => void
  commit: () => Promise<void>
  /** Whether edits are not to be sent now. */
  holds: () => boolean
  /** Gives what may be sent of a frame; null: nothing. */
  filter: (frame: Uint8Array) => Uint8Array | null
  sent: (frame: Uint8Array) => void
  failed: (error: ClawError) => void
}

/** A connection that can tell how many bytes have come in on it. */
type HeardSocket = WebSocket & { readonly bytesRead: number }

/**
 * A WebSocket that sends nothing before the replica has it on disk: each frame waits for a commit, in order. An
 * operation that others saw but that its author forgot would be numbered twice, and the replicas diverge for good.
 */
const gatedSocket = (target: Target, beatMs: number, events: SocketEvents) =>
  class GatedSocket extends WebSocket {
    #tail: Promise<void> = Promise.resolve()
    #socket: Socket | null = null
    /** Why is known: what becomes of the connection then says less. */
    isRefused = false

    constructor(address: string | URL, protocols?: string | string[]) {
      const token = target.token?.() ?? null
      const headers = authorization({ token: () => token })
      const handshakeTimeout = Math.min(HANDSHAKE_TIMEOUT_MS, HANDSHAKE_BEATS * beatMs)
      const agent = agentFor(target, [token], handshakeTimeout)
      const options: ClientOptions = {
        handshakeTimeout,
        perMessageDeflate: false,
        headers,
        ...(agent !== null && { agent }),
        ...(target.sync.startsWith('wss:') && trusted()),
      }
      super(address, protocols ?? [], options)
      events.dials(target.readsOnly?.() ?? false, token)
      this.on('upgrade', ({ socket, headers }) => {
        this.#socket = socket
        events.dated(headers.date)
      })
      this.on('unexpected-response', (_request, response) => {
        let body = ''
        response.on('data', (chunk) => {
          if (body.length < 64 * 1024) body += chunk
        })
        response.once('close', () => {
          this.isRefused = true
          const { statusCode: status = 0, headers } = response
          const isThere = () => serverInfo({ base: target.base }, HANDSHAKE_TIMEOUT_MS)
          void upgradeRefused(target.base, { status, headers, text: body }, isThere).then(
            (error) => {
              events.failed(error)
              this.terminate()
            },
          )
        })
      })
    }

    get bytesRead(): number {
      return this.#socket?.bytesRead ?? 0
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

const isEdit = (frame: Uint8Array): boolean => frame[0] === MESSAGE_SYNC && frame[1] !== SYNC_STEP_1

/** What y-websocket tells of a connection that came to nothing. */
interface SocketError {
  error?: NodeJS.ErrnoException
  message?: string
  target?: { isRefused?: boolean }
}

interface Waiter {
  done: () => boolean
  /** Whether it waits for what is sent, and not only for what comes in. */
  sends: boolean
  resolve: () => void
  reject: (error: ClawError) => void
}

/**
 * How long to wait before try number `tries` (from 1) to reconnect, `chance` in [0, 1): exponential, and spread, so that
 * all the clients of a server that restarts do not come at once.
 */
export const backoffMs = (tries: number, chance: number): number =>
  Math.min(100 * 2 ** tries, BACKOFF_CAP_MS) * (0.25 + 0.75 * chance)

/** What a session needs of a replica; a document without one will do for listening. */
export type Source = Pick<Replica, 'doc' | 'commit'>

/** Whether there is a connection, since when (milliseconds since the epoch), and if not, or nothing is sent on it, why. */
export interface Contact {
  connected: boolean
  since: number
  why: ClawError | null
}

/**
 * A replica's connection to its server. Reconnects by itself until closed; whoever waits for something is told of
 * the first failure, and the operations stay in the replica, from where the next connection sends them. Where the server
 * refuses these it reads on, and holds them back for a while.
 */
export class Session {
  /** Called whenever this replica and the server have what the other had. */
  onReady: () => void = () => {}
  /** Called where the server says that another agent has this Yjs client id; whether this replica takes a new one. */
  onTaken: (client: number) => boolean = () => false
  /** What was last shown to the server is for reading only: nothing of the document is sent to it. */
  readsOnly = false
  /** Whether the replica has operations that were not sent; null: not known, as there was no connection yet. */
  hasUnsent: boolean | null = null
  readonly awareness: Awareness
  readonly #provider: WebsocketProvider
  readonly #target: Target
  readonly #waiters = new Set<Waiter>()
  readonly #awaited = new Set<number>()
  readonly #contactListeners = new Set<() => void>()
  readonly #replica: Source
  readonly #beat: NodeJS.Timeout
  #presence: Presence | null
  #contact: Contact = { connected: false, since: Date.now(), why: null }
  readonly #beatMs: number
  /** How far the server's clock is ahead of this machine's (milliseconds); 0: not, or that is not known yet. */
  clockOffset = 0
  #lastBeat = Date.now()
  /** The connection that was asked for a sign of life, and how much had come in on it by then. */
  #asked: { socket: HeardSocket; bytesRead: number } | null = null
  readonly #hold = new Hold(() => this.#hangUp())
  /** How long the server told to wait before the next try to connect (milliseconds). */
  #toldMs = 0
  #nonce = 0
  #over: ClawError | null = null
  /** The credential that the last connection showed. */
  #shown: string | null = null
  /** A credential that has ended, and why: it is never shown again. */
  #ended: { token: string | null; why: ClawError } | null = null
  /** Whether the server's request for what it lacks was answered on the present socket. */
  #uploaded = false

  /** A connection on which nothing comes in for `beatMs` to twice that is given up. */
  constructor(
    target: Target,
    workspace: string,
    replica: Source,
    presence: Presence | null,
    beatMs = BEAT_MS,
  ) {
    this.#target = target
    this.#replica = replica
    this.#presence = presence
    this.#beatMs = beatMs
    this.awareness = new Awareness(replica.doc)
    this.awareness.setLocalState(null)
    this.awareness.on('update', this.#onEcho)
    const polyfill = gatedSocket(target, beatMs, {
      dials: (readsOnly, token) => {
        this.readsOnly = readsOnly
        this.#shown = token
      },
      dated: (date) => {
        this.clockOffset = clockOffset(date, Date.now())
      },
      commit: () => replica.commit(),
      holds: () => this.held !== null || this.#over !== null,
      filter: (frame) => this.#filter(frame),
      sent: (frame) => this.#sent(frame),
      failed: (error) => {
        this.#toldMs = (error.retryAfter ?? 0) * 1_000
        if (error.code === 'revoked') this.#end(error)
        else this.#fail(error)
      },
    })
    const provider = new WebsocketProvider(target.sync, workspace, replica.doc, {
      connect: false,
      awareness: this.awareness,
      disableBc: true,
      WebSocketPolyfill: polyfill as unknown as typeof globalThis.WebSocket,
      shouldReconnect: ({ code }) =>
        this.#isEnded() === null && (isTransient(code) || this.held !== null),
    })
    this.#provider = provider
    provider.messageHandlers[MESSAGE_BARRIER] = (_encoder, decoder) => {
      this.#awaited.delete(decoding.readVarUint(decoder))
      this.#check()
    }
    provider.on('status', ({ status }) => {
      this.#uploaded = false
      // With a new clock: peers that saw this client leave ignore what they already know.
      if (status === 'connected') this.#present()
    })
    provider.on('sync', () => this.#ready())
    provider.on('connection-error', (event) => this.#connectionError(event))
    provider.on('connection-close', (event) => {
      // y-websocket waits for min(100 ms · 2^tries, this), and comes to that after this event.
      const wait = backoffMs(provider.wsUnsuccessfulReconnects + 1, Math.random())
      provider.maxBackoffTime = Math.max(wait, this.#toldMs)
      if (this.#toldMs > wait) provider.wsUnsuccessfulReconnects = MANY_TRIES
      this.#toldMs = 0
      // What was sent last may not have come.
      if (this.#awaited.size > 0) this.hasUnsent = true
      if (this.#contact.connected) {
        this.#setContact({ connected: false, since: Date.now(), why: null })
      }
      if (event !== null) this.#closedByServer(event.code, event.reason)
    })
    replica.doc.on('afterTransactionCleanup', this.#followClientId)
    replica.doc.on('update', this.#onUpdate)
    this.#beat = setInterval(() => this.#onBeat(), beatMs)
    this.#beat.unref()
    provider.connect()
  }

  get contact(): Readonly<Contact> {
    return this.#contact
  }

  /** Why what this replica has to send is held back; null: it is sent. */
  get held(): ClawError | null {
    return this.#hold.why
  }

  /** Has `listener` called whenever `contact` may be another; gives what ends that. */
  onContact(listener: () => void): () => void {
    this.#contactListeners.add(listener)
    return () => this.#contactListeners.delete(listener)
  }

  #setContact(contact: Contact): void {
    this.#contact = contact
    for (const listener of this.#contactListeners) listener()
  }

  /** Shows the others who and how this is, now and after every reconnect. */
  show(presence: Presence | null): void {
    if (JSON.stringify(presence) === JSON.stringify(this.#presence)) return
    this.#presence = presence
    this.#present()
  }

  /** Dials now if there is no connection, also after the server refused the last one; not with a credential that has ended. */
  wake(): void {
    if (this.#provider.ws !== null || this.#over !== null || this.#isEnded() !== null) return
    this.#provider.connect()
  }

  /** Why nothing is dialled before there is another credential; null: it is. */
  #isEnded(): ClawError | null {
    if (this.#ended !== null && this.#ended.token !== (this.#target.token?.() ?? null)) {
      this.#ended = null
    }
    return this.#ended?.why ?? null
  }

  /** Ends the connection for good: the replica has to be opened anew before anything is sent. */
  giveUp(): void {
    this.#over = takesNewId()
    this.hasUnsent = true
    this.#fail(this.#over)
    // Not in the midst of a message; what is sent until then is held back.
    queueMicrotask(() => this.#provider.disconnect())
  }

  /** Dials anew: there is something else to show. */
  redial(): void {
    this.#provider.disconnect()
    this.wake()
  }

  /**
   * Resolves when everything has come in that the server had accepted when it was asked, and who is connected, over a
   * new connection if there is none.
   */
  async fresh(timeoutMs: number): Promise<void> {
    if (!this.#isReady) {
      const wasAway = this.#contact.why !== null && this.held === null
      this.wake()
      await this.synced(wasAway ? Math.min(timeoutMs, AWAY_TIMEOUT_MS) : timeoutMs)
    }
    return this.#echo(timeoutMs, false) // before it comes who else is connected
  }

  /** Resolves when this replica has all that the server had and has sent all that the server lacked and takes. */
  synced(timeoutMs: number): Promise<void> {
    return this.#wait(timeoutMs, false, () => this.#isReady)
  }

  /**
   * Resolves when everything written so far is on the server's disk, also if that takes a second connection. Rejects where that
   * is held back.
   */
  async barrier(timeoutMs: number): Promise<void> {
    if (this.held !== null) throw this.held
    return this.#echo(timeoutMs, true)
  }

  /** Tries again to send what is held back, unless the server refused it only just now. */
  resend(): void {
    this.#hold.lift(true)
  }

  #echo(timeoutMs: number, sends: boolean): Promise<void> {
    const nonce = ++this.#nonce
    this.#awaited.add(nonce)
    if (this.#isReady) this.#sendBarrier(nonce)
    return this.#wait(timeoutMs, sends, () => !this.#awaited.has(nonce))
  }

  /** The agents that have a live connection, and what they do. */
  present(): Map<AgentId, Activity> {
    return activities(this.awareness.getStates().values())
  }

  /** What every live connection shows of itself. */
  presences(): Presence[] {
    return [...this.awareness.getStates().values()].flatMap((state) => readPresence(state) ?? [])
  }

  close(): void {
    clearInterval(this.#beat)
    this.#hold.end()
    this.#replica.doc.off('afterTransactionCleanup', this.#followClientId)
    this.#replica.doc.off('update', this.#onUpdate)
    this.#provider.destroy()
    this.awareness.destroy()
    this.#fail(new ClawError('unreachable', 'the connection was closed here'))
  }

  get #isReady(): boolean {
    return this.#provider.synced && (this.#uploaded || this.held !== null)
  }

  #ready(): void {
    if (!this.#isReady) return
    if (!this.readsOnly && this.held === null) this.hasUnsent = false
    this.#setContact({ connected: true, since: Date.now(), why: this.held })
    for (const nonce of this.#awaited) this.#sendBarrier(nonce)
    this.#check()
    this.onReady()
  }

  #onBeat(): void {
    const now = Date.now()
    const slept = now - this.#lastBeat > SLEPT_BEATS * this.#beatMs
    this.#lastBeat = now
    const socket = this.#provider.ws as unknown as HeardSocket | null
    if (slept) this.wake()
    if (socket?.readyState !== WebSocket.OPEN) return
    const { bytesRead } = socket
    // Not only the answer counts: on a slow line that waits behind a large message.
    const isSilent = this.#asked?.socket === socket && this.#asked.bytesRead === bytesRead
    if (slept || isSilent) {
      this.#hangUp()
    } else {
      this.#asked = { socket, bytesRead }
      this.#provider.wsLastMessageReceived = now
      socket.ping()
    }
  }

  /** Gives up a connection that is dead, whatever the kernel says, and dials again. */
  #hangUp(): void {
    ;(this.#provider.ws as unknown as WebSocket | null)?.terminate()
  }

  #sendBarrier(nonce: number): void {
    const encoder = encoding.createEncoder()
    encoding.writeVarUint(encoder, MESSAGE_BARRIER)
    encoding.writeVarUint(encoder, nonce)
    this.#provider.ws?.send(encoding.toUint8Array(encoder))
  }

  #filter(frame: Uint8Array): Uint8Array | null {
    if (!this.readsOnly || frame[0] !== MESSAGE_SYNC) return frame
    if (frame[1] === SYNC_UPDATE) {
      this.hasUnsent = true
      return null
    }
    if (frame[1] !== SYNC_STEP_2) return frame
    const decoder = decoding.createDecoder(frame)
    decoder.pos = 2
    const { structs } = Y.decodeUpdate(decoding.readVarUint8Array(decoder))
    this.hasUnsent = structs.length > 0
    return NOTHING_TO_SEND
  }

  #sent(frame: Uint8Array): void {
    if (frame[0] !== MESSAGE_SYNC || frame[1] !== SYNC_STEP_2 || this.#uploaded) return
    this.#uploaded = true
    this.#ready()
  }

  #present(): void {
    this.awareness.setLocalState(this.#presence === null ? null : { ...this.#presence })
  }

  /**
   * The server gives a client that comes back its clock, by way of the state that it came with; what this shows by now
   * had a lower one, and is shown again.
   */
  #onEcho = ({ updated }: { updated: number[] }, origin: unknown): void => {
    const { awareness } = this
    if (origin === 'local' || !updated.includes(awareness.clientID)) return
    if (JSON.stringify(awareness.getLocalState()) !== JSON.stringify(this.#presence))
      this.#present()
  }

  #onUpdate = (_update: Uint8Array, origin: unknown): void => {
    if (origin === this.#provider || (this.#isReady && this.held === null)) return
    this.hasUnsent = true
  }

  /** Awareness keeps the client id that it began with, also when Yjs takes a new one. */
  #followClientId = (): void => {
    const { awareness } = this
    if (awareness.clientID === awareness.doc.clientID) return
    awareness.setLocalState(null)
    awareness.clientID = awareness.doc.clientID
    this.#present()
  }

  #connectionError(event: unknown): void {
    const { error, message, target } = event as SocketError
    if (target?.isRefused) return
    if (error instanceof ClawError) {
      this.#toldMs = (error.retryAfter ?? 0) * 1_000
      this.#fail(error)
    } else {
      const { base } = this.#target
      const why = httpError(base, error ?? new Error(message ?? 'connection failed'))
      void explained(base, why).then((found) => this.#fail(found))
    }
  }

  #closedByServer(closeCode: number, reason: string): void {
    const code = codeOfClose(closeCode)
    const taken = code === 'forged' ? TAKEN.exec(reason)?.[1] : undefined
    if (taken !== undefined && this.onTaken(Number(taken))) {
      this.giveUp()
      return
    }
    if (code === 'unauthorized' && /revoked/.test(reason)) {
      this.#end(isRevoked())
      return
    }
    this.#hold.begin(code, reason)
    if (this.held !== null) this.hasUnsent = true
    // After these, as after a broken line, the next connection catches up.
    if (code === 'slow_reader' || code === 'gap') return
    if (code === null && isTransient(closeCode)) return
    const why = `the server closed the connection: ${closeCode} ${reason}`.trim()
    this.#fail(this.held ?? new ClawError(code ?? 'bug', why))
  }

  #wait(timeoutMs: number, sends: boolean, done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (done()) return resolve()
      const never = this.#over ?? this.#isEnded()
      if (never !== null) return reject(never)
      const timer = setTimeout(() => {
        const seconds = timeoutMs / 1000
        waiter.reject(noServer(this.#target.base, `no answer within ${seconds} s`))
        this.#hangUp()
      }, timeoutMs)
      const end = () => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
      }
      const waiter: Waiter = {
        done,
        sends,
        resolve: () => {
          end()
          resolve()
        },
        reject: (error) => {
          end()
          reject(error)
        },
      }
      this.#waiters.add(waiter)
    })
  }

  #check(): void {
    for (const waiter of this.#waiters) if (waiter.done()) waiter.resolve()
  }

  /** What was shown has ended: there is no next try with it, and all who wait are told. */
  #end(why: ClawError): void {
    this.#ended = { token: this.#shown, why }
    // There may be another one by now: then the next try shows that.
    if (this.#isEnded() !== null) this.#fail(why)
  }

  #fail(error: ClawError): void {
    if (!this.#contact.connected) this.#setContact({ ...this.#contact, why: error })
    // Who waits for what comes in goes on where only what is sent is refused.
    for (const waiter of this.#waiters)
      if (waiter.sends || error !== this.held) waiter.reject(error)
  }
}

/** As the server says it: docs/PROTOCOL.md. */
const TAKEN = /client id belongs to another agent: (\d+);/

const isRevoked = (): ClawError =>
  new ClawError(
    'revoked',
    'the credential of this profile was revoked',
    'ask who runs the server for a new join link, then: clawlink-agent join -',
  )

const takesNewId = (): ClawError =>
  new ClawError(
    'gap',
    'another agent has taken the Yjs client id of this replica',
    'what was written is kept here, and sent under a new one: do not repeat it',
  )

const codeOfClose = (closeCode: number): ErrorCode | null => {
  if (closeCode === FRAME_TOO_LARGE) return 'too_large'
  for (const [code, row] of Object.entries(ERRORS)) {
    if ('close' in row && row.close === closeCode) return code as ErrorCode
  }
  return null
}

/** Whether a new connection may help: not after what the error table calls final, nor an unknown 44xx. */
const isTransient = (closeCode: number): boolean => {
  const code = codeOfClose(closeCode)
  if (code !== null) return 'retryable' in ERRORS[code]
  return closeCode < 4400 || closeCode >= 4500
}
