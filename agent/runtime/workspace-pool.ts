import { parseTarget } from '../../client/http/target.ts'
import { accessOf, type Profile, presenceOf, readState } from '../command/profile.ts'
import type { WorkspaceLocation } from '../session/workspace-handle.ts'
import { type OpenOptions, OpenWorkspace, type StopReason } from './open-workspace.ts'
import { forgetRemembered, type Remembered, readRemembered, writeRemembered } from './remembered.ts'

/** The workspaces that a link keeps open, at most one for each replica folder. */
export class WorkspacePool {
  readonly #options: OpenOptions
  readonly #opening = new Map<string, Promise<OpenWorkspace>>()
  readonly #open = new Set<OpenWorkspace>()
  #isStopping = false

  constructor(options: OpenOptions) {
    this.#options = options
  }

  get all(): OpenWorkspace[] {
    return [...this.#open]
  }

  has(open: OpenWorkspace): boolean {
    return this.#open.has(open)
  }

  /**
   * The workspace at this location, opened if necessary; opened again if its server is reachable only at the other
   * address. Throws the errors of `WorkspaceHandle.open`.
   */
  async acquire(at: WorkspaceLocation, profile: string): Promise<OpenWorkspace> {
    const open = await (this.#opening.get(at.dir) ?? this.#openAt(at, profile))
    if (!open.isElsewhere(at) || !this.has(open)) return open
    const release = await open.handle.enter()
    await (this.has(open) ? this.drop(open) : null)
    release()
    return this.acquire(at, profile)
  }

  #openAt(at: WorkspaceLocation, profile: string): Promise<OpenWorkspace> {
    const opening = OpenWorkspace.open(at, profile, this.#options)
    this.#opening.set(at.dir, opening)
    opening.then(
      (open) => {
        this.#open.add(open)
        open.handle.onTaken(() => void this.#reopen(open))
      },
      () => this.#opening.delete(at.dir),
    )
    return opening
  }

  /** Another agent has the client id of its replica: closing moves the replica to a new one. */
  async #reopen(open: OpenWorkspace): Promise<void> {
    const { profile, handle } = open
    const { dir, target, workspace } = handle.at
    const isKept = handle.me !== null
    const release = await handle.enter()
    await this.drop(open)
      .catch((error: Error) => this.#options.log(`${dir}: ${error.message}`))
      .finally(release)
    if (isKept && !this.#isStopping) await this.#resume({ profile, server: target.base, workspace })
  }

  /** Closes the workspace and takes it out of the pool. */
  async drop(open: OpenWorkspace): Promise<void> {
    if (this.#open.delete(open)) this.#opening.delete(open.handle.at.dir)
    await open.close()
  }

  async dropUnused(open: OpenWorkspace): Promise<void> {
    if (this.has(open) && open.isUnused) await this.drop(open)
  }

  /** As `OpenWorkspace.follow`; the next link opens the workspace again. */
  follow(profile: Profile, open: OpenWorkspace): boolean {
    const before = open.handle.me
    if (!open.follow(profile)) return false
    if (open.handle.me !== before) this.#remember()
    return true
  }

  #remember(): void {
    const workspaces: Remembered[] = []
    for (const { profile, handle } of this.#open) {
      const { target, workspace } = handle.at
      if (handle.me !== null) workspaces.push({ profile, server: target.base, workspace })
    }
    writeRemembered(this.#options.home, workspaces)
  }

  /** Opens the workspaces of the last link; an error is logged. */
  async restore(): Promise<void> {
    for (const one of readRemembered(this.#options.home)) await this.#resume(one)
  }

  async #resume({ profile: dir, server, workspace }: Remembered): Promise<void> {
    try {
      const profile = { name: '', dir, state: readState(dir) }
      const access = accessOf(profile, parseTarget(server), workspace, {})
      const { token, readsOnly, faith } = access
      const target = { ...parseTarget(server), token, readsOnly, faith }
      const open = await this.acquire({ dir: access.replica, target, workspace, access }, dir)
      if (open.handle.session !== null || !this.follow(profile, open)) return
      open.handle.connect(presenceOf(profile.state))
      open.handle.rest()
    } catch (error) {
      this.#options.log(`${dir} is not open again: ${(error as Error).message}`)
    }
  }

  rewake(profile: string): void {
    for (const open of this.#open) if (open.profile === profile) open.rewake()
  }

  /** Leaves all workspaces of a profile; returns their number. */
  async leave(profile: string): Promise<number> {
    const leaving = this.all.filter((open) => open.profile === profile)
    for (const open of leaving) {
      const release = await open.handle.enter()
      await open
        .leave()
        .finally(() => this.drop(open))
        .finally(release)
    }
    this.#remember()
    return leaving.length
  }

  /**
   * Closes the attachments; no workspace is opened again from here on. `down`: a watcher starts no link from here on, however
   * long the commands take. Call `stop` when they have ended.
   */
  detachAll(reason: StopReason): void {
    this.#isStopping = true
    if (reason === 'down') forgetRemembered(this.#options.home)
    for (const open of this.#open) open.detachAll(reason)
  }

  /** Closes all workspaces, after `detachAll`. `down`: the agents leave, and the next link opens none of them. */
  async stop(reason: StopReason): Promise<void> {
    await Promise.all(this.all.map((open) => open.stop(reason)))
    if (reason === 'down') forgetRemembered(this.#options.home)
  }
}
