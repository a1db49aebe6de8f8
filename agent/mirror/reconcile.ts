import type { Replica } from '../../client/replica/replica.ts'
import type { Bases } from './bases.ts'
import type { Carrier } from './carry.ts'
import { whyOf } from './disk/way.ts'
import type { DiskWrite, Looked, Merge } from './merge.ts'
import type { Overwritten } from './overwritten.ts'
import type { MirrorEvent } from './rules/options.ts'
import type { Skipped } from './skipped.ts'
import { isRuleFile, type Terrain } from './terrain.ts'

interface Parts {
  replica: Replica
  bases: Bases
  merge: Merge
  carrier: Carrier
  overwritten: Overwritten
  terrain: Terrain
  skipped: Skipped
  report: (event: MirrorEvent) => void
}

interface Events {
  /** The path changed in the meantime and must be read again. */
  onLate: (rel: string) => void
  /** The path is free: files that it blocked can be written. */
  onFreed: (rel: string) => void
}

/**
 * Carries changes between disk and document for paths that were read. It is the origin of its
 * transactions.
 */
export class Reconciler {
  readonly #parts: Parts
  readonly #events: Events

  constructor(parts: Parts, events: Events) {
    this.#parts = parts
    this.#events = events
  }

  /** Changes document and bases in one commit, then writes the disk. */
  async reconcile(batch: readonly Looked[]): Promise<void> {
    const { replica, bases } = this.#parts
    await this.#findOrigins(batch)
    const writes: DiskWrite[] = []
    replica.doc.transact(() => {
      for (const one of batch) {
        try {
          const write = this.#decide(one)
          if (write !== null) writes.push(write)
        } catch (error) {
          this.#parts.skipped.add(one.rel, whyOf(error))
        }
      }
    }, this)
    await replica.commit()
    for (const { rel, base } of batch) {
      if (base !== undefined && bases.get(rel) === undefined) this.#events.onFreed(rel)
    }
    if (writes.length > 0) await this.#carry(writes)
  }

  /**
   * Puts a text that was written to `key`, made from `base`, into the document. Throws the errors
   * of `putFile`.
   */
  putLate(key: string, text: string, base: string): void {
    this.#parts.replica.doc.transact(() => this.#parts.merge.putText(key, text, base), this)
  }

  async #findOrigins(batch: readonly Looked[]): Promise<void> {
    const { bases, overwritten } = this.#parts
    for (const one of batch) {
      if (one.digest === null || one.digest === one.base?.digest) continue
      const texts = await bases.texts(one.rel)
      if (texts.length === 0) continue
      one.from = { bases: texts, replaced: overwritten.texts(one.rel, one.at) }
    }
  }

  #decide(one: Looked): DiskWrite | null {
    const { merge, skipped, terrain } = this.#parts
    const write = merge.decide(one)
    if (write === null) return skipped.delete(one.rel)
    const why = isRuleFile(one.rel) ? terrain.onRules(one.rel, write.expected, write.text) : null
    return why === null ? write : skipped.add(one.rel, why)
  }

  async #carry(writes: readonly DiskWrite[]): Promise<void> {
    const { replica, bases, carrier, skipped, report } = this.#parts
    const { done, late, refused } = await carrier.carry(writes)
    for (const [rel, why] of refused) skipped.add(rel, why)
    for (const rel of late) this.#events.onLate(rel)
    for (const { rel, key, text, expected, fileId } of done) {
      skipped.delete(rel)
      if (text === null) bases.drop(rel)
      else bases.keep(rel, text, fileId)
      const change = text === null ? 'removed' : expected === null ? 'created' : 'changed'
      report({ type: 'in', file_key: key, change })
      if (text === null) this.#events.onFreed(rel)
    }
    await replica.commit()
  }
}
