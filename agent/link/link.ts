import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Level } from 'level'
import type { AgentId } from '../../workspace/ids.ts'
import { type Args, readArgs } from '../args.ts'
import type { Call } from '../call.ts'
import type { Host, LinkFace } from '../host.ts'
import { writeAtomically } from '../profile.ts'
import { Connection } from './connection.ts'
import type { Log } from './log.ts'
import { Place } from './place.ts'
import type { Ask } from './wire.ts'

/** How often a link looks whether its socket is still there: without it nobody can reach it, and it must not stay. */
const SOCKET_CHECK_MS = 2_000
/** What a command that was begun may take before the link leaves all the same. */
const LEAVE_TIMEOUT_MS = 15_000

export interface LinkOptions {
  home: string
  socket: string
  version: string
  log: Log
  /** Stops after this long without a command, in milliseconds. */
  idleMs: number
}

/** A place that is kept open, and the folder of the profile whose it is. */
interface Kept {
  profile: string
  opening: Promise<Place>
  /** Once it is open. */
  place: Place | null
}

/** Why a link stops: for good, or because another one takes over what it has. */
type Reason = 'down' | 'next'

/**
 * The resident process of one home: keeps the places of all its profiles open, and answers commands. All that it has is
 * on disk, so that it may end at any moment.
 */
export class Link implements Host {
  readonly link: LinkFace
  readonly listen: Host['listen'] = (place, _presence, isWanted) => place.listen(isWanted)
  /** Resolves when the link has let go of everything. */
  readonly stopped: Promise<void>
  readonly #options: LinkOptions
  readonly #lock: Level
  readonly #server: Server
  readonly #places = new Map<string, Kept>()
  readonly #busy = new Set<Promise<void>>()
  readonly #leaving = new AbortController()
  readonly #watch: NodeJS.Timeout
  #idle: NodeJS.Timeout | null = null
  #onStopped = () => {}
  #isStopping = false

  /** `lock` is the home's: `lockHome`. */
  private constructor(options: LinkOptions, lock: Level) {
    this.#options = options
    this.#lock = lock
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve
    })
    this.link = {
      places: () =>
        [...this.#places.values()].flatMap(({ profile, place }) =>
          place ? [{ profile, place }] : [],
        ),
      pid: process.pid,
      version: options.version,
      since: Date.now(),
      leave: (profile) => this.#leave(profile),
      stop: () => setImmediate(() => void this.stop('down')),
      rewake: async () => {},
    }
    this.#server = createServer((socket) => {
      new Connection(socket, (connection, ask) => this.#onAsk(connection, ask))
    })
    this.#watch = setInterval(() => {
      if (process.platform !== 'win32' && !existsSync(options.socket)) void this.stop('next')
    }, SOCKET_CHECK_MS)
  }

  static async start(options: LinkOptions, lock: Level): Promise<Link> {
    const { home, socket, version, log } = options
    const link = new Link(options, lock)
    // Whoever listened there is gone: this process has the lock.
    if (process.platform !== 'win32') rmSync(socket, { force: true })
    const umask = process.umask(0o177)
    await new Promise<void>((resolve, reject) => {
      link.#server.once('error', reject)
      link.#server.listen(socket, resolve)
    }).finally(() => process.umask(umask))
    if (process.platform !== 'win32') chmodSync(socket, 0o600)
    const { pid, since } = link.link
    writeAtomically(join(home, 'link.json'), `${JSON.stringify({ pid, version, since })}\n`, 0o600)
    log(`link ${version} started, process ${pid}`)
    link.#rest()
    return link
  }

  async enter(call: Call): ReturnType<Host['enter']> {
    const { at, profile } = call
    let kept = this.#places.get(at.dir)
    if (kept === undefined) {
      kept = { profile: profile.dir, opening: Place.open(at, this.#options.log), place: null }
      this.#places.set(at.dir, kept)
    }
    try {
      kept.place = await kept.opening
    } catch (error) {
      this.#forget(at.dir, kept)
      throw error
    }
    const { place } = kept
    const leave = await place.enter()
    if (place.replica.isClosed) {
      leave()
      return this.enter(call)
    }
    const release = async () => {
      try {
        await place.replica.commit()
        this.#follow(call, place)
      } catch (error) {
        // A replica that cannot be written is of no use to the next command either: that opens it anew.
        this.#forget(at.dir, kept)
        await place.close().catch(() => {})
        throw error
      } finally {
        leave()
      }
    }
    this.#follow(call, place)
    return { place, leave: release }
  }

  #follow(call: Call, place: Place): void {
    const me: AgentId | undefined = call.profile.state.agent_id
    if (me !== undefined && place.me !== me) place.follow(me)
  }

  #forget(dir: string, kept: Kept): void {
    if (this.#places.get(dir) === kept) this.#places.delete(dir)
  }

  #onAsk(connection: Connection, ask: Ask): void {
    const { version, log } = this.#options
    if (ask.version !== version && !this.#isStopping) {
      log(`a command of version ${ask.version} came: leaving to a link of that`)
      void this.stop('next')
    }
    if (this.#isStopping) {
      connection.refer()
      return
    }
    const verb = verbOf(ask)?.verb
    const answer = connection
      .answer(ask, this, verb?.repeatable === true, this.#leaving.signal)
      .catch((error) => this.#options.log(`a command failed: ${(error as Error).stack}`))
      .finally(() => {
        this.#busy.delete(answer)
        this.#rest()
      })
    this.#busy.add(answer)
    if (this.#idle !== null) clearTimeout(this.#idle)
  }

  /** Begins to wait for the next command, not longer than the idle time. */
  #rest(): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    if (this.#busy.size > 0 || this.#isStopping) return
    this.#idle = setTimeout(() => {
      this.#options.log('idle')
      void this.stop('down')
    }, this.#options.idleMs)
  }

  async #leave(profile: string): Promise<number> {
    let left = 0
    for (const [dir, kept] of this.#places) {
      if (kept.profile !== profile) continue
      const place = await kept.opening
      this.#forget(dir, kept)
      const leave = await place.enter()
      await place.close().finally(leave)
      left++
    }
    return left
  }

  /** Finishes what was begun, lets go of everything and of the lock last; resolves then. */
  async stop(reason: Reason): Promise<void> {
    if (this.#isStopping) return this.stopped
    this.#isStopping = true
    clearInterval(this.#watch)
    if (this.#idle !== null) clearTimeout(this.#idle)
    const { home, log } = this.#options
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#leaving.abort(reason)
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      Promise.all([...this.#busy, closed]),
      new Promise((resolve) => {
        timer = setTimeout(resolve, LEAVE_TIMEOUT_MS)
      }),
    ])
    clearTimeout(timer)
    for (const [dir, { opening }] of this.#places) {
      await opening
        .then((place) => place.close())
        .catch((error) => log(`${dir}: ${(error as Error).message}`))
    }
    log(`link stopped: ${reason}`)
    if (readFileSync(join(home, 'link.json'), 'utf8').includes(`"pid":${process.pid},`)) {
      rmSync(join(home, 'link.json'), { force: true })
    }
    await this.#lock.close()
    this.#onStopped()
  }
}

const verbOf = (ask: Ask): Args | null => {
  try {
    return readArgs(ask.argv)
  } catch {
    return null // the answer will say what is wrong
  }
}
