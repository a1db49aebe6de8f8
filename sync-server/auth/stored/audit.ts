import { type Op, seqOf } from '../../storage/integrity/level-keys.ts'
import { auditKey, putJson } from './log.ts'
import type { AuditEntry } from './records.ts'
import type { Change } from './writes.ts'

/** Entries that are kept (count): a busy team's year; what floods it is cut to one a second. */
const KEPT = 10_000
/** … per workspace, on a node of a cluster. */
const KEPT_OF_NODE = 2_000
const REFUSED_GAP_MS = 1_000

interface Kept {
  seq: number
  entry: AuditEntry
}

/** The newest entries of the audit logs of all workspaces, in memory. They share one count, which is their order. */
export class AuditLog {
  readonly #isOfNode: boolean
  #entries: Kept[] = []
  readonly #refusedAt = new Map<string, number>()
  #next: number

  readonly #tell: (entry: AuditEntry) => void

  /**
   * `tell` is called with each entry once it is stored. `first`: of a node of a cluster, the number of its first entry,
   * unless there are greater ones.
   */
  constructor(
    stored: readonly { key: string; json: AuditEntry }[],
    tell: (entry: AuditEntry) => void = () => {},
    first: number | null = null,
  ) {
    this.#tell = tell
    this.#isOfNode = first !== null
    this.#next = first ?? 1
    this.load(stored)
  }

  /** Takes over what is stored. */
  load(stored: readonly { key: string; json: AuditEntry }[]): void {
    const more = stored.map(({ key, json }) => ({ seq: seqOf(key), entry: json }))
    this.#entries = [...this.#entries, ...more].sort((a, b) => a.seq - b.seq)
    this.#next = Math.max(this.#next, (this.#entries.at(-1)?.seq ?? 0) + 1)
  }

  /** Forgets a workspace, which stays on disk. */
  unload(workspace: string): void {
    this.#entries = this.#entries.filter(({ entry }) => entry.workspace !== workspace)
  }

  /** Adds entries, and removes the oldest. */
  add(entries: readonly AuditEntry[]): Change {
    const added = entries.map((entry, i) => ({ seq: this.#next + i, entry }))
    const old = this.#isOfNode ? this.#oldOf(entries) : oldest(this.#entries, added.length, KEPT)
    return {
      ops: [
        ...added.map((kept) => putJson(keyOf(kept), kept.entry)),
        ...old.map((kept): Op => ({ type: 'del', key: keyOf(kept) })),
      ],
      apply: () => {
        this.#next += added.length
        const gone = new Set(old)
        if (old.length > 0) this.#entries = this.#entries.filter((kept) => !gone.has(kept))
        this.#entries.push(...added)
        for (const { entry } of added) this.#tell(entry)
      },
    }
  }

  /** Per workspace: the workspaces that a node owns come and go. */
  #oldOf(entries: readonly AuditEntry[]): Kept[] {
    return [...new Set(entries.map(({ workspace }) => workspace))].flatMap((name) => {
      const mine = this.#entries.filter(({ entry }) => entry.workspace === name)
      const more = entries.filter(({ workspace }) => workspace === name).length
      return oldest(mine, more, KEPT_OF_NODE)
    })
  }

  /** True if a refusal of this caller, or for this reason, may be noted again: at most one per `gapMs`. */
  isDue(by: string, now: number, gapMs = REFUSED_GAP_MS): boolean {
    if (now - (this.#refusedAt.get(by) ?? 0) < gapMs) return false
    if (this.#refusedAt.size > KEPT) this.#refusedAt.clear()
    this.#refusedAt.set(by, now)
    return true
  }

  newest(workspace: string | null, limit: number): AuditEntry[] {
    const mine = this.#entries.map(({ entry }) => entry)
    return mine.filter((one) => workspace === null || one.workspace === workspace).slice(-limit)
  }
}

/** The entries that go, so that there are at most `kept` with `more` new ones. */
const oldest = (entries: readonly Kept[], more: number, kept: number): Kept[] =>
  entries.slice(0, Math.max(0, entries.length + more - kept))

const keyOf = ({ seq, entry }: Kept): string => auditKey(entry.workspace, seq)
