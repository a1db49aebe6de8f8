import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { ClawError } from '../../workspace/errors.ts'
import { addressOf, type Proxies } from './address.ts'
import { Doors } from './doors.ts'
import { Failures } from './failures.ts'
import { BURST_SECONDS, type Limits, LONGEST_PAUSE_MS } from './limits.ts'
import { Flow } from './pace.ts'

/** A socket that is not read from for a while. */
interface Pausable {
  pause: () => void
  resume: () => void
  once: (event: 'close', listener: () => void) => unknown
}

/** Who is let in, and how fast they are read: the limits, on one server. */
export class Limiter {
  readonly #isProxy: Proxies
  readonly #now: () => number
  readonly #doors: Doors
  /** … and for those that have asked for nothing yet, by the address that they come from. */
  readonly #unasked: Doors
  readonly #flow: Flow
  readonly #failures: Failures

  constructor(limits: Limits, isProxy: Proxies, now: () => number) {
    this.#isProxy = isProxy
    this.#now = now
    const [all, address] = [limits.connections, limits['address-connections']]
    const [agent, workspace] = [limits['agent-connections'], limits['workspace-connections']]
    this.#doors = new Doors({ all, address, agent, workspace })
    const any = Number.POSITIVE_INFINITY
    this.#unasked = new Doors({ all: 2 * all, address: 2 * address, agent: any, workspace: any })
    const rate = (perSecond: number) => ({ perSecond, burst: BURST_SECONDS * perSecond })
    this.#flow = new Flow({
      frames: rate(limits.messages),
      bytes: rate(limits.bytes),
      awareness: rate(limits.awareness),
    })
    this.#failures = new Failures(now, limits.failures)
  }

  /** A connection has been made, and nothing was asked on it: one too many is cut. */
  connected(socket: Socket): void {
    try {
      const address = socket.remoteAddress ?? ''
      socket.once('close', this.#unasked.enter({ address, agent: null, workspace: '' }))
    } catch {
      socket.destroy()
    }
  }

  /** Lets a connection to a workspace in until its socket is closed. Throws `too_many`. */
  enter(request: IncomingMessage, agent: string | null, workspace: string): void {
    const address = this.#addressOf(request)
    request.socket.once('close', this.#doors.enter({ address, agent, workspace }))
  }

  /** A credential was none; returns why none of that address is looked at for a while, or null. */
  failed(request: IncomingMessage): ClawError | null {
    try {
      this.#failures.failed(this.#addressOf(request))
      return null
    } catch (error) {
      return ClawError.from(error)
    }
  }

  /** What is to be told of each message of a sender on this socket; reads no more from it while it is too fast. */
  reading(socket: Pausable, sender: string): (bytes: number, isAwareness: boolean) => void {
    let pausing: NodeJS.Timeout | undefined
    socket.once('close', () => clearTimeout(pausing))
    return (bytes, isAwareness) => {
      const wait = this.#flow.after(sender, bytes, isAwareness, this.#now())
      if (wait === 0) return
      socket.pause()
      clearTimeout(pausing) // of what came in one go the last one knows how long
      pausing = setTimeout(() => socket.resume(), Math.min(wait, LONGEST_PAUSE_MS))
    }
  }

  /** Forgets those who have been quiet. */
  forget(): void {
    this.#flow.forget(this.#now())
  }

  #addressOf({ socket, headers }: IncomingMessage): string {
    return addressOf(socket.remoteAddress, headers['x-forwarded-for']?.toString(), this.#isProxy)
  }
}
