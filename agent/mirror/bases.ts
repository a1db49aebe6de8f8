import type { MirrorBase, Replica } from '../../client/replica/replica.ts'
import type { FileId } from '../../protocol/ids.ts'
import { versionOf } from '../../workspace/files/edit-counts.ts'
import { textDigest } from './texts/base.ts'

/** Stands for the digest of a missing file. */
export const REMOVED = 'removed'

/**
 * Text of a mirror's files when disk and document last agreed, by path below its folder. Stored in
 * the replica: a change made here in the same tick as a change of the document reaches the disk
 * together with it. The texts are not held in memory.
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

  /** `mirror`: id of the mirror in the replica. */
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

  /** The version and the text of a file when disk and document last agreed; null: not known. */
  async agreed(rel: string): Promise<{ version: number; content: string } | null> {
    const { digest, version } = this.#known.get(rel) ?? {}
    if (digest == null || version === undefined) return null
    await this.#replica.commit()
    const content = await this.#replica.mirrorText(this.#mirror, rel, digest)
    return content === null ? null : { version, content }
  }

  /**
   * Texts that the disk's text may be an edit of: the base, and the text that a mirror was writing
   * when it ended.
   */
  async texts(rel: string): Promise<string[]> {
    await this.#replica.commit()
    const found: string[] = []
    for (const digest of digestsOf(this.#known.get(rel))) {
      const text = await this.#replica.mirrorText(this.#mirror, rel, digest)
      if (text !== null) found.push(text)
    }
    return found
  }

  /** Files that a mirror was replacing when it ended, each with the text that it was to replace. */
  async unfinished(): Promise<[rel: string, text: string][]> {
    const found: [string, string][] = []
    for (const [rel, { digest, next }] of this.#known) {
      if (digest === null || next === undefined || next === REMOVED) continue
      const text = await this.#replica.mirrorText(this.#mirror, rel, digest)
      if (text !== null) found.push([rel, text])
    }
    return found
  }

  /** The disk has `text`; `next`, if given, is about to replace it. */
  keep(rel: string, text: string, fileId: FileId, next?: string): void {
    const texts = next === undefined ? [text] : [text, next]
    const [digest, planned] = texts.map(textDigest) as [string, string?]
    const version = planned === undefined ? versionOf(this.#replica.doc, fileId) : undefined
    this.#set(
      rel,
      {
        ...{ digest, fileId },
        ...(planned !== undefined && { next: planned }),
        ...(version !== undefined && { version }),
      },
      texts,
    )
  }

  /**
   * `next` is about to be written to the disk; if a crash follows and the disk has it, it is the
   * base.
   */
  plan(rel: string, next: string, fileId: FileId): void {
    const { digest = null, version } = this.#known.get(rel) ?? {}
    const known = version === undefined ? {} : { version }
    this.#set(rel, { digest, fileId, next: textDigest(next), ...known }, [next])
  }

  /**
   * The file is about to be removed from the disk; if a crash follows and it is gone, the mirror
   * removed it.
   */
  planRemoval(rel: string): void {
    const base = this.#known.get(rel)
    if (base !== undefined) this.#set(rel, { ...base, next: REMOVED }, [])
  }

  drop(rel: string): void {
    if (this.#known.has(rel)) this.#set(rel, null, [])
  }

  /**
   * Drops all bases if no file is left: the folder is another one, like an unmounted disk or a
   * fresh clone.
   */
  forgetEmptied(isThere: (rel: string) => boolean): void {
    const rels = this.paths()
    if (!rels.some(isThere)) for (const rel of rels) this.drop(rel)
  }

  /** `texts` are those of the new digests. */
  #set(rel: string, base: MirrorBase | null, texts: readonly string[]): void {
    const [before, after] = [digestsOf(this.#known.get(rel)), digestsOf(base)]
    if (base === null) this.#known.delete(rel)
    else this.#known.set(rel, base)
    this.#replica.keepMirrorBase(this.#mirror, rel, base)
    for (const digest of before) {
      if (!after.has(digest)) this.#replica.keepMirrorText(this.#mirror, rel, digest, null)
    }
    for (const text of texts) {
      const digest = textDigest(text)
      if (!before.has(digest)) this.#replica.keepMirrorText(this.#mirror, rel, digest, text)
    }
  }
}

const digestsOf = (base: MirrorBase | null | undefined): Set<string> =>
  new Set([base?.digest, base?.next].filter((digest) => typeof digest === 'string'))
