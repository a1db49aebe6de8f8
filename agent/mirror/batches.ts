import { setImmediate as nextTick } from 'node:timers/promises'
import type { Replica } from '../../client/replica/replica.ts'
import { whyOf } from './disk/way.ts'
import { AWAY } from './gone.ts'
import { type LookParts, lookAt } from './look-at.ts'
import type { Looker } from './looker.ts'
import type { Looked, Merge } from './merge.ts'
import type { Reconciler } from './reconcile.ts'
import type { Upstream } from './rules/upstream.ts'
import { sharedLength } from './shared.ts'
import type { Skipped } from './skipped.ts'
import { isRuleFile, rulesFirst } from './terrain.ts'

/**
 * Largest batch that is read, merged and committed at once (count; UTF-16 units). The replica's
 * connection does other work between two batches.
 */
const BATCH_FILES = 200
const BATCH_UNITS = 1024 * 1024

interface Parts extends LookParts {
  replica: Replica
  looker: Looker
  merge: Merge
  reconciler: Reconciler
  skipped: Skipped
  upstream: Upstream
  /** Aborted when the mirror ends. */
  ended: AbortSignal
}

interface Events {
  /** Returns true if the mirror's folder is gone; the mirror stops then. */
  isAway: () => boolean
  /** A batch is done: paths done so far, and paths of this turn (count). */
  onBatch: (done: number, total: number) => void
}

/** Compares dirty paths on disk and in the document, in batches. */
export class Batches {
  readonly #parts: Parts
  readonly #events: Events
  #hasNewPaths = false

  constructor(parts: Parts, events: Events) {
    this.#parts = parts
    this.#events = events
  }

  /** The next turn finds out again which of several paths of a file are mirrored. */
  onNewPaths(): void {
    this.#hasNewPaths = true
  }

  /**
   * Compares `marked` paths; rule files come first, in batches of their own. Returns false if the
   * mirror's folder is gone.
   */
  async run(marked: readonly string[]): Promise<boolean> {
    const { replica, gone, terrain, looker, reconciler, upstream, merge, ended } = this.#parts
    if (this.#events.isAway()) return false
    await looker.refresh()
    if (this.#hasNewPaths) this.#refresh(marked)
    gone.begin()
    const due = rulesFirst(marked)
    for (let done = 0; done < due.length && !ended.aborted; ) {
      if (this.#events.isAway()) return false
      terrain.begin()
      const { batch, end } = this.#read(due, done)
      done = end
      await reconciler.reconcile(batch)
      await upstream.pace(merge.takeUnits())
      this.#events.onBatch(done, due.length)
      await nextTick()
    }
    terrain.sealRules()
    if (gone.keep()) await replica.commit()
    return true
  }

  /** Reads paths from `start` on until the batch is full; `end` is the first path not read. */
  #read(due: readonly string[], start: number): { batch: Looked[]; end: number } {
    const { replica, dirty } = this.#parts
    const areRules = isRuleFile(due[start]!)
    const batch: Looked[] = []
    let units = 0
    let end = start
    while (end < due.length && batch.length < BATCH_FILES && units < BATCH_UNITS) {
      const rel = due[end]!
      if (isRuleFile(rel) !== areRules) break
      end++
      dirty.begin(rel)
      const one = rel === '' ? null : this.#lookAt(rel)
      if (one === null) continue
      units += Math.max(one.disk?.length ?? 0, sharedLength(replica.doc, one.key))
      batch.push(one)
    }
    return { batch, end }
  }

  #refresh(due: readonly string[]): void {
    const { terrain, bases, dirty } = this.#parts
    this.#hasNewPaths = false
    for (const rel of terrain.refresh([...bases.paths(), ...due])) dirty.mark(rel, 0)
  }

  /** Reads a path from disk. Null: it is not mirrored, or it is read later. */
  #lookAt(rel: string): Looked | null {
    const { skipped, terrain } = this.#parts
    let found: ReturnType<typeof lookAt>
    try {
      found = lookAt(this.#parts, rel)
    } catch (error) {
      found = whyOf(error) // this path alone is skipped
    }
    if (found === 'ignored') return skipped.delete(rel)
    if (typeof found !== 'string') return found
    const isLeft = found !== AWAY && skipped.whys.has(rel) && terrain.isNowhere(rel)
    return isLeft ? skipped.delete(rel) : skipped.add(rel, found)
  }
}
