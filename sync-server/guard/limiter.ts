import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { ClawError } from '../../workspace/errors.ts'
import { nameOf, type Shown } from '../access/speaker.ts'
import { AWARENESS } from '../wire.ts'
import { addressOf, type Proxies } from './address.ts'
import { Doors } from './doors.ts'
import { Failures } from './failures.ts'
import { Inbox, type Pausable, type Take } from './inbox.ts'
import {
  BURST_SECONDS,
  LAST_FAILURE_WAIT_MS,
  LAST_OFFENCE_WAIT_MS,
  type Limits,
  LONGEST_PAUSE_MS,
  SHORTEST_PAUSE_MS,
} from './limits.ts'
import { Flow } from './pace.ts'
import { Porch } from './porch.ts'
import { type Share, Turns } from './turns.ts'

const senderOf = (agent: string, workspace: string): string => `${workspace}/${agent}`

/** Who is let in, and how fast they are read: the limits, on one server. */
export class Limiter {
  readonly #isProxy: Proxies
  readonly #now: () => number
  readonly #doors: Doors
  /** … and of all sockets, by the address that they come from. */
  readonly #sockets: Doors
  readonly #mostWaiting: number
  readonly #flow: Flow<'frames' | 'bytes' | 'awareness' | 'handshakes' | 'requests' | 'work'>
  readonly #failures: Failures
  readonly #offences: Failures
  readonly #turns = new Turns()
  /** Of those who are connected. */
  readonly #shares = new Map<string, Share & { connections: number }>()

  constructor(limits: Limits, isProxy: Proxies, now: () => number) {
    this.#isProxy = isProxy
    this.#now = now
    const [all, address] = [limits.connections, limits['address-connections']]
    const [agent, workspace] = [limits['agent-connections'], limits['workspace-connections']]
    this.#doors = new Doors({ all, address, agent, workspace })
    const any = Number.POSITIVE_INFINITY
    this.#sockets = new Doors({ all: 2 * all, address: 2 * address, agent: any, workspace: any })
    const rate = (perSecond: number) => ({ perSecond, burst: BURST_SECONDS * perSecond })
    this.#mostWaiting = limits.waiting
    this.#flow = new Flow({
      frames: rate(limits.messages),
      bytes: rate(limits.bytes),
      awareness: rate(limits.awareness),
      handshakes: rate(limits.handshakes),
      requests: rate(limits.requests),
      work: rate(limits.work),
    })
    this.#failures = new Failures(now, limits.failures, LAST_FAILURE_WAIT_MS)
    this.#offences = new Failures(now, limits.offences, LAST_OFFENCE_WAIT_MS)
  }

  /** Has connections wait until they have asked for something; `silentMs`: for the first byte (milliseconds). */
  watch(server: Server, silentMs: number): void {
    const enter = (socket: Socket): boolean => {
      try {
        const address = socket.remoteAddress ?? ''
        socket.once('close', this.#sockets.enter({ address, agent: null, workspace: '' }))
        return true
      } catch {
        return false
      }
    }
    new Porch(server, { enter, most: this.#mostWaiting, silentMs })
  }

  /** Lets a connection to a workspace in until its socket is closed. Throws `too_many`. */
  enter(request: IncomingMessage, agent: string | null, workspace: string): void {
    if (agent !== null) {
      const sender = senderOf(agent, workspace)
      this.#offences.check(sender, `frames of ${agent} were refused`)
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

  /** Takes a request of an agent, or by a token, which may stand for many; the owner may make any. Throws `too_many`. */
  request(by: Shown): void {
    if (by.kind === 'owner') return
    const name = by.kind === 'token' ? `@${by.id}` : by.agent
    const sender = senderOf(name, by.workspace)
    this.#takeOne('requests', sender, `${nameOf(by)} asks too often`, 'wait, and ask less often')
  }

  /** One too many does not count: who goes on asking gets as many answers as one who waits. */
  #takeOne(kind: 'handshakes' | 'requests', sender: string, what: string, hint: string): void {
    const wait = this.#flow.after(sender, { [kind]: 0 }, this.#now())
    if (wait > 0) throw new ClawError('too_many', what, hint, Math.ceil(wait / 1_000))
    this.#flow.after(sender, { [kind]: 1 }, this.#now())
  }

  /** A credential was none; returns why none of that address is looked at for a while, or null. */
  failed(request: IncomingMessage): ClawError | null {
    const address = this.#addressOf(request)
    try {
      this.#failures.check(address, `wrong credentials came from ${address}`)
    } catch (error) {
      return ClawError.from(error)
    }
    this.#failures.count(address)
    return null
  }

  /** A connection had to be closed for what an agent sent on it. */
  offended(agent: string, workspace: string): void {
    this.#offences.count(senderOf(agent, workspace))
  }

  /**
   * Takes in what an agent sends on a socket, not faster than it may, and not so that others wait for it. Null: the owner,
   * who may send as fast as it likes.
   */
  inbox(socket: Pausable, agent: string | null, workspace: string, take: Take): Inbox {
    if (agent === null) return new Inbox(socket, this.#turns, { turn: 0, spent: 0 }, take, () => 0)
    const sender = senderOf(agent, workspace)
    const share = this.#shares.get(sender) ?? { turn: 0, spent: 0, connections: 0 }
    this.#shares.set(sender, share)
    share.connections++
    socket.once('close', () => {
      if (--share.connections === 0) this.#shares.delete(sender)
    })
    return new Inbox(socket, this.#turns, share, take, (message, work) => {
      const awareness = message[0] === AWARENESS ? 1 : 0
      const taken = { frames: 1, bytes: message.length, awareness, work }
      const wait = this.#flow.after(sender, taken, this.#now())
      return wait < SHORTEST_PAUSE_MS ? 0 : Math.min(wait, LONGEST_PAUSE_MS)
    })
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
