import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { ClawError } from '../../protocol/errors.ts'
import { AWARENESS } from '../../protocol/frames.ts'
import { bearerIn, passwordIn } from '../auth/presented.ts'
import { addressOf, type Proxies } from '../config/proxies.ts'
import {
  BURST_SECONDS,
  HEAVY_BURST_SECONDS,
  LARGE_COUNTS,
  LAST_FAILURE_WAIT_MS,
  LAST_OFFENCE_WAIT_MS,
  LEAST_WORK_MS,
  type Limits,
  LONGEST_PAUSE_MS,
  OFFENCE_BYTES,
  SHORTEST_PAUSE_MS,
  SHORTEST_REST_MS,
} from '../config/quotas.ts'
import { Held, type Hold } from '../sync/held.ts'
import { type Caller, nameOf } from '../sync/principal.ts'
import { AcceptQueue } from './accept-queue.ts'
import { Backoff } from './backoff.ts'
import { Clients } from './clients.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { FairScheduler, newShare, type Share } from './fair-scheduler.ts'
import { FrameQueue, type Pausable, type Take } from './frame-queue.ts'
import { RateLimiter } from './rate-limiter.ts'

const senderOf = (agent: string, workspace: string): string => `${workspace}/${agent}`

/**
 * Bytes of a request's head inspected before the connection is accepted; they hold a client's first
 * packet.
 */
const HEAD_BYTES = 4 * 1024
/** Health checks; they are cheap. */
const HEALTH = /^(?:GET|HEAD) \/health HTTP\/1/
const SHOWN = /^authorization: *(\S[^\r\n]{1,500})\r$/im

/** HTTP statuses of requests rejected before any work. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 413, 429])

/** A token counts as one sender, though many may share it. */
const keyOf = (by: Exclude<Caller, { kind: 'owner' }>): string =>
  by.kind === 'token' ? `@${by.id}` : by.agent

/** The kinds of traffic with a rate limit. */
type Kind = 'frames' | 'bytes' | 'awareness' | 'handshakes' | 'requests' | 'work' | 'large'
type Taken = Partial<Record<Kind, number>>

/** Applies the limits of one server: accepts connections and requests, and paces their traffic. */
export class Limiter {
  readonly #isProxy: Proxies
  readonly #now: () => number
  readonly #connections: ConnectionLimits
  readonly #clients: Clients
  readonly #mostWaiting: number
  readonly #flow: RateLimiter<Kind>
  readonly #failures: Backoff
  readonly #refusals: Backoff
  readonly #offences: Backoff
  readonly #turns = new FairScheduler()
  /** Bytes in memory for peers that have not yet sent or received the rest. */
  readonly held: Held
  /** Shares of the connected senders. */
  readonly #shares = new Map<string, Share & { connections: number }>()

  constructor(limits: Limits, isProxy: Proxies, now: () => number) {
    this.#isProxy = isProxy
    this.#now = now
    const [all, address] = [limits.connections, limits['address-connections']]
    const [agent, workspace] = [limits['agent-connections'], limits['workspace-connections']]
    this.#connections = new ConnectionLimits({ all, address, agent, workspace })
    const any = Number.POSITIVE_INFINITY
    const sockets = { all: 2 * all, address: 2 * address, agent: any, workspace: any }
    this.#clients = new Clients(new ConnectionLimits(sockets), isProxy)
    const rate = (perSecond: number, seconds = BURST_SECONDS) => ({
      perSecond,
      burst: seconds * perSecond,
    })
    this.#mostWaiting = limits.waiting
    this.held = new Held({
      all: limits.held,
      address: limits['address-held'],
      party: limits['agent-held'],
    })
    this.#flow = new RateLimiter({
      frames: rate(limits.messages),
      bytes: rate(limits.bytes, HEAVY_BURST_SECONDS),
      awareness: rate(limits.awareness),
      handshakes: rate(limits.handshakes),
      requests: rate(limits.requests),
      work: rate(limits.work, HEAVY_BURST_SECONDS),
      large: { perSecond: limits.work / LARGE_COUNTS, burst: 0 },
    })
    this.#failures = new Backoff(now, limits.failures, LAST_FAILURE_WAIT_MS)
    this.#refusals = new Backoff(now, limits.refusals, LAST_OFFENCE_WAIT_MS)
    this.#offences = new Backoff(now, limits.offences, LAST_OFFENCE_WAIT_MS)
  }

  /**
   * Makes connections wait until they send a request. `silentMs`: milliseconds for the first byte.
   * `isGood`: true for a valid secret.
   */
  watch(server: Server, silentMs: number, isGood: (secret: string) => boolean): AcceptQueue {
    const enter = (socket: Socket): boolean => {
      try {
        this.#clients.enter(socket, socket.remoteAddress ?? '')
        return true
      } catch {
        return false
      }
    }
    // Many clients share a trusted proxy's connections.
    const queues = (peer: string): boolean =>
      !this.#isProxy(peer) && this.#refusals.wait(addressOf(peer, undefined, this.#isProxy)) > 0
    const passes = (first: Buffer): boolean => {
      const head = first.toString('latin1', 0, HEAD_BYTES)
      if (HEALTH.test(head)) return true
      const shown = SHOWN.exec(head)?.[1]
      const secret = bearerIn(shown) ?? passwordIn(shown)
      return secret !== null && isGood(secret)
    }
    return new AcceptQueue(server, { enter, queues, passes, most: this.#mostWaiting, silentMs })
  }

  /** Counts a connection to a workspace until its socket closes. Throws `too_many`. */
  enter(request: IncomingMessage, agent: string | null, workspace: string): void {
    if (agent !== null) {
      const sender = senderOf(agent, workspace)
      this.#checkOffences(sender, agent)
      this.#takeOne(
        'handshakes',
        sender,
        `${agent} connects too often`,
        'keep a connection, or wait',
      )
    }
    const address = this.addressOf(request)
    request.socket.once('close', this.#connections.enter({ address, agent, workspace }))
  }

  /**
   * Opens the hold of a request or connection of a yet unknown caller; `cut` ends the request or
   * connection.
   */
  hold(request: IncomingMessage, cut: () => void): Hold {
    return this.held.open(this.addressOf(request), null, cut)
  }

  /** Opens the hold of an agent's connection. `agent` null is the owner, who has no limit. */
  holdFor(
    request: IncomingMessage,
    agent: string | null,
    workspace: string,
    cut: () => void,
  ): Hold {
    const party = agent === null ? null : senderOf(agent, workspace)
    const hold = this.held.open(this.addressOf(request), party, cut)
    if (agent === null) hold.close()
    return hold
  }

  /** The holds of an agent's open requests and connections. */
  holdsOf(agent: string, workspace: string): Hold[] {
    return this.held.holdsOf(senderOf(agent, workspace))
  }

  /**
   * Accepts a request of an agent or a token; its hold counts for the caller from now on. The owner
   * has no limit. Throws `too_many`.
   */
  request(by: Caller, hold: Hold): void {
    if (by.kind === 'owner') {
      hold.close()
      return
    }
    const sender = senderOf(keyOf(by), by.workspace)
    if (this.held.isFull(sender, this.held.most / 4)) {
      const what = `${nameOf(by)} leaves too much unread, or unsent`
      throw new ClawError('too_many', what, 'take the answers to what you asked before', 1)
    }
    hold.belongsTo(sender)
    this.#checkOffences(sender, nameOf(by))
    this.#takeOne('requests', sender, `${nameOf(by)} asks too often`, 'wait, and ask less often')
  }

  /**
   * Resolves when the server may work on a caller's request: at once, or later if the caller used
   * much work. Throws `too_many` if the wait would be too long.
   */
  async mayWork(by: Caller): Promise<void> {
    if (by.kind === 'owner') return
    const sender = senderOf(keyOf(by), by.workspace)
    // Each waiting request reserves its own time.
    const wait = this.#flow.after(sender, { work: LEAST_WORK_MS }, this.#now())
    if (wait < SHORTEST_PAUSE_MS) return
    if (wait > LONGEST_PAUSE_MS) {
      this.worked(by, -LEAST_WORK_MS)
      const what = `what ${nameOf(by)} asks takes too much work`
      throw new ClawError('too_many', what, 'wait, and ask for less', Math.ceil(wait / 1_000))
    }
    await setTimeout(wait)
  }

  /** Counts `ms` milliseconds of work for a caller's request. */
  worked(by: Caller, ms: number): void {
    if (by.kind === 'owner') return
    this.#flow.after(senderOf(keyOf(by), by.workspace), { work: ms }, this.#now())
  }

  #checkOffences(sender: string, name: string): void {
    this.#offences.check(sender, `refused messages from ${name}`)
  }

  /**
   * A rejected attempt does not count, so a caller that keeps asking gets as many answers as one
   * that waits.
   */
  #takeOne(kind: 'handshakes' | 'requests', sender: string, what: string, hint: string): void {
    const wait = this.#flow.after(sender, { [kind]: 0 }, this.#now())
    if (wait > 0) throw new ClawError('too_many', what, hint, Math.ceil(wait / 1_000))
    this.#flow.after(sender, { [kind]: 1 }, this.#now())
  }

  /**
   * Counts a failed sign-in of an address. Returns a `too_many` error if the address must wait,
   * else null.
   */
  failed(request: IncomingMessage, why: ClawError): ClawError | null {
    const address = this.addressOf(request)
    try {
      this.#failures.check(address, `failed sign-ins from ${address}`)
    } catch (thrown) {
      const { code, message, hint, retryAfter } = ClawError.from(thrown)
      return new ClawError(code, `${why.message}; ${message}`, `${why.hint}; ${hint}`, retryAfter)
    }
    this.#failures.count(address)
    return null
  }

  /**
   * Call with the error that answers a request. Repeated rejections throttle the address; repeated
   * oversized bodies throttle the caller. Returns true if the address is throttled: then close the
   * connection.
   */
  refused(request: IncomingMessage, error: ClawError, by: Caller | null): boolean {
    if (!REFUSALS.has(error.http)) return false
    const address = this.addressOf(request)
    this.#refusals.count(address)
    if (error.code === 'too_large' && by !== null) this.offended(by)
    return this.#refusals.wait(address) > 0
  }

  /**
   * Counts a broken, forbidden or far too large message of a caller. `bytes`: bytes received of it;
   * more bytes make a heavier offence.
   */
  offended(by: Caller, bytes = 0): void {
    if (by.kind === 'owner') return
    this.#offences.count(senderOf(keyOf(by), by.workspace), 1 + Math.floor(bytes / OFFENCE_BYTES))
  }

  /**
   * Returns the queue of a socket's messages. It applies the agent's rate limits and shares the
   * event loop with other senders. `agent` null is the owner, who has no limit.
   */
  inbox(
    socket: Pausable,
    agent: string | null,
    workspace: string,
    take: Take,
    hold: Pick<Hold, 'add'>,
  ): FrameQueue {
    const turns = this.#turns
    const taken = (bytes: number): void => hold.add(-bytes)
    if (agent === null) {
      return new FrameQueue(socket, take, {
        turns,
        share: newShare(),
        owed: 0,
        pace: () => 0,
        taken,
      })
    }
    const sender = senderOf(agent, workspace)
    const share = this.#shares.get(sender) ?? { ...newShare(), connections: 0 }
    this.#shares.set(sender, share)
    share.connections++
    socket.once('close', () => {
      if (--share.connections === 0) this.#shares.delete(sender)
    })
    const after = (taken: Taken, shortest = SHORTEST_PAUSE_MS): number => {
      const wait = this.#flow.after(sender, taken, this.#now())
      return wait < shortest ? 0 : Math.min(wait, LONGEST_PAUSE_MS)
    }
    const pace = (message: Buffer | null, work: number, isDone: boolean): number => {
      const taken: Taken = { work }
      if (message !== null) {
        taken.frames = 1
        taken.bytes = message.length
        taken.awareness = message[0] === AWARENESS ? 1 : 0
      }
      if (isDone) return after(taken)
      const isInTheWay = turns.hasOthers(share)
      const wait = after({ ...taken, large: isInTheWay ? work : 0 }, SHORTEST_REST_MS)
      return isInTheWay ? wait : 0
    }
    const owed = after({ frames: 0, bytes: 0, awareness: 0, work: 0 })
    return new FrameQueue(socket, take, { turns, share, owed, pace, taken })
  }

  /** Resolves when all received messages are handled, at the latest after `most` milliseconds. */
  settled(most: number): Promise<void> {
    return this.#turns.settled(most)
  }

  /** Forgets idle senders. */
  forget(): void {
    this.#flow.forget(this.#now())
  }

  /** The address of a request's client, which limits count by. */
  readonly addressOf = (request: IncomingMessage): string => this.#clients.addressOf(request)

  /** Another node forwards this request for a client at `address`; it counts for that one. Throws `too_many`. */
  readonly noteClient = (request: IncomingMessage, address: string): void =>
    this.#clients.note(request, address)
}
