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
import { ConnectionLimits } from './connection-limits.ts'
import { FairScheduler, newShare, type Share } from './fair-scheduler.ts'
import { FrameQueue, type Pausable, type Take } from './frame-queue.ts'
import { RateLimiter } from './rate-limiter.ts'

const senderOf = (agent: string, workspace: string): string => `${workspace}/${agent}`

/** So much of a request's head is looked at before it is let in (bytes): what a client sends first is in it. */
const HEAD_BYTES = 4 * 1024
/** What is asked by who looks after a server, and costs nothing. */
const HEALTH = /^(?:GET|HEAD) \/health HTTP\/1/
const SHOWN = /^authorization: *(\S[^\r\n]{1,500})\r$/im

/** HTTP statuses of what is refused before anything is done for it. */
const REFUSALS: ReadonlySet<number> = new Set([400, 401, 413, 429])

/** A token may stand for many. */
const keyOf = (by: Exclude<Caller, { kind: 'owner' }>): string =>
  by.kind === 'token' ? `@${by.id}` : by.agent

/** What is paced. */
type Kind = 'frames' | 'bytes' | 'awareness' | 'handshakes' | 'requests' | 'work' | 'large'
type Taken = Partial<Record<Kind, number>>

/** Who is let in, and how fast they are read: the limits, on one server. */
export class Limiter {
  readonly #isProxy: Proxies
  readonly #now: () => number
  readonly #doors: ConnectionLimits
  /** … and of all sockets, by the address that they come from. */
  readonly #sockets: ConnectionLimits
  readonly #mostWaiting: number
  readonly #flow: RateLimiter<Kind>
  readonly #failures: Backoff
  readonly #refusals: Backoff
  readonly #offences: Backoff
  readonly #turns = new FairScheduler()
  /** What is held for those who have not sent, or taken, the rest. */
  readonly held: Held
  /** Of those who are connected. */
  readonly #shares = new Map<string, Share & { connections: number }>()

  constructor(limits: Limits, isProxy: Proxies, now: () => number) {
    this.#isProxy = isProxy
    this.#now = now
    const [all, address] = [limits.connections, limits['address-connections']]
    const [agent, workspace] = [limits['agent-connections'], limits['workspace-connections']]
    this.#doors = new ConnectionLimits({ all, address, agent, workspace })
    const any = Number.POSITIVE_INFINITY
    this.#sockets = new ConnectionLimits({
      all: 2 * all,
      address: 2 * address,
      agent: any,
      workspace: any,
    })
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
   * Has connections wait until they have asked for something; `silentMs`: for the first byte (milliseconds). `isGood`: whether
   * a secret is somebody's.
   */
  watch(server: Server, silentMs: number, isGood: (secret: string) => boolean): AcceptQueue {
    const enter = (socket: Socket): boolean => {
      try {
        const address = socket.remoteAddress ?? ''
        socket.once('close', this.#sockets.enter({ address, agent: null, workspace: '' }))
        return true
      } catch {
        return false
      }
    }
    // A trusted proxy's connections are many people's.
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

  /** Lets a connection to a workspace in until its socket is closed. Throws `too_many`. */
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
    const address = this.#addressOf(request)
    request.socket.once('close', this.#doors.enter({ address, agent, workspace }))
  }

  /** What is held for a request, or a connection, of whom nobody knows yet whose it is; `cut` ends it. */
  hold(request: IncomingMessage, cut: () => void): Hold {
    return this.held.open(this.#addressOf(request), null, cut)
  }

  /** The same for a connection of an agent; null: of the owner, for whom any amount is held. */
  holdFor(
    request: IncomingMessage,
    agent: string | null,
    workspace: string,
    cut: () => void,
  ): Hold {
    const party = agent === null ? null : senderOf(agent, workspace)
    const hold = this.held.open(this.#addressOf(request), party, cut)
    if (agent === null) hold.close()
    return hold
  }

  /** The requests and connections of an agent that are open. */
  holdsOf(agent: string, workspace: string): Hold[] {
    return this.held.holdsOf(senderOf(agent, workspace))
  }

  /**
   * Takes a request of an agent, or by a token, which may stand for many; the owner may make any. What is held for it counts
   * for them from now on. Throws `too_many`.
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
   * Resolves when what an agent asks, or somebody with a token, may be worked on: at once, or, where much was worked for it, in
   * a while. Throws `too_many` where that would be too long.
   */
  async mayWork(by: Caller): Promise<void> {
    if (by.kind === 'owner') return
    const sender = senderOf(keyOf(by), by.workspace)
    // Each of those that wait has its own place.
    const wait = this.#flow.after(sender, { work: LEAST_WORK_MS }, this.#now())
    if (wait < SHORTEST_PAUSE_MS) return
    if (wait > LONGEST_PAUSE_MS) {
      this.worked(by, -LEAST_WORK_MS)
      const what = `what ${nameOf(by)} asks takes too much work`
      throw new ClawError('too_many', what, 'wait, and ask for less', Math.ceil(wait / 1_000))
    }
    await setTimeout(wait)
  }

  /** So long was worked for what an agent, or somebody with a token, asked for (milliseconds). */
  worked(by: Caller, ms: number): void {
    if (by.kind === 'owner') return
    this.#flow.after(senderOf(keyOf(by), by.workspace), { work: ms }, this.#now())
  }

  #checkOffences(sender: string, name: string): void {
    this.#offences.check(sender, `refused messages from ${name}`)
  }

  /** One too many does not count: who goes on asking gets as many answers as one who waits. */
  #takeOne(kind: 'handshakes' | 'requests', sender: string, what: string, hint: string): void {
    const wait = this.#flow.after(sender, { [kind]: 0 }, this.#now())
    if (wait > 0) throw new ClawError('too_many', what, hint, Math.ceil(wait / 1_000))
    this.#flow.after(sender, { [kind]: 1 }, this.#now())
  }

  /** A credential was none, and why; returns how long who tries from that address has to wait, or null. */
  failed(request: IncomingMessage, why: ClawError): ClawError | null {
    const address = this.#addressOf(request)
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
   * Call with the error that a request is answered with: where an address goes on with what is refused, what comes from it
   * has to queue, and who goes on sending far too much has to wait. Returns whether it queues: then hang up.
   */
  refused(request: IncomingMessage, error: ClawError, by: Caller | null): boolean {
    if (!REFUSALS.has(error.http)) return false
    const address = this.#addressOf(request)
    this.#refusals.count(address)
    if (error.code === 'too_large' && by !== null) this.offended(by)
    return this.#refusals.wait(address) > 0
  }

  /**
   * An agent, or somebody with a token, sent what nobody should: broken, forbidden, or far too large. What so many `bytes`
   * were taken in for counts the more.
   */
  offended(by: Caller, bytes = 0): void {
    if (by.kind === 'owner') return
    this.#offences.count(senderOf(keyOf(by), by.workspace), 1 + Math.floor(bytes / OFFENCE_BYTES))
  }

  /**
   * Takes in what an agent sends on a socket, not faster than it may, and not so that others wait for it. Null: the owner,
   * who may send as fast as it likes.
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

  /** Resolves when what has come is taken in, or after so long (milliseconds). */
  settled(most: number): Promise<void> {
    return this.#turns.settled(most)
  }

  /** Forgets those who have been quiet. */
  forget(): void {
    this.#flow.forget(this.#now())
  }

  #addressOf({ socket, headers }: IncomingMessage): string {
    return addressOf(socket.remoteAddress, headers['x-forwarded-for']?.toString(), this.#isProxy)
  }
}
