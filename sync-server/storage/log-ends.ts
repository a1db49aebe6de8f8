import { NameTable } from '../../lib/attribution/names.ts'
import type { Chain } from './chain.ts'
import { type Db, Unavailable } from './integrity/db.ts'
import { joinedEnds, TailJoiner } from './joined/tail.ts'
import type { LevelArchive } from './level-archive.ts'
import type { LevelAttribution } from './level-attribution.ts'
import { addNames, type LevelRecordLog, updatesAfter } from './level-record-log.ts'
import type { Shelf } from './update-log.ts'

/** Names of workspaces without records that are remembered (count). */
const MOST_EMPTY = 1_000

/** The chain of a workspace's records, and positions of its newest archived entries, pending ones included. */
export interface Ends {
  chain: Chain
  archive: { [S in Shelf]: number }
  /** The names in the records. */
  names: NameTable
  joiner: TailJoiner
}

/** The end of each workspace’s log, read on first use. */
export class LogEnds {
  readonly #db: Db
  readonly #record: LevelRecordLog
  readonly #folded: LevelAttribution
  readonly #archive: LevelArchive
  readonly #known = new Map<string, Ends>()
  readonly #finding = new Map<string, Promise<Ends>>()
  /** Workspaces of which nothing is stored, so that nothing needs to be looked for. */
  readonly #empty = new Set<string>()

  constructor(db: Db, record: LevelRecordLog, folded: LevelAttribution, archive: LevelArchive) {
    this.#db = db
    this.#record = record
    this.#folded = folded
    this.#archive = archive
  }

  /** The ends of a workspace's log; at once if they are known. */
  of(workspace: string): Ends | Promise<Ends> {
    return this.#known.get(workspace) ?? this.#begin(workspace) ?? this.#find(workspace)
  }

  /** Throws Unavailable if the log was read anew since `ends` were found: a write would build on what was before. */
  check(workspace: string, ends: Ends): void {
    if (this.#known.get(workspace) === ends) return
    throw new Unavailable('the log was read anew meanwhile')
  }

  /** Notes whether anything of the workspace is stored. */
  noteEmpty(workspace: string, isEmpty: boolean): void {
    if (!isEmpty) this.#empty.delete(workspace)
    else if (this.#empty.size < MOST_EMPTY) this.#empty.add(workspace)
  }

  /** Forgets what is in memory of one workspace, or of all. */
  forget(workspace?: string): void {
    for (const known of [this.#known, this.#finding, this.#empty]) {
      if (workspace === undefined) known.clear()
      else known.delete(workspace)
    }
  }

  #find(workspace: string): Promise<Ends> {
    const finding = this.#finding.get(workspace)
    if (finding !== undefined) return finding
    const found = this.#read(workspace).then((ends) => {
      if (this.#finding.get(workspace) === found) this.#known.set(workspace, ends)
      return ends
    })
    this.#finding.set(workspace, found)
    return found
  }

  async #read(workspace: string): Promise<Ends> {
    const chain = await this.#record.chain(workspace)
    const names = await this.#folded.names(workspace)
    await addNames(this.#db, workspace, chain.folded, names)
    const archive = {
      broadcasts: await this.#archive.end(workspace, 'broadcasts'),
      tasks: await this.#archive.end(workspace, 'tasks'),
    }
    const joiner = this.#joiner(workspace, chain, await joinedEnds(this.#db, workspace))
    return { chain, archive, names, joiner }
  }

  #joiner(workspace: string, chain: Chain, stored: number[]): TailJoiner {
    return new TailJoiner(stored, (after, upTo) =>
      updatesAfter(this.#db, workspace, Math.max(after, chain.folded), {}, upTo),
    )
  }

  /** Begins the log of a workspace of which nothing is stored; null: it is not known to be one. */
  #begin(workspace: string): Ends | null {
    const chain = this.#empty.delete(workspace) ? this.#record.begin(workspace) : null
    if (chain === null) return null
    const archive = { broadcasts: 0, tasks: 0 }
    const joiner = this.#joiner(workspace, chain, [])
    const ends = { chain, archive, names: new NameTable(), joiner }
    this.#known.set(workspace, ends)
    return ends
  }
}
