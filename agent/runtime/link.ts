import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Level } from 'level'
import { parseTarget } from '../../client/http/target.ts'
import type { Joining } from '../../client/resident/attach-wire.ts'
import type { Ask } from '../../client/resident/wire.ts'
import { mayDoLater } from '../../client/session/outbox.ts'
import { writeLocal } from '../../lib/disk/local-write.ts'
import { ClawError } from '../../protocol/errors.ts'
import { hasAgent } from '../../workspace/agents/agents.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import { entries } from '../../workspace/tasks/tasks.ts'
import { Call, type Env } from '../command/call.ts'
import { accessOf, type Profile, presenceOf, readState } from '../command/profile.ts'
import type { AgentProgram } from '../command/program.ts'
import type { LinkFace, Runtime } from '../command/runtime.ts'
import { Mirrors } from '../mirror/mirrors.ts'
import type { Log } from '../session/log.ts'
import { WorkspaceHandle, type WorkspaceLocation } from '../session/workspace-handle.ts'
import { Attachment, say } from './attach.ts'
import { AttachIds } from './attach-ids.ts'
import { Connection } from './connection.ts'
import { Waker } from './waker.ts'

/** How often a link looks whether its socket is still there: without it nobody can reach it, and it must not stay. */
const SOCKET_CHECK_MS = 2_000
/** What a command that was begun may take before the link leaves all the same. */
const LEAVE_TIMEOUT_MS = 15_000

export interface LinkOptions {
  home: string
  socket: string
  version: string
  log: Log
  program: AgentProgram
  /** Stops after this long without a command, in milliseconds. */
  idleMs: number
  /** An agent is shown as idle after this long without a command, in milliseconds. */
  presenceIdleMs: number
  /** An agent counts as not at work after this long without a command, in milliseconds: its tasks' leases run. */
  silentMs: number
  /** A server is given up after one or two of these without a sign of life, in milliseconds. */
  beatMs: number
}

/** Which places were open, for the next link: the folder of the profile, and what of. */
const PLACES_FILE = 'link-places.json'

interface Remembered {
  profile: string
  server: string
  workspace: string
}

const readPlaces = (home: string): Remembered[] => {
  try {
    return JSON.parse(readFileSync(join(home, PLACES_FILE), 'utf8')) as Remembered[]
  } catch {
    return [] // the first link here, or the last one was taken down
  }
}

/** A place that is kept open, the folder of the profile whose it is, what wakes its agent, and what is mirrored. */
interface Open {
  profile: string
  place: WorkspaceHandle
  waker: Waker | null
  mirrors: Mirrors | null
  attachments: Set<Attachment>
  ids: AttachIds
}

/** Why a link stops: for good, or because another one takes over what it has. */
type Reason = 'down' | 'next'

/**
 * The resident process of one home: keeps the places of all its profiles open, and answers commands. All that it has is
 * on disk, so that it may end at any moment.
 */
export class Link implements Runtime {
  readonly link: LinkFace
  readonly listen: Runtime['listen'] = (place, _presence, wanted) => place.listen(wanted)
  /** Resolves when the link has let go of everything. */
  readonly stopped: Promise<void>
  readonly #options: LinkOptions
  readonly #lock: Level
  readonly #server: Server
  readonly #places = new Map<string, Promise<Open>>()
  readonly #open = new Set<Open>()
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
      places: () => [...this.#open],
      pid: process.pid,
      version: options.version,
      since: Date.now(),
      leave: (profile) => this.#leave(profile),
      stop: () => setImmediate(() => void this.stop('down')),
      rewake: (profile) => {
        for (const open of this.#open) {
          if (open.profile !== profile) continue
          open.waker?.close()
          open.waker = Waker.of(profile, open.place, options.log)
        }
      },
    }
    this.#server = createServer((socket) => {
      new Connection(socket, (connection, ask) => this.#onAsk(connection, ask))
    })
    this.#watch = setInterval(() => {
      if (process.platform === 'win32' || existsSync(options.socket)) return
      options.log(`${options.socket} is gone`)
      void this.stop('next')
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
    writeLocal(join(home, 'link.json'), `${JSON.stringify({ pid, version, since })}\n`, 0o600)
    log(`link ${version} started, process ${pid}`)
    link.#rest()
    void link.#restore()
    return link
  }

  async enter(call: Call): ReturnType<Runtime['enter']> {
    const { at, profile } = call
    const kept = await this.#keep(at, profile.dir)
    const { place } = kept
    const leave = await place.enter()
    if (place.replica.isClosed) {
      leave()
      return this.enter(call)
    }
    this.#follow(call.profile, kept)
    const release = async () => {
      try {
        await place.replica.commit()
        // Not for those who only looked: of them there may be any number, and nobody waits for them.
        if (!this.#follow(call.profile, kept)) await this.#dropUnused(kept)
        for (const attachment of kept.attachments) attachment.changed()
      } catch (error) {
        // A replica that cannot be written is of no use to the next command either: that opens it anew.
        await this.#drop(at.dir, kept).catch(() => {})
        throw error
      } finally {
        leave()
      }
    }
    return { place, leave: release }
  }

  /** The place, opened if it is not yet. */
  async #keep(at: WorkspaceLocation, profile: string): Promise<Open> {
    let opening = this.#places.get(at.dir)
    if (opening === undefined) {
      const { log, beatMs } = this.#options
      opening = WorkspaceHandle.open(at, log, beatMs).then((place) => ({
        profile,
        place,
        waker: null,
        mirrors: null,
        attachments: new Set(),
        ids: new AttachIds(place.replica),
      }))
      this.#places.set(at.dir, opening)
      opening.then(
        (open) => {
          this.#open.add(open)
          open.place.onTaken = () => void this.#beginAnew(open)
        },
        () => this.#places.delete(at.dir),
      )
    }
    const open = await opening
    if (!isElsewhere(open, at) || !this.#open.has(open)) return open
    const leave = await open.place.enter()
    await (this.#open.has(open) ? this.#drop(at.dir, open) : null)
    leave()
    return this.#keep(at, profile)
  }

  /** Another agent has the client id of its replica: that takes a new one as it is closed. */
  async #beginAnew(open: Open): Promise<void> {
    const { profile, place } = open
    const { dir, target, workspace } = place.at
    const isKept = place.me !== null
    const leave = await place.enter()
    await this.#drop(dir, open)
      .catch((error: Error) => this.#options.log(`${dir}: ${error.message}`))
      .finally(leave)
    if (isKept && !this.#isStopping) await this.#resume({ profile, server: target.base, workspace })
  }

  async #dropUnused(open: Open): Promise<void> {
    const { place, attachments } = open
    if (this.#open.has(open) && place.me === null && attachments.size === 0)
      await this.#drop(place.at.dir, open)
  }

  async #drop(dir: string, open: Open): Promise<void> {
    for (const attachment of open.attachments) attachment.close()
    this.#places.delete(dir)
    this.#open.delete(open)
    open.waker?.close()
    await open.mirrors?.close()
    await open.place.close()
  }

  /** Whether the profile is registered there: then its place is kept, and its inbox filled. */
  #follow(profile: Profile, open: Open): boolean {
    const me = profile.state.agent_id
    const { place } = open
    if (me === undefined || !hasAgent(place.replica.doc, me)) return false
    if (place.me === me) return true
    const { presenceIdleMs, silentMs } = this.#options
    place.follow(me, presenceIdleMs, silentMs)
    const { home, log } = this.#options
    open.waker = Waker.of(profile.dir, place, log)
    open.mirrors ??= new Mirrors(profile.dir, home, place, log)
    // Its inbox is filled, and its mirrors are at work, whatever the command that opened it needs.
    if (place.session === null) {
      place.connect(presenceOf(profile.state))
      place.rest()
    }
    this.#remember()
    return true
  }

  /** Writes down which places are open: a link that takes over opens them again. */
  #remember(): void {
    const places: Remembered[] = []
    for (const { profile, place } of this.#open) {
      const { target, workspace } = place.at
      if (place.me !== null) places.push({ profile, server: target.base, workspace })
    }
    writeLocal(join(this.#options.home, PLACES_FILE), `${JSON.stringify(places)}\n`, 0o600)
  }

  /** Opens what the last link had open. */
  async #restore(): Promise<void> {
    for (const one of readPlaces(this.#options.home)) await this.#resume(one)
  }

  async #resume({ profile: dir, server, workspace }: Remembered): Promise<void> {
    try {
      const profile = { name: '', dir, state: readState(dir) }
      const access = accessOf(profile, parseTarget(server), workspace, {})
      const { token, readsOnly, faith } = access
      const target = { ...parseTarget(server), token, readsOnly, faith }
      const open = await this.#keep({ dir: access.replica, target, workspace, access }, dir)
      if (open.place.session !== null || !this.#follow(profile, open)) return
      open.place.connect(presenceOf(profile.state))
      open.place.rest()
    } catch (error) {
      this.#options.log(`${dir} is not open again: ${(error as Error).message}`)
    }
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
    const answered =
      ask.attach === undefined
        ? connection.answer(ask, this, this.#options.program, this.#leaving.signal)
        : this.#attach(connection.take(), ask, ask.attach)
    const answer = answered
      .catch((error) => this.#options.log(`a command failed: ${(error as Error).stack}`))
      .finally(() => {
        this.#busy.delete(answer)
        this.#rest()
      })
    this.#busy.add(answer)
    if (this.#idle !== null) clearTimeout(this.#idle)
  }

  /** Attaches a program to the place that its command line means. Its place is open to it and to commands at once. */
  async #attach(socket: Socket, ask: Ask, joining: Joining): Promise<void> {
    const request = {
      ...ask,
      env: ask.env as Env,
      stdin: null,
      signal: this.#leaving.signal,
      print: async () => {},
      say: () => {},
    }
    let attachment: Attachment | null = null
    try {
      const call = new Call(request, this.#options.program.read(ask.argv), this)
      const { profile } = call
      // Whoever is not let in is told so at once; who is away, later.
      await call.access.ready().catch((error) => {
        if (!mayDoLater(error) || !existsSync(call.at.dir)) throw error
      })
      const { at } = call
      const open = await this.#keep(at, profile.dir)
      // Another command closed it meanwhile.
      if (!this.#open.has(open)) return this.#attach(socket, ask, joining)
      this.#follow(profile, open)
      open.place.connect(presenceOf(profile.state)).wake()
      const who = { profile: profile.name, name: () => readState(profile.dir).name ?? '' }
      attachment = new Attachment(socket, open.place, open.ids, who, joining.pid)
      const mine = attachment
      open.attachments.add(mine)
      attachment.onContact = () => this.#follow({ ...profile, state: readState(profile.dir) }, open)
      attachment.onClosed = () => {
        open.attachments.delete(mine)
        if (this.#isStopping) return
        this.#rest()
        this.#dropUnused(open).catch((error: Error) =>
          this.#options.log(`${at.dir}: ${error.message}`),
        )
      }
      await attachment.begin(joining)
    } catch (thrown) {
      say(socket, { refused: ClawError.from(thrown).toBody() })
      socket.end()
      attachment?.close()
    }
  }

  /** Begins to wait for the next command, not longer than the idle time. */
  #rest(): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    if (this.#busy.size > 0 || this.#isStopping) return
    this.#idle = setTimeout(() => {
      if ([...this.#open].some(isNeeded)) return this.#rest()
      this.#options.log('idle')
      void this.stop('down')
    }, this.#options.idleMs)
  }

  async #leave(profile: string): Promise<number> {
    const leaving = [...this.#open].filter((open) => open.profile === profile)
    for (const open of leaving) {
      const { place } = open
      const leave = await place.enter()
      for (const attachment of open.attachments) attachment.close()
      await open.mirrors?.close()
      await place.leave()
      await this.#drop(place.at.dir, open).finally(leave)
    }
    this.#remember()
    return leaving.length
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
    for (const { attachments } of this.#open) {
      for (const attachment of attachments) attachment.close(reason)
    }
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      Promise.all([...this.#busy, closed]),
      new Promise((resolve) => {
        timer = setTimeout(resolve, LEAVE_TIMEOUT_MS)
      }),
    ])
    clearTimeout(timer)
    await Promise.all(
      [...this.#open].map(async ({ place, waker, mirrors }) => {
        waker?.close()
        await mirrors?.close().catch((error: Error) => log(`${place.at.dir}: ${error.message}`))
        await (reason === 'down' ? place.leave() : place.close()).catch((error: Error) =>
          log(`${place.at.dir}: ${error.message}`),
        )
      }),
    )
    if (reason === 'down') rmSync(join(home, PLACES_FILE), { force: true })
    log(`link stopped: ${reason}`)
    if (pidIn(home) === process.pid) rmSync(join(home, 'link.json'), { force: true })
    await this.#lock.close()
    this.#onStopped()
  }
}

/** True if a place has the same server at another address, and that address does not answer now. */
const isElsewhere = ({ place }: Open, { target }: WorkspaceLocation): boolean =>
  place.at.target.base !== target.base &&
  place.session?.contact.connected === false &&
  place.session.contact.why !== null

/** Whether somebody counts on the link without commands: attached, to be woken, its folders, at work on a task. */
const isNeeded = ({ place, waker, mirrors, attachments }: Open): boolean =>
  attachments.size > 0 ||
  waker !== null ||
  (mirrors !== null && mirrors.size > 0) ||
  [...entries(place.replica.doc)].some(
    ({ status }) => status.owner === place.me && !isTerminal(status.state),
  )

/** The process that link.json names; null: there is none, or not even a home any more. */
const pidIn = (home: string): number | null => {
  try {
    return (JSON.parse(readFileSync(join(home, 'link.json'), 'utf8')) as { pid: number }).pid
  } catch {
    return null
  }
}
