import { rangesIn } from '../yjs/update-ranges.ts'

/** Consecutive operations of one Yjs client id. */
export interface IdRange {
  client: number
  clock: number
  length: number
}

/** For whom and for what the server accepted an update. */
export interface Attribution {
  /** The agent that made the change; null: the server itself. */
  by: string | null
  /** The task that the agent held; null: none, or the server cannot tell. */
  task: string | null
  /** The agent that caused the change without being its author: it accepted a suggestion. */
  via: string | null
}

/** The attribution of one update. */
export interface Credit extends Attribution {
  /** The operations that this update inserted and deleted first. Absent: all that it holds. */
  news?: { inserts: readonly IdRange[]; deletes: readonly IdRange[] }
  /** The operations that this update deletes as well, while another agent's deletion of them was on its way. */
  again?: readonly IdRange[]
}

/** The server itself. */
export const NOBODY: Credit = { by: null, task: null, via: null }

/** Credits nobody with anything: the update may repeat what others did. */
export const UNCREDITED: Credit = { ...NOBODY, news: { inserts: [], deletes: [] } }

/** Inserted operations. Their author is the owner of the Yjs client id. */
export interface InsertRun extends IdRange {
  /** Milliseconds since the epoch, by the server's clock, in whole seconds. */
  at: number
  task: string | null
  via: string | null
}

/** Deleted operations; `by` deleted them. */
export interface DeleteRun extends InsertRun {
  by: string | null
}

/** Text that an update deletes: characters of consecutive operations in a root of the document. */
export interface DeletedText {
  root: string
  client: number
  clock: number
  text: string
}

/** The authorship in a record: a credit per update, and the texts that the updates delete. */
export interface Authorship {
  credits: readonly Credit[]
  deleted: readonly DeletedText[]
}

export interface Runs {
  inserts: InsertRun[]
  deletes: DeleteRun[]
  /** Deletions of what others had just deleted; of one operation there may be several. */
  again: DeleteRun[]
}

const SECOND_MS = 1_000

/** The runs of a record: `at` in milliseconds since the epoch. An update that cannot be read has none. */
export const runsOf = (
  at: number,
  updates: readonly Uint8Array[],
  credits: readonly Credit[],
): Runs => {
  const runs: Runs = { inserts: [], deletes: [], again: [] }
  const second = at - (at % SECOND_MS)
  for (const [i, credit] of credits.entries()) {
    const { by, task, via } = credit
    const news = credit.news ?? readable(updates[i]!)
    for (const range of news.inserts) runs.inserts.push({ ...range, at: second, task, via })
    for (const range of news.deletes) runs.deletes.push({ ...range, at: second, task, via, by })
    for (const range of credit.again ?? []) runs.again.push({ ...range, at: second, task, via, by })
  }
  return runs
}

const readable = (update: Uint8Array): NonNullable<Credit['news']> => {
  try {
    return rangesIn(update)
  } catch {
    return { inserts: [], deletes: [] }
  }
}

/** True if `next` continues `run`, so that both are one run. */
const continues = (run: DeleteRun | InsertRun, next: DeleteRun | InsertRun): boolean =>
  run.clock + run.length === next.clock &&
  run.at === next.at &&
  run.task === next.task &&
  run.via === next.via &&
  deleterOf(run) === deleterOf(next)

const deleterOf = (run: DeleteRun | InsertRun): string | null => (run as DeleteRun).by ?? null

/** Moves runs into lists by client id, in order; a run that continues the last one makes that one longer. */
export const addRuns = <R extends InsertRun | DeleteRun>(
  to: Map<number, R[]>,
  runs: readonly R[],
): void => {
  for (const run of runs) {
    const list = to.get(run.client)
    const last = list?.at(-1)
    if (list === undefined) to.set(run.client, [run])
    else if (last !== undefined && continues(last, run)) last.length += run.length
    else list.push(run)
  }
}

/** Sorts each client's runs by clock, for `runAt`. */
export const sortRuns = <R extends InsertRun | DeleteRun>(runs: ReadonlyMap<number, R[]>): void => {
  for (const list of runs.values()) list.sort((a, b) => a.clock - b.clock)
}

/** Index of the first run that ends after `clock`, in runs sorted by clock; their count if none does. */
export const runIndex = (runs: readonly IdRange[], clock: number): number => {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const { clock: from, length } = runs[middle]!
    if (from + length <= clock) low = middle + 1
    else high = middle
  }
  return low
}
