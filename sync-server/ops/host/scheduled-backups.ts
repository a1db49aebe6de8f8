import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDir } from '../../storage/integrity/disk.ts'

/** Folders that scheduled backups are in: the time in UTC, so that names sort as times do. */
const NAME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d)-(\d\d)-(\d\d)Z$/

/** Ends the name of a backup that is being removed. */
const GOING = '.removed'

/** Longest time between two looks at the clock (milliseconds): a machine that slept is late by at most that. */
const LOOK_MS = 60_000
/** Longest wait after a failed backup (milliseconds), before it is tried again. */
const RETRY_MS = 10 * 60_000

/** The name of the folder of a backup that begins at this time (milliseconds since the epoch). */
export const backupName = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 19).replaceAll(':', '-')}Z`

/** The time in such a name; null: it is another name. */
export const backupTime = (name: string): number | null => {
  const [, year, month, day, hours, minutes, seconds] = NAME.exec(name) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`)
  return year === undefined || Number.isNaN(time) ? null : time
}

/** The finished backups in a folder, oldest first. Other folders, and unfinished ones, are left out. */
export const backupsIn = async (dir: string): Promise<string[]> => {
  const names = await readdir(dir).catch(() => [])
  const dated = names.filter((name) => backupTime(name) !== null).sort()
  const whole: string[] = []
  for (const name of dated) {
    const found = await stat(join(dir, name, 'manifest.json')).catch(() => null)
    if (found?.isFile()) whole.push(name)
  }
  return whole
}

export interface Schedule {
  /** The folder of the backups; it is made if missing. */
  dir: string
  everyMs: number
  /** Newest backups that stay (count). */
  keep: number
}

interface Env {
  now: () => number
  /** Writes a backup into a new folder. */
  backup: (dir: string) => Promise<unknown>
  onDone: (dir: string, removed: readonly string[]) => void
  onError: (error: unknown) => void
}

/** Makes backups at intervals, and removes those beyond the newest `keep`, only after a newer one is whole. */
export class ScheduledBackups {
  readonly #schedule: Schedule
  readonly #env: Env
  #timer: NodeJS.Timeout | null = null
  #triedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  constructor(schedule: Schedule, env: Env) {
    this.#schedule = schedule
    this.#env = env
  }

  /** Begins with a backup if the newest one is older than the interval. */
  start(): void {
    const look = async (): Promise<void> => {
      await this.step()
      if (this.#isClosed) return
      this.#timer = setTimeout(look, Math.min(LOOK_MS, this.#schedule.everyMs))
    }
    void look()
  }

  /** Makes a backup if one is due. Never rejects. */
  async step(): Promise<void> {
    const { dir, everyMs } = this.#schedule
    const { now, onDone, onError, backup } = this.#env
    const at = now()
    try {
      const newest = (await backupsIn(dir)).at(-1)
      const before = newest === undefined ? null : backupTime(newest)
      // One from the future is of a clock that was wrong.
      const isDue = before === null || before > at || at - before >= everyMs
      if (!isDue || at - this.#triedAt < Math.min(everyMs, RETRY_MS)) return
      this.#triedAt = at
      await makeDir(dir)
      const to = join(dir, backupName(at))
      await backup(to)
      this.#triedAt = Number.NEGATIVE_INFINITY
      onDone(to, await this.#removeOld())
    } catch (error) {
      onError(error)
    }
  }

  async #removeOld(): Promise<string[]> {
    const { dir, keep } = this.#schedule
    const old = (await backupsIn(dir)).slice(0, -keep)
    // One that is going has another name, so a kill here leaves nothing that passes for a backup.
    for (const name of old) await rename(join(dir, name), join(dir, name + GOING))
    const going = (await readdir(dir)).filter(
      (name) => name.endsWith(GOING) && backupTime(name.slice(0, -GOING.length)) !== null,
    )
    for (const name of going) await rm(join(dir, name), { recursive: true, force: true })
    return old
  }

  /** Ends the schedule; a backup under way is finished by the caller's own end. */
  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }
}
