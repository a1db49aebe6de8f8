import { type Op, seqOf } from '../../storage/integrity/level-keys.ts'
import { auditKey, putJson } from './log.ts'
import type { AuditEntry } from './records.ts'
import type { Change } from './writes.ts'

/** Entries that are kept (count): a busy team's year; what floods it is cut to one a second. */
const KEPT = 10_000
const REFUSED_GAP_MS = 1_000

interface Kept {
  seq: number
  entry: AuditEntry
}

/** The newest entries of the audit logs of all workspaces, in memory. They share one count, which is their order. */
export class AuditLog {
  readonly #entries: Kept[]
  readonly #refusedAt = new Map<string, number>()
  #next: number

  readonly #tell: (entry: AuditEntry) => void

  /** `tell` is called with each entry once it is stored. */
  constructor(
    stored: readonly { key: string; json: AuditEntry }[],
    tell: (entry: AuditEntry) => void = () => {},
  ) {
    this.#tell = tell
    this.#entries = stored
      .map(({ key, json }) => ({ seq: seqOf(key), entry: json }))
      .sort((a, b) => a.seq - b.seq)
    this.#next = (this.#entries.at(-1)?.seq ?? 0) + 1
  }

  /** Adds entries, and removes the oldest. */
  add(entries: readonly AuditEntry[]): Change {
    const added = entries.map((entry, i) => ({ seq: this.#next + i, entry }))
    const old = this.#entries.slice(0, Math.max(0, this.#entries.length + added.length - KEPT))
    return {
      ops: [
        ...added.map((kept) => putJson(keyOf(kept), kept.entry)),
        ...old.map((kept): Op => ({ type: 'del', key: keyOf(kept) })),
      ],
      apply: () => {
        this.#next += added.length
        this.#entries.splice(0, old.length)
        this.#entries.push(...added)
        for (const { entry } of added) this.#tell(entry)
      },
    }
  }

  /** True if a refusal of this caller may be noted again: at most one per second. */
  isDue(by: string, now: number): boolean {
    if (now - (this.#refusedAt.get(by) ?? 0) < REFUSED_GAP_MS) return false
    if (this.#refusedAt.size > KEPT) this.#refusedAt.clear()
    this.#refusedAt.set(by, now)
    return true
  }

  newest(workspace: string | null, limit: number): AuditEntry[] {
    const mine = this.#entries.map(({ entry }) => entry)
    return mine.filter((one) => workspace === null || one.workspace === workspace).slice(-limit)
  }
}

const keyOf = ({ seq, entry }: Kept): string => auditKey(entry.workspace, seq)
