import { LeaseEnded, Unavailable } from '../storage/integrity/db.ts'
import { LEASE_MS } from '../storage/postgres/beats.ts'
import type { NodeRow, OwnerRow } from '../storage/postgres/cluster-rows.ts'
import type { Look, NodeStore } from '../storage/postgres/node-store.ts'
import type { Holdings, NodeAddress, NodeState } from './holdings.ts'
import { Peers } from './peers.ts'
import { preferredOf } from './preferred.ts'

/** A port that answered is asked again after this long (milliseconds). */
const PROBED_MS = 250
/** Attempts to claim a workspace that others claim at the same time (count). */
const ATTEMPTS = 4
/** Workspaces that are given up at the same time (count). */
const GIVEN_AT_ONCE = 4
/** Sorts after all hexadecimal digits. */
const AFTER_HEX = 'g'

export interface HoldingsEnv {
  node: NodeStore
  /** Milliseconds, monotonic. */
  clock: () => number
  /** Reads the members of a workspace that was just claimed. */
  load: (workspace: string) => Promise<void>
  /** Forgets all that is in memory of these workspaces. */
  unload: (workspaces: readonly string[]) => void
  /** Stores what came for a workspace, and closes its connections with 4307. */
  settle: (workspace: string) => Promise<void>
  /** True if nothing listens at the address. */
  refuses: (url: string) => Promise<boolean>
  /** The node that should own a workspace; absent: `preferredOf`. */
  prefers?: (workspace: string, ids: readonly string[]) => string | null
}

/** Names of workspaces that do not exist are remembered up to this number: strangers can ask for any. */
const MOST_ABSENT = 1_000

/** `taken`: claimed, its members are not read yet. `here`: served. `going`: it is given up. */
type Held = 'taken' | 'here' | 'going'

/** The workspaces that this node owns, by rows in the database that all nodes share. */
export class NodeHoldings implements Holdings {
  onLost: (workspaces: 'all' | readonly string[]) => void = () => {}
  /** Called with each look at the cluster. */
  onLook: (look: Look) => void = () => {}
  readonly #env: HoldingsEnv
  readonly #peers: Peers
  readonly #held = new Map<string, Held>()
  /** Names that were looked for and do not exist. */
  readonly #absent = new Set<string>()
  /** Searches by workspace and kind, and what else is under way by workspace. */
  readonly #finding = new Map<string, Promise<'here' | NodeAddress>>()
  readonly #taking = new Map<string, Promise<boolean>>()
  readonly #releasing = new Map<string, Promise<void>>()
  /** Fences under way, by node and epoch. */
  readonly #fencing = new Map<string, Promise<void>>()
  /** The newest answers of other nodes' ports, by address. */
  readonly #probes = new Map<string, { at: number; isRefused: Promise<boolean> }>()
  /** It gives up what it owns, and claims nothing while another node can. */
  #isDraining = false
  /** Raised when all is lost: what was claimed before is not owned. */
  #era = 0
  /** Until when this node may read, by its monotonic clock (milliseconds). */
  #leaseUntil: number

  constructor(env: HoldingsEnv) {
    this.#env = env
    const { node } = env
    this.#peers = new Peers(node.id)
    this.#leaseUntil = node.registeredAt + LEASE_MS
    node.db.mayWrite = (workspace) => this.#held.has(workspace)
    node.onLook = (look) => this.#look(look)
    node.onRegistered = (sentAt) => {
      this.lost()
      this.#leaseUntil = sentAt + LEASE_MS
    }
  }

  #look(look: Look): void {
    this.#leaseUntil = look.sentAt + LEASE_MS
    const now = this.#env.clock()
    this.#peers.look(look, now)
    // Nobody needs to ask: connections to a silent node end when it is fenced.
    for (const { id, epoch } of this.#peers.silent(now)) {
      this.#fence({ node: id, epoch }).catch(() => this.#peers.notFenced(id)) // the next look tries again
    }
    this.onLook(look)
  }

  /** True while no other node can have taken what this one owns, as far as reading goes. */
  get hasLease(): boolean {
    return this.#env.clock() < this.#leaseUntil
  }

  owns(workspace: string): boolean {
    return this.#held.get(workspace) === 'here' && this.hasLease
  }

  /** True if what is in memory of a workspace may be shown: also while it is given up. */
  mayRead(workspace: string): boolean {
    return this.#held.has(workspace) && this.hasLease
  }

  /** The workspaces that are served here. */
  get all(): string[] {
    return [...this.#held].flatMap(([name, held]) => (held === 'here' ? [name] : []))
  }

  async find(workspace: string, mayDefer = true): Promise<'here' | NodeAddress> {
    if (this.owns(workspace)) return 'here'
    const key = `${workspace} ${mayDefer}`
    const known = this.#finding.get(key)
    if (known !== undefined) return known
    const finding = this.#find(workspace, mayDefer).finally(() => this.#finding.delete(key))
    this.#finding.set(key, finding)
    return finding
  }

  async #find(workspace: string, mayDefer: boolean): Promise<'here' | NodeAddress> {
    await this.#releasing.get(workspace)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      this.#checkLease()
      if (this.#held.get(workspace) === 'here') return 'here'
      const era = this.#era
      const owner = await this.#env.node.rows.ownerOf(workspace)
      this.#noteAbsent(workspace, owner === null)
      if (owner === null) return 'here'
      if (owner.valid && owner.node !== this.#env.node.id) {
        if (!(await this.#isDead(owner))) return { id: owner.node, url: owner.url! }
        await this.#fence(owner)
        continue
      }
      const other = owner.valid ? null : this.#betterFor(workspace)
      if (other !== null && (mayDefer || this.#isDraining)) return other
      const isMine = owner.valid || (await this.#env.node.claim(workspace, owner))
      if (isMine && (await this.#take(workspace, era))) return 'here'
    }
    throw new Unavailable('the owner of the workspace changes at the moment')
  }

  /** The node that should own a workspace of nobody's; null: this one. */
  #betterFor(workspace: string): NodeAddress | null {
    const { node, clock, prefers = preferredOf } = this.#env
    const now = clock()
    const others = this.#isDraining ? this.#peers.up(now) : this.#peers.ready(now)
    const own = this.#isDraining ? [] : [node.id]
    const id = prefers(workspace, [...own, ...others.map((other) => other.id)])
    const better = others.find((other) => other.id === id)
    return better === undefined ? null : { id: better.id, url: better.url }
  }

  #noteAbsent(workspace: string, isAbsent: boolean): void {
    this.#absent.delete(workspace)
    if (!isAbsent) return
    this.#absent.add(workspace)
    for (const oldest of this.#absent) {
      if (this.#absent.size <= MOST_ABSENT) break
      this.#absent.delete(oldest)
    }
  }

  /** True if the workspace did not exist when it was looked for last. */
  isAbsent(workspace: string): boolean {
    return this.#absent.has(workspace)
  }

  #checkLease(): void {
    if (!this.hasLease) throw new LeaseEnded()
  }

  /** Fences a node once, however many workspaces are waiting for it. */
  async #fence({ node, epoch }: Pick<OwnerRow, 'node' | 'epoch'>): Promise<void> {
    const key = `${node}/${epoch}`
    const fencing = this.#fencing.get(key) ?? this.#env.node.fence(node, epoch)
    this.#fencing.set(key, fencing)
    this.#peers.noteFenced(node)
    await fencing.finally(() => this.#fencing.delete(key))
  }

  async #isDead({ node, url }: OwnerRow): Promise<boolean> {
    const now = this.#env.clock()
    if (this.#peers.suspicion.isSilent(node, now)) return true
    if (url === null || !(await this.#isRefused(url, now))) return false
    // An address that is wrong is refused, too: a node that lives has connections to the database.
    return this.#peers.suspicion.isStale(node, now) || !(await this.#env.node.isConnected(node))
  }

  #isRefused(url: string, now: number): Promise<boolean> {
    const known = this.#probes.get(url)
    if (known !== undefined && now - known.at < PROBED_MS) return known.isRefused
    const probe = { at: now, isRefused: this.#env.refuses(url) }
    this.#probes.set(url, probe)
    return probe.isRefused
  }

  /** Serves a workspace that was claimed in this era; false if that was lost meanwhile. */
  #take(workspace: string, era: number): Promise<boolean> {
    const known = this.#taking.get(workspace)
    if (known !== undefined) return known
    const taking = this.#load(workspace, era).finally(() => this.#taking.delete(workspace))
    this.#taking.set(workspace, taking)
    return taking
  }

  async #load(workspace: string, era: number): Promise<boolean> {
    if (era !== this.#era) return false
    this.#held.set(workspace, 'taken')
    try {
      // Only now: the owner before may have stored until the claim.
      await this.#env.load(workspace)
    } catch (error) {
      if (era === this.#era) this.#held.delete(workspace)
      throw error
    }
    if (era !== this.#era) return false
    this.#held.set(workspace, 'here')
    return true
  }

  /**
   * Makes a workspace that this node owns. Resolves to `exists` if there is one of this name, to `full` if there are `most`.
   * Rejects with Unavailable.
   */
  async create(workspace: string, most: number): Promise<'made' | 'exists' | 'full'> {
    this.#checkLease()
    const era = this.#era
    const made = await this.#env.node.create(workspace, most)
    this.#absent.delete(workspace)
    if (made === 'made' && !(await this.#take(workspace, era))) {
      throw new Unavailable('this node lost the workspace at once')
    }
    return made
  }

  release(workspace: string): Promise<void> {
    const known = this.#releasing.get(workspace)
    if (known !== undefined) return known
    if (this.#held.get(workspace) !== 'here') return Promise.resolve()
    const releasing = this.#release(workspace).finally(() => this.#releasing.delete(workspace))
    this.#releasing.set(workspace, releasing)
    return releasing
  }

  async #release(workspace: string): Promise<void> {
    const era = this.#era
    this.#held.set(workspace, 'going')
    await this.#env.settle(workspace)
    if (era !== this.#era) return
    // Writes that are asked for from here on are not sent, and the row goes after those before.
    this.#held.delete(workspace)
    this.#env.unload([workspace])
    this.onLost([workspace])
    await this.#env.node.giveUp(workspace)
  }

  /**
   * Gives up these workspaces, until `signal` aborts, and claims none from then on, as long as another node is up. Resolves
   * to the count that this node still owns.
   */
  async drain(workspaces: readonly string[], signal?: AbortSignal): Promise<number> {
    this.#isDraining = true
    const left = [...workspaces]
    const giveUp = async (): Promise<void> => {
      while (!signal?.aborted && this.#peers.up(this.#env.clock()).length > 0) {
        const next = left.shift()
        if (next === undefined) return
        await this.release(next)
      }
    }
    await Promise.all(Array.from({ length: GIVEN_AT_ONCE }, giveUp))
    return this.#held.size
  }

  /** The workspaces of these that another node should own. */
  better(workspaces: readonly string[]): string[] {
    return workspaces.filter((workspace) => this.#betterFor(workspace) !== null)
  }

  /** Another process wrote this workspace, though this node owned it: it is looked up again. */
  forget(workspace: string): void {
    if (!this.#held.delete(workspace)) return
    this.#env.unload([workspace])
    this.onLost([workspace])
  }

  /** Call when this node may have lost all that it owns. */
  lost(): void {
    this.#era++
    this.#leaseUntil = Number.NEGATIVE_INFINITY
    const names = [...this.#held.keys()]
    this.#held.clear()
    this.#env.unload(names)
    this.onLost('all')
  }

  async workspaceOf(secretHash: string): Promise<string | null> {
    const [from, to] = [`e:${secretHash}`, `e:${secretHash}${AFTER_HEX}`]
    const [value] = await this.#env.node.db.values({ gte: from, lt: to, limit: 1 }).all()
    return value === undefined ? null : (JSON.parse(Buffer.from(value).toString()) as string)
  }

  /** All workspaces that exist, sorted. Rejects with Unavailable. */
  names(): Promise<string[]> {
    return this.#env.node.rows.names()
  }

  async nodes(): Promise<readonly NodeState[]> {
    const { node, clock } = this.#env
    const [rows, counts] = await Promise.all([node.rows.nodes(), node.rows.counts()])
    const now = clock()
    return rows.map((row) => ({
      ...{ id: row.id, url: row.url, epoch: row.epoch, version: row.version, about: row.about },
      ...{ state: this.#stateOf(row, now), silentMs: this.#peers.suspicion.silentMs(row.id, now) },
      workspaces: counts.get(row.id) ?? 0,
    }))
  }

  #stateOf({ id, is_up }: NodeRow, now: number): NodeState['state'] {
    if (!is_up) return 'stopped'
    return this.#peers.suspicion.isSilent(id, now) ? 'silent' : 'up'
  }
}
