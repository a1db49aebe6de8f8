import { join } from 'node:path'
import type { Replica } from '../../client/replica/replica.ts'
import { ClawError } from '../../protocol/errors.ts'
import { findLeaf } from '../../workspace/files/tree.ts'
import type { Bases } from './bases.ts'
import type { Folder } from './disk/folder.ts'
import { type Scan, scanFolder } from './disk/scan.ts'
import { guardOf, isIncluded, isSecretText, SECRET_TEXT } from './rules/guarded.ts'
import { type Ignored, isOwn, RULE_FILES } from './rules/ignored.ts'
import { foldersOf, lastPart, problemOf, shadowed } from './rules/paths.ts'
import { ruleStamp } from './rules/rule-stamp.ts'
import { Rules } from './rules/rules.ts'
import { twins } from './shared.ts'

/** Settings and parts of a mirror's terrain. */
export interface TerrainOptions {
  folder: Folder
  prefix: string
  replica: Replica
  /** Id of the mirror in the replica. */
  id: string
  bases: Bases
  /** Paths that are mirrored although they may hold credentials, or be run. */
  include: readonly string[]
  loosenMs?: number | undefined
}

/**
 * Nothing new is shared below rules that changed within this time (ms): a rule file may be empty or
 * missing while it is saved.
 */
const RULES_SETTLE_MS = 1_000

export const isRuleFile = (rel: string): boolean => RULE_FILES.includes(lastPart(rel))

/** Rule files first: rules of others reach the disk before any file is shared. */
export const rulesFirst = (rels: readonly string[]): string[] => [
  ...rels.filter(isRuleFile),
  ...rels.filter((rel) => !isRuleFile(rel)),
]

/** Knows which paths of a folder and of the document are mirrored at present. */
export class Terrain {
  readonly #options: TerrainOptions
  readonly #record: string
  readonly #rules: Rules
  #found: Scan
  #ignored: Ignored = () => true
  #twins = new Map<string, string>()
  #shadowed = new Map<string, string>()
  /** Last change of a folder's rules (ms since the epoch). */
  readonly #rulesChanged = new Map<string, number>()
  /** True if a folder's rules have changed since they were read; by folder, for this batch. */
  #areRulesOld = new Map<string, boolean>()

  constructor(options: TerrainOptions) {
    const { replica, id, folder, loosenMs } = options
    this.#options = options
    this.#record = `mirror-rules:${id}`
    this.#rules = new Rules(replica.record(this.#record) ?? null, folder.foldsCase, loosenMs)
    this.#found = this.#scan()
    // The mirror before this one may have ended while a rule file was saved.
    if (this.#rules.isLess(this.#found.rules)) this.#rulesChanged.set('', Date.now())
  }

  get found(): Scan {
    return this.#found
  }

  /** Throws `not_allowed` if a ClawLink server or agent keeps data in the folder. */
  checkHomes(): void {
    const { path, without } = this.#options.folder
    const home = without ?? this.#found.homes[0]
    if (home === undefined) return
    const why = this.#found.others.get(home) ?? 'ClawLink keeps its own files there'
    throw new ClawError(
      'not_allowed',
      `${join(path, home)} is in it: ${why}`,
      'mirror another folder, or add --force: all but that is mirrored',
    )
  }

  /** True if older rules ignore paths that the rules on disk do not. */
  get areRulesHeld(): boolean {
    return this.#rules.isHeld(this.#found.rules)
  }

  /**
   * The file is gone: the next listing that contains it reports it as changed, even if it is the
   * same file.
   */
  forget(rel: string): void {
    this.#found.files.delete(rel)
  }

  /** Files that were changed, created or removed since `before`. */
  changedSince(before: Scan): string[] {
    const { files } = this.#found
    const changed = [...files].filter(([rel, { stamp }]) => before.files.get(rel)?.stamp !== stamp)
    const gone = [...before.files.keys()].filter((rel) => !files.has(rel))
    return [...changed.map(([rel]) => rel), ...gone]
  }

  /**
   * Lists the folder anew. Returns the time until looser rules come into force (ms); null if none
   * are pending.
   */
  look(): number | null {
    const before = this.#found.ruleStamps
    this.#found = this.#scan()
    const [stamps, now] = [this.#found.ruleStamps, Date.now()]
    for (const at of new Set([...before.keys(), ...stamps.keys()])) {
      if (before.get(at) !== stamps.get(at)) this.#rulesChanged.set(at, now)
    }
    const { isChanged, again } = this.#rules.take(this.#found.rules, now)
    if (isChanged) {
      this.#keepRules()
      this.#found = this.#scan()
    }
    return again
  }

  #scan(): Scan {
    const { folder, include } = this.#options
    return scanFolder(folder, include, (rules) => {
      this.#ignored = this.#rules.ignored(rules)
      return this.#ignored
    })
  }

  /** Begins a batch: rule files are checked anew. */
  begin(): void {
    this.#areRulesOld.clear()
  }

  /**
   * True if rules for a path have changed since the folder was listed; the watcher may not have
   * reported that yet.
   */
  areRulesOld(rel: string): boolean {
    return ['', ...foldersOf(rel)].some((at) => {
      let isOld = this.#areRulesOld.get(at)
      if (isOld === undefined) {
        const stamp = ruleStamp(this.#options.folder.path, at)
        isOld = stamp !== (this.#found.ruleStamps.get(at) ?? '')
        this.#areRulesOld.set(at, isOld)
      }
      return isOld
    })
  }

  /** Time until the rules allow a new file to be shared (ms). */
  rulesSettleIn(rel: string): number {
    const now = Date.now()
    const waits = ['', ...foldersOf(rel)].map((at) => {
      const changed = this.#rulesChanged.get(at)
      return changed === undefined ? 0 : changed + RULES_SETTLE_MS - now
    })
    return Math.max(...waits)
  }

  #keepRules(): void {
    this.#options.replica.keepRecord(this.#record, this.#rules.stored)
  }

  /** Puts the rules on disk into force. */
  acceptRules(): void {
    this.#rules.accept(this.#found.rules)
    this.#keepRules()
  }

  /**
   * A change of a rule file by others is about to be written. Returns the cause if it must not be
   * written, or null.
   */
  onRules(rel: string, before: string | null, after: string | null): string | null {
    if (!this.#rules.onWrite(rel, before, after)) {
      return 'others have changed the rules too often: mirror DIR --accept-rules takes them as they are'
    }
    this.#keepRules()
    return null
  }

  sealRules(): void {
    this.#rules.seal()
  }

  /**
   * Finds anew which paths refer to one text, and which are one name on this disk. Returns the
   * paths that this changes.
   */
  refresh(rels: Iterable<string>): string[] {
    const { replica, prefix, bases, folder } = this.#options
    const isThere = (rel: string) => bases.get(rel) !== undefined
    const before = this.#behind
    const names = [...rels, ...this.#shadowed.keys()]
    this.#twins = twins(replica.doc, prefix, isThere)
    if (folder.foldsCase) this.#shadowed = shadowed(names, isThere)
    const now = this.#behind
    return [...before, ...now].filter((rel) => before.has(rel) !== now.has(rel))
  }

  /** Paths that are not mirrored because another one is. */
  get #behind(): Set<string> {
    return new Set([...this.#twins.keys(), ...this.#shadowed.keys()])
  }

  /** True if neither disk nor document had the path at the last listing. */
  isNowhere(rel: string): boolean {
    const { replica, prefix, bases } = this.#options
    const { files, others } = this.#found
    if (others.has(rel) || files.has(rel) || bases.get(rel) !== undefined) return false
    return findLeaf(replica.doc, `${prefix}${rel}`) === null
  }

  /** True if a path and everything below it is left out. */
  isOut(rel: string, isFolder?: boolean): boolean {
    const { folder, include } = this.#options
    if (isOwn(rel, folder.without) || this.#ignored(rel, isFolder)) return true
    return guardOf(rel) !== null && !isIncluded(include, rel, isFolder)
  }

  isIgnored(rel: string): boolean {
    return isOwn(rel, this.#options.folder.without) || this.#ignored(rel)
  }

  /**
   * The cause why a path is not mirrored, without reading the disk; null if it is. Never throws.
   */
  problemOf(rel: string): string | null {
    const problem = problemOf(rel)
    if (problem !== null) return problem
    const guard = isIncluded(this.#options.include, rel) ? null : guardOf(rel)
    if (guard !== null) return guard
    const twin = this.#twins.get(rel)
    if (twin !== undefined) return `it is the same text as ${twin}, which is mirrored`
    const other = this.#shadowed.get(rel)
    if (other !== undefined) return `on this disk it is the same as ${other}`
    const home = this.#found.homes.find((at) => rel.startsWith(`${at}/`))
    return home === undefined ? null : this.#found.others.get(home)!
  }

  /**
   * The cause why a text on disk is not shared; null if it may be. `isNew`: this mirror has not
   * shared the file yet.
   */
  problemToShare(rel: string, text: string, isNew: boolean): string | null {
    if (isSecretText(text) && !isIncluded(this.#options.include, rel)) {
      return SECRET_TEXT
    }
    if (!isNew || this.#found.unreadable.size === 0) return null
    for (const folder of ['', ...foldersOf(rel)]) {
      const why = this.#found.unreadable.get(folder)
      if (why !== undefined) return `${why}, so nothing new below ${folder || 'it'} is shared`
    }
    return null
  }
}
