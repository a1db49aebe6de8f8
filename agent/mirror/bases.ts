import type { FileId } from '../../workspace/ids.ts'
import type { MirrorBase, Replica } from '../../workspace/link/replica.ts'
import { digestOf } from './base.ts'

/**
 * What a mirror's files were when disk and document last agreed, by path below its folder. Kept in the replica: what is
 * said here in the tick of a change of the document is on disk together with it. The texts are not held in memory.
 */
export class Bases {
  readonly #replica: Replica
  readonly #mirror: string
  readonly #known: Map<string, MirrorBase>

  private constructor(replica: Replica, mirror: string, known: Map<string, MirrorBase>) {
    this.#replica = replica
    this.#mirror = mirror
    this.#known = known
  }

  /** `mirror`: an id that tells it from the other mirrors of the replica. */
  static async load(replica: Replica, mirror: string): Promise<Bases> {
    return new Bases(replica, mirror, await replica.mirrorBases(mirror))
  }

  get size(): number {
    return this.#known.size
  }

  paths(): string[] {
    return [...this.#known.keys()]
  }

  get(rel: string): MirrorBase | undefined {
    return this.#known.get(rel)
  }

  async text(rel: string): Promise<string | null> {
    await this.#replica.commit()
    return this.#replica.mirrorText(this.#mirror, rel)
  }

  /** The disk has `text`; where `next` is given, that is about to take its place. */
  keep(rel: string, text: string, fileId: FileId, next?: string): void {
    this.#set(rel, { digest: digestOf(text), fileId, ...(next !== undefined && { next }) }, text)
  }

  /** A text with this digest is about to be written to the disk: found there after a crash, it is the base. */
  plan(rel: string, next: string, fileId: FileId): void {
    this.#set(rel, { digest: this.#known.get(rel)?.digest ?? null, fileId, next })
  }

  #set(rel: string, base: MirrorBase, text?: string): void {
    this.#known.set(rel, base)
    this.#replica.keepMirrorBase(this.#mirror, rel, base, text)
  }

  drop(rel: string): void {
    if (this.#known.delete(rel)) this.#replica.dropMirrorBase(this.#mirror, rel)
  }
}
