import { REPAIR_HINT } from '../../storage/store-error.ts'

/** Something that is not as it was written, or not as it must be. */
export interface Problem {
  where: string
  what: string
  todo: string
  /** `invalid`: it is as it was written, and should not have been. */
  kind: 'damaged' | 'invalid'
}

/** Checked items of each kind (count). */
export interface Counts {
  workspaces: number
  records: number
  updates: number
  archived: number
  versions: number
  blobs: number
  /** Records of hash chains, also those that checkpoints replaced. */
  chained: number
}

/** A witness whose head is the log's. `content`: it proves the whole document; `chain`: only that no record is another. */
export interface Confirmed {
  workspace: string
  seq: number
  proves: 'content' | 'chain'
}

/** Advice where only a backup has the lost data. */
export const RESTORE =
  'keep a copy of the folder, and restore the newest backup; agents send what it lacks of their own when they connect'

/** Findings of a verification. */
export class Report {
  readonly counts: Counts = {
    ...{ workspaces: 0, records: 0, updates: 0 },
    ...{ archived: 0, versions: 0, blobs: 0, chained: 0 },
  }
  readonly witnesses: Confirmed[] = []
  /** Facts about the logs that are no problem: repairs, restores. */
  readonly notes: string[] = []
  readonly problems: Problem[] = []

  problem(where: string, what: string, todo = RESTORE): void {
    this.problems.push({ where, what, todo, kind: 'damaged' })
  }

  invalid(where: string, what: string): void {
    this.problems.push({ where, what, todo: REPAIR_HINT, kind: 'invalid' })
  }

  /** Looks at one thing; that it cannot be read is a problem, and the next is looked at all the same. */
  async look<T>(where: string, read: () => Promise<T> | T, todo?: string): Promise<T | null> {
    try {
      return await read()
    } catch (error) {
      this.problem(where, reasonOf(error), todo)
      return null
    }
  }
}

/** The first cause of all. */
export const reasonOf = (error: unknown): string => {
  const { cause, message } = error as Error
  return cause instanceof Error ? reasonOf(cause) : message
}
