import { setTimeout as sleep } from 'node:timers/promises'
import type { Ask } from '../../client/resident/wire.ts'
import { textOf } from '../../lib/disk/claim.ts'
import { writeOwn } from '../../lib/disk/own-file.ts'
import { living } from '../../lib/disk/process-life.ts'
import { type Asked, askLink, versionAt } from './ask-link.ts'
import { rangAt } from './bell.ts'
import { type HostSession, isOver } from './host-session.ts'
import { becomeWatcher, leaseOf, takeLease } from './lease.ts'
import type { Place } from './place.ts'

/** Interval of looks at the host's process, the lease and the link, in milliseconds. */
const LOOK_MS = 2_000
/** Waits before a link that ended is asked again, in milliseconds; doubled up to the longest one. */
const RETRY_MS = 50
const LONGEST_RETRY_MS = 30_000
/** A link that listened for so long, in milliseconds, did not end over the question. */
const SETTLED_MS = 5_000
/** Names of messages that a file of an earlier watcher may hold (count), and their form. */
const MAX_TOLD = 2_000
const NAME = /^[\w-]{1,32}$/

export interface WatcherOptions {
  ask: Ask
  place: Place
  session: HostSession
  /** `watch --hints --host …`, as the link is asked. */
  argv: readonly string[]
  /** Wakes the agent; false ends the watcher. */
  wake: () => Promise<boolean>
  /** True to end at once where another watcher of the profile runs; else it waits for its turn. */
  endsBehind?: boolean
  signal: AbortSignal
}

/**
 * Wakes the agent of a host's session for as long as the host's process lives, across the ends of links and servers. It
 * raises a link that was killed, and none that was taken down. Never rejects.
 */
export class Watcher {
  readonly #options: WatcherOptions
  readonly #file: string
  readonly #me = living(process.pid)
  #told: string[]
  /** The last ring that was answered, or is older than this watcher; milliseconds since the epoch. */
  #rang: number
  #asked: Asked | null = null
  #retryMs = RETRY_MS
  #isOver = false
  #wakeUp = () => {}

  constructor(options: WatcherOptions) {
    this.#options = options
    this.#file = `${options.place.dir}/woken.json`
    this.#rang = rangAt(options.place.dir)
    this.#told = readTold(this.#file, options.session.id)
  }

  /** Resolves once the host has ended, or `wake` said so. */
  async run(): Promise<void> {
    const { signal, session, endsBehind } = this.#options
    signal.addEventListener('abort', () => this.#end())
    while (!this.#isOver && !signal.aborted && !isOver(session)) {
      try {
        const isMine = this.#isMine()
        if (!isMine) this.#asked?.stop()
        if (!isMine && endsBehind && this.#options.place.hasJoined) break
        if (isMine && this.#asked === null) void this.#listen()
        if (isMine) await this.#answerRing()
      } catch {
        // The home cannot be read now: the next look may find it well.
      }
      await this.#pause(LOOK_MS)
    }
    this.#asked?.stop()
  }

  /** True if this process is the one that wakes the agent of the profile, and there is one. */
  #isMine(): boolean {
    const { place, session } = this.#options
    if (!place.hasJoined) return false
    const lease = leaseOf(place.dir)
    if (lease === null || lease.pid !== session.pid) {
      if (takeLease(place.dir, session) !== null) return false
    }
    return becomeWatcher(place.dir, this.#me, session)
  }

  /** Wakes the agent for a ring since the last look. */
  async #answerRing(): Promise<void> {
    const at = rangAt(this.#options.place.dir)
    if (at <= this.#rang) return
    this.#rang = at
    await this.#wake()
  }

  async #listen(): Promise<void> {
    const { place, ask, argv, signal } = this.#options
    const began = performance.now()
    let stop = () => {}
    const ended = new Promise<number | null>((resolve) => {
      stop = () => resolve(null)
    })
    this.#asked = { ended, stop }
    try {
      if (!(await place.raise(false)) || place.socket === null || signal.aborted) return
      const told = this.#told.length === 0 ? [] : ['--told', this.#told.join(',')]
      const asked = askLink(
        place.socket,
        { ...ask, argv: [...argv, ...told], version: versionAt(place.home, ask.version) },
        (out) => void this.#onPrinted(out),
      )
      this.#asked = asked
      await asked.ended
      if (performance.now() - began > SETTLED_MS) this.#retryMs = RETRY_MS
      await sleep(this.#retryMs, null, { signal })
      this.#retryMs = Math.min(2 * this.#retryMs, LONGEST_RETRY_MS)
    } catch {
      // Aborted, or the link could not be asked: the next look tries again.
    } finally {
      this.#asked = null
      if (place.wantsLink) this.#wakeUp()
    }
  }

  async #onPrinted(out: string): Promise<void> {
    const told = toldIn(out)
    if (told === null || this.#isOver || !this.#isMine()) return
    this.#told = told
    try {
      const { id } = this.#options.session
      if (id !== null) writeOwn(this.#file, { session: id, told })
    } catch {
      // A watcher that follows this one says it again.
    }
    await this.#wake()
  }

  async #wake(): Promise<void> {
    if (!(await this.#options.wake().catch(() => true))) this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#wakeUp()
  }

  async #pause(ms: number): Promise<void> {
    const woken = new AbortController()
    this.#wakeUp = () => woken.abort()
    await sleep(ms, null, { signal: woken.signal }).catch(() => {})
  }
}

const namesIn = (value: unknown): string[] | null =>
  Array.isArray(value)
    ? value.filter((name) => typeof name === 'string' && NAME.test(name)).slice(-MAX_TOLD)
    : null

const toldIn = (out: string): string[] | null => {
  try {
    const { type, told } = JSON.parse(out) as { type?: unknown; told?: unknown }
    return type === 'wake' ? namesIn(told) : null
  } catch {
    return null
  }
}

/** The messages for which an earlier watcher of the same session woke the agent. */
const readTold = (file: string, id: string | null): string[] => {
  try {
    const { session, told } = JSON.parse(textOf(file) ?? '') as {
      session?: unknown
      told?: unknown
    }
    return id !== null && session === id ? (namesIn(told) ?? []) : []
  } catch {
    return []
  }
}
