import {
  type Authorship,
  addRuns,
  type DeletedText,
  type DeleteRun,
  type InsertRun,
  type Runs,
  runsOf,
  sortRuns,
  UNCREDITED,
} from '../../../lib/attribution/runs.ts'
import { digestOf, linkedAll, startOf } from '../../../lib/hash-chain.ts'
import type { Op } from '../../../sync-server/storage/integrity/level-keys.ts'
import { joinedParts } from '../../../sync-server/storage/joined/tail.ts'
import type { RecordLog } from '../../../sync-server/storage/record-log.ts'
import type {
  Archivable,
  AttributionKind,
  AttributionMap,
  FactLog,
  Joined,
  Owned,
  Shelf,
  Stored,
  UpdateLog,
} from '../../../sync-server/storage/update-log.ts'
import type {
  NewVersions,
  StoredVersion,
  VersionLog,
} from '../../../sync-server/storage/version-log.ts'

interface Workspace {
  checkpoint: Uint8Array | null
  /** Position of the newest record that the checkpoint covers. */
  covered: number
  records: (readonly Uint8Array[])[]
  /** Of all records, also those that a checkpoint replaced. */
  digests: Uint8Array[]
  archive: { [S in Shelf]: Archivable[] }
  owners: Map<number, string>
  runs: Runs[]
  deleted: DeletedText[]
}

interface Versioned {
  head: Uint8Array
  versions: Map<number, StoredVersion>
}

/** All that a log stores; open it again with a new MemoryUpdateLog. */
export class Memory {
  readonly workspaces = new Map<string, Workspace>()
  readonly facts = new Map<string, Uint8Array>()
  readonly versions = new Map<string, Map<string, Versioned>>()
}

const json = (value: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(value))
const byNumber = (versions: Iterable<StoredVersion>): StoredVersion[] =>
  [...versions].sort((a, b) => a.version - b.version)

class MemoryVersionLog implements VersionLog {
  readonly era = 0
  readonly #memory: Memory
  readonly #store: () => Promise<void>

  constructor(memory: Memory, store: () => Promise<void>) {
    this.#memory = memory
    this.#store = store
  }

  #of(workspace: string): Map<string, Versioned> {
    return this.#memory.versions.get(workspace) ?? new Map()
  }

  #between(workspace: string, of: string, low: number, high: number): StoredVersion[] {
    const all = this.#of(workspace).get(of)?.versions.values() ?? []
    return byNumber(all).filter(({ version }) => version >= low && version <= high)
  }

  async keep(workspace: string, changes: readonly NewVersions[]): Promise<void> {
    await this.#store()
    const all = this.#of(workspace)
    this.#memory.versions.set(workspace, all)
    for (const { of, versions, head, drop } of changes) {
      const kept = all.get(of)?.versions ?? new Map<number, StoredVersion>()
      for (const one of versions) kept.set(one.version, one)
      for (const version of drop) kept.delete(version)
      all.set(of, { head, versions: kept })
    }
  }

  async head(workspace: string, of: string): Promise<Uint8Array | null> {
    return this.#of(workspace).get(of)?.head ?? null
  }

  async heads(workspace: string): Promise<Map<string, Uint8Array>> {
    return new Map([...this.#of(workspace)].map(([of, { head }]) => [of, head]))
  }

  async abouts(workspace: string, of: string, from: number, to: number, limit: number) {
    const found = this.#between(workspace, of, Math.min(from, to), Math.max(from, to))
    if (to < from) found.reverse()
    return found.slice(0, limit).map(({ version, about }) => ({ version, about }))
  }

  async contents(workspace: string, of: string, from: number, to: number): Promise<Uint8Array[]> {
    return this.#between(workspace, of, from, to).map(({ content }) => content)
  }
}

/** The chain without entries: all digests stay, and nothing is kept to check them against. */
const recordLogOf = (of: (workspace: string) => Workspace): RecordLog => {
  const headOf = (workspace: string, seq: number): Uint8Array =>
    linkedAll(startOf(workspace), of(workspace).digests.slice(0, seq))
  const nothing = async function* (): AsyncGenerator<never> {}
  return {
    open: async () => {},
    handOut: (workspace) => {
      const seq = of(workspace).digests.length
      return { seq, head: headOf(workspace, seq) }
    },
    digests: async (workspace, after, limit) => of(workspace).digests.slice(after, after + limit),
    headAt: async (workspace, seq) =>
      seq <= of(workspace).digests.length ? headOf(workspace, seq) : null,
    noteRestored: async () => {},
    ...{ entries: nothing, records: nothing, checkpoints: async () => [] },
  }
}

/** An UpdateLog without a disk, for tests of rooms: it keeps the same contract, except that a crash loses it. */
export class MemoryUpdateLog implements UpdateLog {
  readonly versions: VersionLog
  readonly record = recordLogOf((workspace) => this.#of(workspace))
  readonly facts: FactLog
  readonly #memory: Memory
  readonly #now: () => number
  #isClosed = false

  constructor(memory = new Memory(), now: () => number = Date.now) {
    this.#memory = memory
    this.#now = now
    this.versions = new MemoryVersionLog(memory, () => this.#store())
    const { facts } = memory
    this.facts = {
      get: async (key) => {
        const value = facts.get(key)
        return value === undefined ? null : json(value)
      },
      entries: async (prefix) =>
        [...facts]
          .filter(([key]) => key.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => ({ key, json: json(value) })),
      readable: (prefix) => this.facts.entries(prefix),
      put: async (ops) => {
        await this.#store()
        this.#put(ops)
      },
    }
  }

  /** Takes a turn of the event loop, as a disk does at least. Rejects once the log is closed. */
  async #store(): Promise<void> {
    if (this.#isClosed) throw new Error('the log is closed')
    await new Promise(setImmediate)
  }

  #put(ops: readonly Op[]): void {
    for (const op of ops) {
      if (op.type === 'put') this.#memory.facts.set(op.key, op.value)
      else this.#memory.facts.delete(op.key)
    }
  }

  #of(name: string): Workspace {
    const empty = {
      checkpoint: null,
      covered: 0,
      records: [],
      digests: [],
      owners: new Map(),
      runs: [],
      deleted: [],
    }
    return this.#memory.workspaces.get(name) ?? { ...empty, archive: { broadcasts: [], tasks: [] } }
  }

  async append(
    name: string,
    updates: readonly Uint8Array[],
    archived: readonly Archivable[] = [],
    owned: readonly Owned[] = [],
    facts: readonly Op[] = [],
    { credits, deleted }: Authorship = { credits: [], deleted: [] },
  ): Promise<number> {
    await this.#store()
    const workspace = this.#of(name)
    this.#put(facts)
    for (const entry of archived) workspace.archive[entry.shelf].push(entry)
    for (const { client, owner } of owned) workspace.owners.set(client, owner)
    if (updates.length > 0) {
      workspace.records.push([...updates])
      const all = updates.map((_, i) => credits[i] ?? UNCREDITED)
      workspace.runs.push(runsOf(this.#now(), updates, all))
      workspace.deleted.push(...deleted)
      workspace.digests.push(digestOf(Buffer.concat(updates)))
    }
    this.#memory.workspaces.set(name, workspace)
    return workspace.covered + workspace.records.length
  }

  async load(name: string): Promise<Stored> {
    const { checkpoint, covered, records } = this.#of(name)
    return { checkpoint, tail: records.flat(), seq: covered + records.length }
  }

  async loadJoined(name: string): Promise<Joined> {
    const stored = await this.load(name)
    const tail = joinedParts(stored.tail.map((bytes) => ({ bytes, isPacked: false })))
    return { ...stored, tail: tail ?? stored.tail, single: stored.tail }
  }

  async compact(name: string, seq: number, checkpoint: Uint8Array): Promise<void> {
    await this.#store()
    const workspace = this.#of(name)
    workspace.records.splice(0, seq - workspace.covered)
    workspace.covered = seq
    workspace.checkpoint = checkpoint
  }

  async owners(name: string): Promise<Map<number, string>> {
    return new Map(this.#of(name).owners)
  }

  async attribution(
    name: string,
    clients: ReadonlySet<number> | null,
    of: readonly AttributionKind[] = ['inserts', 'deletes', 'again'],
  ): Promise<AttributionMap> {
    const found: Record<AttributionKind, Map<number, DeleteRun[]>> = {
      ...{ inserts: new Map(), deletes: new Map(), again: new Map() },
    }
    for (const kind of of) {
      for (const runs of this.#of(name).runs) {
        const wanted = runs[kind].filter(({ client }) => clients?.has(client) ?? true)
        addRuns<InsertRun>(
          found[kind],
          wanted.map((run) => ({ ...run })),
        )
      }
      sortRuns(found[kind])
    }
    return found
  }

  async deletedTexts(name: string, root: string): Promise<Omit<DeletedText, 'root'>[]> {
    return this.#of(name)
      .deleted.filter((one) => one.root === root)
      .map(({ root: _, ...piece }) => piece)
  }

  async archived(name: string, shelf: Shelf, after: number, limit: number, bytes = Infinity) {
    const found: { seq: number; value: Uint8Array }[] = []
    let left = bytes
    for (const { value } of this.#of(name).archive[shelf].slice(after, after + limit)) {
      found.push({ seq: after + found.length + 1, value })
      left -= value.length
      if (left <= 0) break
    }
    return found
  }

  async archivedAt(name: string, shelf: Shelf, seq: number): Promise<Uint8Array | null> {
    return this.#of(name).archive[shelf][seq - 1]?.value ?? null
  }

  async archiveEnd(name: string, shelf: Shelf): Promise<number> {
    return this.#of(name).archive[shelf].length
  }

  async archivePosition(name: string, shelf: Shelf, id: string): Promise<number | null> {
    const at = this.#of(name).archive[shelf].findLastIndex((entry) => entry.id === id)
    return at === -1 ? null : at + 1
  }

  async workspaces(): Promise<string[]> {
    return [...this.#memory.workspaces.keys()].sort()
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }
}
