import { readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Level } from 'level'
import type { Joining } from '../../client/resident/attach-wire.ts'
import type { Ask } from '../../client/resident/wire.ts'
import { writeLocal } from '../../lib/disk/local-write.ts'
import { Call, type Env } from '../command/call.ts'
import type { AgentProgram } from '../command/program.ts'
import type { LinkFace, Runtime } from '../command/runtime.ts'
import { attachProgram } from './attach-program.ts'
import { Connection } from './connection.ts'
import { IpcServer } from './ipc-server.ts'
import { isMcpUsed, rememberMcp, WARM_AFTER_MS } from './mcp-used.ts'
import type { OpenOptions, OpenWorkspace, StopReason } from './open-workspace.ts'
import { WorkspacePool } from './workspace-pool.ts'

/** Time that running commands have to end when the link stops, in milliseconds. */
const LEAVE_TIMEOUT_MS = 15_000

export interface LinkOptions extends OpenOptions {
  socket: string
  version: string
  program: AgentProgram
  /** The link stops after this long without a command, in milliseconds. */
  idleMs: number
}

/**
 * The resident process of one home: runs commands, and keeps the workspaces of all profiles open between them. All its
 * state is on disk; it may end at any moment.
 */
export class Link implements Runtime {
  readonly link: LinkFace
  readonly listen: Runtime['listen'] = (handle, _presence, wanted) => handle.listen(wanted)
  /** Resolves when all workspaces and the lock are released. */
  readonly stopped: Promise<void>
  readonly #options: LinkOptions
  readonly #lock: Level
  readonly #pool: WorkspacePool
  readonly #busy = new Set<Promise<void>>()
  readonly #leaving = new AbortController()
  #server: IpcServer | null = null
  #idle: NodeJS.Timeout | null = null
  #onStopped = () => {}
  #isStopping = false

  private constructor(options: LinkOptions, lock: Level) {
    this.#options = options
    this.#lock = lock
    this.#pool = new WorkspacePool(options)
    this.stopped = new Promise((resolve) => {
      this.#onStopped = resolve
    })
    this.link = {
      workspaces: () => this.#pool.all,
      pid: process.pid,
      version: options.version,
      since: Date.now(),
      leave: (profile) => this.#pool.leave(profile),
      stop: () => setImmediate(() => void this.stop('down')),
      rewake: (profile) => this.#pool.rewake(profile),
    }
  }

  /** `lock` is the lock of the home, from `lockHome`. Throws the errors of `IpcServer.listen`. */
  static async start(options: LinkOptions, lock: Level): Promise<Link> {
    const link = new Link(options, lock)
    await link.#start()
    return link
  }

  async #start(): Promise<void> {
    const { home, socket, log } = this.#options
    this.#server = await IpcServer.listen({
      path: socket,
      onConnection: (connection) => {
        new Connection(connection, (from, ask) => this.#onAsk(from, ask))
      },
      onGone: () => {
        log(`${socket} is gone`)
        void this.stop('next')
      },
    })
    const { pid, version, since } = this.link
    writeLocal(join(home, 'link.json'), `${JSON.stringify({ pid, version, since })}\n`, 0o600)
    log(`link ${version} started, process ${pid}`)
    this.#rest()
    void this.#pool.restore()
    if (isMcpUsed(home)) setTimeout(() => this.#warmMcp(), WARM_AFTER_MS).unref()
  }

  #warmMcp(): void {
    const { program, log } = this.#options
    program.warmMcp().then(
      () => log('MCP is loaded'),
      (error: Error) => log(`MCP is not loaded: ${error.message}`),
    )
  }

  async enter(call: Call): ReturnType<Runtime['enter']> {
    const { at, profile } = call
    const open = await this.#pool.acquire(at, profile.dir)
    const { handle } = open
    const release = await handle.enter()
    if (handle.replica.isClosed) {
      release()
      return this.enter(call)
    }
    this.#pool.follow(call.profile, open)
    const leave = async () => {
      try {
        await handle.replica.commit()
        // A workspace that the profile only reads is closed: there may be any number of them.
        if (!this.#pool.follow(call.profile, open)) await this.#pool.dropUnused(open)
        open.changed()
      } catch (error) {
        // The replica cannot be written; the next command opens it again.
        await this.#pool.drop(open).catch(() => {})
        throw error
      } finally {
        release()
      }
    }
    return { place: handle, leave }
  }

  #onAsk(connection: Connection, ask: Ask): void {
    const { version, log, program } = this.#options
    const isOther = ask.version !== version && ask.mcp?.again !== true
    if (isOther && !this.#isStopping) {
      log(`a command of version ${ask.version} came: leaving to a link of that`)
      void this.stop('next')
    }
    if (this.#isStopping) {
      connection.refer()
      return
    }
    const answer = this.#serve(connection, ask, program)
      .catch((error) => log(`a command failed: ${(error as Error).stack}`))
      .finally(() => {
        this.#busy.delete(answer)
        this.#rest()
      })
    this.#busy.add(answer)
    if (this.#idle !== null) clearTimeout(this.#idle)
  }

  #serve(connection: Connection, ask: Ask, program: AgentProgram): Promise<void> {
    const leaving = this.#leaving.signal
    if (ask.attach !== undefined) return this.#attach(connection.take(), ask, ask.attach)
    if (ask.mcp === undefined || !program.isMcp(ask.argv)) {
      return connection.answer(ask, this, program, leaving)
    }
    const { home, log } = this.#options
    rememberMcp(home)
    return program.serveMcp({ stream: connection.beginMcp(), ask, host: this, leaving, log })
  }

  #attach(socket: Socket, ask: Ask, joining: Joining): Promise<void> {
    const request = {
      ...ask,
      env: ask.env as Env,
      stdin: null,
      signal: this.#leaving.signal,
      print: async () => {},
      say: () => {},
    }
    return attachProgram(this.#pool, {
      socket,
      joining,
      read: () => new Call(request, this.#options.program.read(ask.argv), this),
      onDetached: (open) => this.#onDetached(open),
    })
  }

  #onDetached(open: OpenWorkspace): void {
    if (this.#isStopping) return
    this.#rest()
    this.#pool
      .dropUnused(open)
      .catch((error: Error) => this.#options.log(`${open.handle.at.dir}: ${error.message}`))
  }

  /** Restarts the idle time, if no command runs. */
  #rest(): void {
    if (this.#idle !== null) clearTimeout(this.#idle)
    if (this.#busy.size > 0 || this.#isStopping) return
    this.#idle = setTimeout(() => {
      if (this.#pool.all.some((open) => open.isNeeded)) return this.#rest()
      this.#options.log('idle')
      void this.stop('down')
    }, this.#options.idleMs)
  }

  /** Ends the running commands, closes all workspaces, and releases the lock last; resolves then. */
  async stop(reason: StopReason): Promise<void> {
    if (this.#isStopping) return this.stopped
    this.#isStopping = true
    if (this.#idle !== null) clearTimeout(this.#idle)
    const { home, log } = this.#options
    const closed = this.#server?.close()
    this.#leaving.abort(reason)
    this.#pool.detachAll(reason)
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      Promise.all([...this.#busy, closed]),
      new Promise((resolve) => {
        timer = setTimeout(resolve, LEAVE_TIMEOUT_MS)
      }),
    ])
    clearTimeout(timer)
    await this.#pool.stop(reason)
    log(`link stopped: ${reason}`)
    if (pidIn(home) === process.pid) rmSync(join(home, 'link.json'), { force: true })
    await this.#lock.close()
    this.#onStopped()
  }
}

/** The process id in link.json; null if the file, or the home, is missing. */
const pidIn = (home: string): number | null => {
  try {
    return (JSON.parse(readFileSync(join(home, 'link.json'), 'utf8')) as { pid: number }).pid
  } catch {
    return null
  }
}
