import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeLocal } from '../../lib/disk/local-write.ts'
import { shellWord } from '../../lib/text/quote.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { togetherMessage } from '../../workspace/inbox/together.ts'
import type { Log } from '../session/log.ts'
import type { WorkspaceHandle } from '../session/workspace-handle.ts'
import type { Mirror } from './mirror.ts'
import type { MirrorEvent, MirrorOptions, MirrorSettings } from './rules/options.ts'
import { relOf } from './rules/paths.ts'

/** A mirror of a profile, as stored in the profile's folder for the next links. */
interface Kept extends MirrorSettings {
  dir: string
  prefix: string
  server: string
  workspace: string
  /** It rests until its user publishes the folder. */
  paused?: true
}

const FILE = 'mirrors.json'

const PAUSED = 'paused'

const readKept = (profile: string): Kept[] => {
  try {
    return JSON.parse(readFileSync(join(profile, FILE), 'utf8')) as Kept[]
  } catch {
    return []
  }
}

const writeKept = (profile: string, kept: readonly Kept[]): void =>
  writeLocal(join(profile, FILE), `${JSON.stringify(kept, null, 2)}\n`, 0o600)

/** A mirror as `mirror --list` shows it. */
export interface MirrorInfo {
  dir: string
  prefix: string
  files: number
  skipped: { file_key: string; why: string }[]
  /** Files that are still to be compared (count). */
  pending: number
  /** The cause why it does not run; null if it runs. */
  stopped: string | null
  /** Notes about the mirror as a whole; left out if there are none. */
  notes?: string[]
}

interface Open {
  kept: Kept
  mirror: Promise<Mirror> | null
  now: Mirror | null
  why: string | null
}

/** The mirrors of one profile's workspace. A link runs them as long as it holds the place. */
export class Mirrors {
  readonly #profile: string
  readonly #home: string
  readonly #place: WorkspaceHandle
  readonly #log: Log
  readonly #open = new Map<string, Open>()

  /** Resumes the mirrors that ran before. `home`: the folder of ClawLink's own files. */
  constructor(profile: string, home: string, place: WorkspaceHandle, log: Log) {
    this.#profile = profile
    this.#home = home
    this.#place = place
    this.#log = log
    for (const kept of readKept(profile)) {
      if (!this.#isOurs(kept)) continue
      if (kept.paused === true) {
        this.#open.set(kept.dir, { kept, mirror: null, now: null, why: PAUSED })
        continue
      }
      this.#start(kept).catch((error: Error) => log(`mirror ${kept.dir}: ${error.message}`))
    }
  }

  #isOurs({ server, workspace }: Kept): boolean {
    const { at } = this.#place
    return at.access.isAt(server) && workspace === at.workspace
  }

  get size(): number {
    return this.#open.size
  }

  list(): MirrorInfo[] {
    return [...this.#open.values()].map(({ kept: { dir, prefix }, now, why }) => ({
      dir,
      prefix,
      files: now?.files ?? 0,
      pending: now?.pending ?? 0,
      skipped: [...(now?.skipped ?? [])].map(([rel, why]) => ({ file_key: prefix + rel, why })),
      stopped: why,
      ...(why === null && now !== null && now.notes.length > 0 && { notes: now.notes }),
    }))
  }

  /**
   * Returns the mirror of this folder; starts it if it does not run, and restarts it if `settings`
   * have changed. Throws the errors of `Mirror.open`, and `mirror_taken`.
   */
  async start(
    dir: string,
    prefix: string,
    settings: MirrorSettings,
    progress?: MirrorOptions['progress'],
  ): Promise<Mirror> {
    const { target, workspace } = this.#place.at
    const known = this.#open.get(dir)
    if (known !== undefined && known.kept.prefix !== prefix) {
      throw new ClawError(
        'mirror_taken',
        `${dir} is mirrored already, with prefix "${known.kept.prefix}"`,
        `run clawlink-agent mirror ${shellWord(dir)} --stop first`,
      )
    }
    const { paused: _, ...before }: Partial<Kept> = known?.kept ?? {}
    const kept = { ...before, dir, prefix, server: target.base, workspace, ...settings }
    if (known?.mirror != null && known.why === null) {
      if (JSON.stringify(known.kept) === JSON.stringify(kept)) return known.mirror
      await (await known.mirror).close()
    }
    try {
      const mirror = await this.#start(kept, progress)
      this.#keep()
      return mirror
    } catch (error) {
      this.#open.delete(dir)
      throw error
    }
  }

  /** The version of a shared file that some mirror brought to the disk or took from it; null: none. */
  versionOf(key: string): number | null {
    const held = this.#holding(key)
    return held?.mirror.agreed.get(held.rel)?.version ?? null
  }

  /** The same version with its text. */
  async textOf(key: string): Promise<{ version: number; content: string } | null> {
    const held = this.#holding(key)
    return held === null ? null : held.mirror.agreed.agreed(held.rel)
  }

  #holding(key: string): { mirror: Mirror; rel: string } | null {
    for (const { now: mirror } of this.#open.values()) {
      const rel = mirror === null ? null : relOf(mirror.prefix, key)
      if (mirror !== null && rel !== null && mirror.agreed.get(rel)?.version !== undefined)
        return { mirror, rel }
    }
    return null
  }

  /** The settings of this folder's mirror; null if there is none. */
  settingsOf(dir: string): MirrorSettings | null {
    return this.#open.get(dir)?.kept ?? null
  }

  /** The running mirror of a folder; null if there is none. */
  at(dir: string): Mirror | null {
    return this.#open.get(dir)?.now ?? null
  }

  /** Tells whether a folder's mirror rests. */
  isPaused(dir: string): boolean {
    return this.#open.get(dir)?.kept.paused === true
  }

  /** Ends a mirror until it is started again: both sides may change meanwhile. False: there is none. */
  async pause(dir: string): Promise<boolean> {
    const open = this.#open.get(dir)
    if (open === undefined) return false
    const { mirror } = open
    this.#open.set(dir, {
      kept: { ...open.kept, paused: true },
      ...{ mirror: null, now: null, why: PAUSED },
    })
    this.#keep()
    await (await mirror?.catch(() => null))?.close()
    return true
  }

  /**
   * Compares the mirrors that hold one of these files now; resolves when the server has the files. Returns the folders
   * whose files it does not have: they are paused, or the server is away.
   */
  async flush(keys: readonly string[]): Promise<string[]> {
    const behind: string[] = []
    for (const { kept, mirror } of [...this.#open.values()]) {
      if (!keys.some((key) => relOf(kept.prefix, key) !== null)) continue
      const one = await mirror?.catch(() => null)
      if (one == null || !(await one.flush())) behind.push(kept.dir)
    }
    return behind
  }

  #start(kept: Kept, progress?: MirrorOptions['progress']): Promise<Mirror> {
    const open: Open = { kept, mirror: null, now: null, why: null }
    this.#open.set(kept.dir, open)
    open.mirror = this.#begin(open, progress)
    open.mirror.then(
      (mirror) => {
        open.now = mirror
      },
      (error: Error) => {
        open.why = error.message
      },
    )
    return open.mirror
  }

  async #begin(open: Open, progress: MirrorOptions['progress']): Promise<Mirror> {
    const { dir, prefix, server: _, workspace: __, paused: ___, ...settings } = open.kept
    const report = (event: MirrorEvent): void => {
      if (event.type === 'stopped') open.why = event.why ?? ''
      const lines = event.conflicts?.map(({ from_line, to_line }) => `${from_line}-${to_line}`)
      const what = event.why ?? (lines && `both changed lines ${lines.join(', ')}`)
      if (what !== undefined) this.#log(`mirror ${dir}: ${event.type} ${event.file_key}: ${what}`)
      const { replica, me } = this.#place
      if (me === null) return
      for (const pair of event.together ?? []) {
        replica.deliver(me, [togetherMessage(me, event.file_key, pair, Date.now())])
      }
    }
    // Loaded only where there is a mirror.
    const { Mirror } = await import('./mirror.ts')
    const { replica, me } = this.#place
    return Mirror.open({
      dir,
      prefix,
      without: this.#home,
      replica,
      session: () => this.#place.session,
      me: me as AgentId,
      report,
      ...settings,
      ...(progress !== undefined && { progress }),
    })
  }

  #keep(): void {
    const others = readKept(this.#profile).filter((kept) => !this.#isOurs(kept))
    writeKept(this.#profile, [...others, ...[...this.#open.values()].map(({ kept }) => kept)])
  }

  /** Ends a mirror for good; its files stay. Returns false if there was none. */
  async stop(dir: string): Promise<boolean> {
    const open = this.#open.get(dir)
    if (open === undefined) return false
    this.#open.delete(dir)
    this.#keep()
    await (await open.mirror?.catch(() => null))?.close()
    return true
  }

  /** Ends all mirrors; the next link resumes them. */
  async close(): Promise<void> {
    for (const { mirror } of this.#open.values()) {
      await (await mirror?.catch(() => null))?.close()
    }
  }
}
