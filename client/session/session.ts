import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { type Role, roleIn } from '../../protocol/roles.ts'
import type { Activity, Presence } from '../../workspace/agents/presence.ts'
import { clockOffset } from '../http/clock.ts'
import { explained, httpError, noServer } from '../http/middlebox.ts'
import type { Target } from '../http/target.ts'
import type { Replica } from '../replica/replica.ts'
import { Barriers } from './barriers.ts'
import { codeOfClose, isRevoked, isTransient, takenClient, takesNewId } from './closing.ts'
import { type Contact, ContactState } from './contact.ts'
import { SessionCredential } from './credential.ts'
import { type Dialler, type Dials, dialsTo } from './dials.ts'
import { isSyncStep2 } from './frames.ts'
import { gatedSocket, HANDSHAKE_TIMEOUT_MS } from './gated-socket.ts'
import { BEAT_MS, Heartbeat } from './heartbeat.ts'
import { Hold } from './hold.ts'
import { type Head, Provider, type ProviderEvents } from './provider.ts'
import { ShownPresence } from './shown.ts'
import { Upload } from './upload.ts'
import { Waiters } from './waiters.ts'

/** Longest wait for a server that was away a moment ago, in milliseconds. */
const AWAY_TIMEOUT_MS = 1_000
/** The most time for a handshake (beats). */
const HANDSHAKE_BEATS = 4
/** Errors of a connection attempt that reached nobody. */
const AWAY = /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/

/** An error event of y-websocket's connection. */
interface SocketError {
  error?: NodeJS.ErrnoException
  message?: string
  target?: { isRefused?: boolean }
}

/** The part of a replica that a session needs; a listener passes a document that it does not store. */
export type Source = Pick<Replica, 'doc' | 'commit'>

/** The failure in an error event; null: it is known already. `isAway`: nobody was reached. */
const failureIn = (event: unknown, base: string): { why: ClawError; isAway: boolean } | null => {
  const { error, message, target } = event as SocketError
  if (target?.isRefused) return null
  const why = httpError(base, error ?? new Error(message ?? 'connection failed'))
  return { why, isAway: AWAY.test(error?.code ?? '') }
}

/**
 * A replica's connection to its server. Reconnects until closed. Waiting calls are told of the first failure; operations
 * stay in the replica, and the next connection sends them. If the server rejects them, the session reads on and holds
 * them back for a while.
 */
export class Session {
  /** Called whenever this replica and the server have each other's operations. */
  onReady: () => void = () => {}
  /** Called with each head of the log's hash chain that the server gives out. */
  onHead: (head: Head) => void = () => {}
  /** Called if the server says that another agent has this Yjs client id. Returns true if the replica takes a new one. */
  onTaken: (client: number) => boolean = () => false
  /** Called with the role that the host gave the credential; the next connection has it. */
  onRole: (role: Role) => void = () => {}
  readonly #provider: Provider
  readonly #target: Target
  readonly #replica: Source
  readonly #waiters = new Waiters()
  readonly #credential: SessionCredential
  readonly #presence: ShownPresence
  readonly #heartbeat: Heartbeat
  readonly #barriers: Barriers
  readonly #hold = new Hold(() => this.#provider.hangUp())
  readonly #contact = new ContactState()
  readonly #dials: Dials
  readonly #dialler: Dialler = { dial: () => this.#provider.dial(), away: (e) => this.#fail(e) }
  readonly #upload = new Upload()
  #clockOffset = 0
  #over: ClawError | null = null

  /** A silent connection is given up after `beatMs` to twice that (milliseconds), sooner while a barrier waits. */
  constructor(
    target: Target,
    workspace: string,
    replica: Source,
    presence: Presence | null,
    beatMs = BEAT_MS,
  ) {
    this.#target = target
    this.#replica = replica
    this.#dials = dialsTo(target.base)
    this.#credential = new SessionCredential(target)
    this.#presence = new ShownPresence(replica.doc, presence, (update) =>
      this.#provider.applyStates(update),
    )
    this.#provider = new Provider(
      ...([target.sync, workspace, replica.doc, this.#presence.awareness] as const),
      ...([this.#socketClass(beatMs), this.#events()] as const),
    )
    replica.doc.on('update', this.#onUpdate)
    this.#barriers = new Barriers(beatMs, () => this.#provider)
    this.#heartbeat = new Heartbeat(beatMs, {
      socket: () => this.#provider.socket,
      asked: (now) => this.#provider.asked(now),
      dead: () => this.#provider.hangUp(),
      slept: () => this.wake(),
    })
    this.#provider.dial()
  }

  get contact(): Readonly<Contact> {
    return this.#contact.current
  }

  /** True if the credential of the last connection only reads: nothing of the document is sent. */
  get readsOnly(): boolean {
    return this.#upload.readsOnly
  }

  /** True if the replica has operations that were not sent; null before the first connection. */
  get hasUnsent(): boolean | null {
    return this.#upload.hasUnsent
  }

  /** Milliseconds by which the server's clock is ahead of this machine's; 0 while unknown. */
  get clockOffset(): number {
    return this.#clockOffset
  }

  /** Why the replica's operations are held back; null while they are sent. */
  get held(): ClawError | null {
    return this.#hold.why
  }

  /** Calls `listener` after each change of `contact`; returns a function that ends that. */
  onContact(listener: () => void): () => void {
    return this.#contact.onChange(listener)
  }

  /** Calls `listener` after each change of the others' presence; returns a function that ends that. */
  onPresence(listener: () => void): () => void {
    return this.#presence.onChange(listener)
  }

  /** Shows this presence to others, now and after every reconnect; null hides. */
  show(presence: Presence | null): void {
    this.#presence.change(presence)
  }

  /** Dials now unless connected, also after a rejection; not with a credential that has ended. */
  wake(): void {
    if (this.#provider.socket !== null || this.#over !== null || this.#credential.ended !== null)
      return
    this.#provider.dial()
  }

  /** Ends the connection for good: the replica has to be opened again before anything is sent. */
  giveUp(): void {
    this.#over = takesNewId()
    this.#upload.hasUnsent = true
    this.#fail(this.#over)
    // Not while a message is handled; frames sent until then are held back.
    queueMicrotask(() => this.#provider.disconnect())
  }

  /** Dials again, with another credential. */
  redial(): void {
    this.#provider.disconnect()
    this.wake()
  }

  /**
   * Resolves when the replica has all operations that the server had accepted at the time of this call, and knows who
   * is connected; dials first unless connected. Rejects after `timeoutMs`.
   */
  async fresh(timeoutMs: number): Promise<void> {
    if (!this.#isReady) {
      const wasAway = this.#contact.current.why !== null && this.held === null
      this.wake()
      await this.synced(wasAway ? Math.min(timeoutMs, AWAY_TIMEOUT_MS) : timeoutMs)
    }
    return this.#echo(timeoutMs, false) // others' presence arrives before it
  }

  /** Resolves when the replica has the server's operations and has sent all that the server lacks and accepts. */
  synced(timeoutMs: number): Promise<void> {
    return this.#wait(timeoutMs, false, () => this.#isReady)
  }

  /** Resolves when all writes so far are on the server's disk, also over a second connection. Rejects while held back. */
  async barrier(timeoutMs: number): Promise<void> {
    if (this.held !== null) throw this.held
    return this.#echo(timeoutMs, true)
  }

  /** Retries held-back operations, unless the server rejected them only just now. */
  resend(): void {
    this.#hold.lift(true)
  }

  /** The agents with a live connection, and their activities. */
  present(): ReadonlyMap<AgentId, Activity> {
    return this.#presence.agents()
  }

  /** The presence of every live connection. */
  presences(): Presence[] {
    return this.#presence.all()
  }

  close(): void {
    this.#heartbeat.stop()
    this.#barriers.stop()
    this.#hold.end()
    this.#replica.doc.off('update', this.#onUpdate)
    this.#provider.destroy()
    this.#dials.leave(this.#dialler)
    this.#presence.end()
    this.#fail(new ClawError('unreachable', 'the connection was closed here'))
  }

  #socketClass(beatMs: number): ReturnType<typeof gatedSocket> {
    const most = Math.min(HANDSHAKE_TIMEOUT_MS, HANDSHAKE_BEATS * beatMs)
    return gatedSocket(this.#target, () => this.#barriers.handshakeMs(most), {
      dials: (readsOnly, token) => {
        this.#upload.readsOnly = readsOnly
        this.#credential.show(token)
        this.#dials.begin(this.#dialler)
      },
      dated: (date) => {
        this.#clockOffset = clockOffset(date, Date.now())
      },
      commit: () => this.#replica.commit(),
      holds: () => this.held !== null || this.#over !== null,
      filter: (frame) => this.#upload.filter(frame),
      sent: (frame) => {
        if (!isSyncStep2(frame) || this.#upload.isDone) return
        this.#upload.isDone = true
        this.#ready()
      },
      failed: (error) => {
        this.#provider.demand((error.retryAfter ?? 0) * 1_000)
        if (error.code !== 'unreachable') this.#dials.there()
        if (error.code === 'revoked') this.#end(error)
        else this.#fail(error)
      },
    })
  }

  #events(): ProviderEvents {
    return {
      retries: (code) =>
        this.#credential.ended === null && (isTransient(code) || this.held !== null),
      status: (isConnected) => {
        this.#upload.isDone = false
        if (!isConnected) return
        this.#dials.there()
        this.#presence.show()
      },
      redials: () => this.#dials.queue(this.#dialler),
      synced: () => this.#ready(),
      barrier: (nonce, head) => {
        if (head !== null) this.onHead(head)
        this.#barriers.answered(nonce)
        this.#waiters.check()
      },
      awareness: (update) => this.#presence.came(update),
      error: (event) => this.#connectionError(event),
      closed: (event) => {
        // The last frames may not have arrived.
        if (!this.#barriers.isEmpty) this.#upload.hasUnsent = true
        this.#contact.lost()
        this.#presence.lost()
        this.#dials.end(this.#dialler)
        if (event !== null) this.#closedByServer(event.code, event.reason)
      },
    }
  }

  get #isReady(): boolean {
    return this.#provider.isSynced && (this.#upload.isDone || this.held !== null)
  }

  #ready(): void {
    if (!this.#isReady) return
    if (!this.#upload.readsOnly && this.held === null) this.#upload.hasUnsent = false
    this.#contact.connected(this.held)
    this.#dials.end(this.#dialler)
    this.#barriers.resend()
    this.#waiters.check()
    this.onReady()
  }

  #echo(timeoutMs: number, sends: boolean): Promise<void> {
    return this.#wait(timeoutMs, sends, this.#barriers.ask(this.#isReady))
  }

  #onUpdate = (_update: Uint8Array, origin: unknown): void => {
    if (this.#provider.isOrigin(origin) || (this.#isReady && this.held === null)) return
    this.#upload.hasUnsent = true
  }

  #connectionError(event: unknown): void {
    const failure = failureIn(event, this.#target.base)
    if (failure === null) return
    const { why, isAway } = failure
    if (why.retryAfter !== undefined) this.#provider.demand(why.retryAfter * 1_000)
    if (isAway) this.#provider.wasAway()
    if (isAway) this.#dials.away(why)
    void explained(this.#target.base, why).then((found) => this.#fail(found))
  }

  #closedByServer(closeCode: number, reason: string): void {
    const code = codeOfClose(closeCode)
    const role = roleIn(reason)
    if (role !== null) this.onRole(role)
    const taken = code === 'forged' ? takenClient(reason) : null
    const isTaken = taken !== null && this.onTaken(taken)
    const isOver = code === 'unauthorized' && /revoked/.test(reason)
    if (isTaken) this.giveUp()
    if (isOver) this.#end(isRevoked())
    if (isTaken || isOver) return
    this.#hold.begin(code, reason)
    if (this.held !== null) this.#upload.hasUnsent = true
    // After these, as after a broken line, the next connection catches up.
    if (code === 'slow_reader' || code === 'gap' || (code === null && isTransient(closeCode)))
      return
    const why = `the server closed the connection: ${closeCode} ${reason}`.trim()
    this.#fail(this.held ?? new ClawError(code ?? 'bug', why))
  }

  async #wait(timeoutMs: number, sends: boolean, done: () => boolean): Promise<void> {
    if (done()) return
    const never = this.#over ?? this.#credential.ended
    if (never !== null) throw never
    const late = () => {
      queueMicrotask(() => this.#provider.hangUp())
      return noServer(this.#target.base, `no answer within ${timeoutMs / 1000} s`)
    }
    return this.#waiters.wait(timeoutMs, sends, done, late)
  }

  /** The shown credential has ended. With another one at hand the next attempt shows that; else all waiters fail. */
  #end(why: ClawError): void {
    this.#credential.end(why)
    if (this.#credential.ended !== null) this.#fail(why)
  }

  #fail(error: ClawError): void {
    this.#contact.failed(error)
    // A hold concerns only those who wait for their writes.
    this.#waiters.fail(error, error === this.held)
  }
}
