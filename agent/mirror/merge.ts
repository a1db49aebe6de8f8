import type * as Y from 'yjs'
import type { MirrorBase } from '../../client/replica/replica.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../protocol/limits.ts'
import { writeText } from '../../workspace/actions/write-text.ts'
import { versionOf } from '../../workspace/files/edit-counts.ts'
import { removeFile } from '../../workspace/files/move-file.ts'
import type { Bases } from './bases.ts'
import { decide } from './decide.ts'
import type { MirrorEvent } from './rules/options.ts'
import { type SharedFile, sharedAt, twinTexts } from './shared.ts'
import { commonLines, textDigest, united } from './texts/base.ts'
import { type Origins, originOf } from './texts/origin.ts'

/** A path as it is on disk. */
export interface Looked {
  rel: string
  key: string
  disk: string | null
  digest: string | null
  /** When it was written, milliseconds since the epoch. */
  at: number
  base: MirrorBase | undefined
  /** Texts that the disk's text may have been made from; null: none is known. */
  from: Origins | null
}

/** A file to write; `text` null: to remove. */
export interface DiskWrite {
  rel: string
  key: string
  text: string | null
  expected: string | null
  fileId: FileId
}

interface Env {
  doc: Y.Doc
  me: AgentId
  bases: Bases
  report: (event: MirrorEvent) => void
}

/** Merges a path's disk, base and document, and returns the write that the disk needs. */
export class Merge {
  readonly #env: Env
  #units = 0

  constructor(env: Env) {
    this.#env = env
  }

  /** Text put since the last call (UTF-16 units). */
  takeUnits(): number {
    const units = this.#units
    this.#units = 0
    return units
  }

  /** Changes the document and the base; returns what to write to the disk. Throws `bad_text`, `too_large`, `bad_path`. */
  decide(one: Looked): DiskWrite | null {
    const { rel, key, disk, digest, base } = one
    const { me, doc } = this.#env
    const shared = this.#shared(key, base)
    if (shared.kind === 'other') throw new ClawError('bad_text', shared.why)
    const text = shared.kind === 'text' ? shared.text : null
    const fileId = shared.kind === 'text' ? shared.fileId : ((base?.fileId ?? key) as FileId)
    const now = text === null ? null : textDigest(text)
    switch (decide(base?.digest ?? null, digest, now)) {
      case 'agreed':
        if (disk === null) this.#env.bases.drop(rel)
        else if (!this.#isKept(base, digest, fileId)) this.#env.bases.keep(rel, disk, fileId)
        return null
      case 'put':
        return this.#put(one, shared)
      case 'remove':
        removeFile(doc, key, me, Date.now())
        this.#env.bases.drop(rel)
        this.#env.report({ type: 'out', file_key: key, change: 'removed' })
        return null
      case 'delete':
        this.#env.bases.planRemoval(rel)
        return { rel, key, text: null, expected: disk, fileId }
      case 'write':
        if (Buffer.byteLength(text!) > MAX_FILE_BYTES) {
          throw new ClawError('too_large', `it is over the limit of ${MAX_FILE_BYTES} bytes`)
        }
        this.#env.bases.plan(rel, text!, fileId)
        return { rel, key, text, expected: disk, fileId }
    }
  }

  #isKept(base: MirrorBase | undefined, digest: string | null, fileId: FileId): boolean {
    return (
      base?.digest === digest &&
      base.fileId === fileId &&
      base.next === undefined &&
      base.version === versionOf(this.#env.doc, fileId)
    )
  }

  /** The document's text; where several mirrors created the file at once, their texts are united first. */
  #shared(key: string, base: MirrorBase | undefined): SharedFile {
    const { doc } = this.#env
    const shared = sharedAt(doc, key)
    if (shared.kind !== 'text' || base === undefined) return shared
    if (textDigest(shared.text) === base.digest) return shared
    const twins = twinTexts(doc, shared.fileId)
    if (twins === null) return shared
    this.putText(key, twins.reduce(united), shared.text)
    return sharedAt(doc, key)
  }

  #put(one: Looked, shared: SharedFile): DiskWrite | null {
    const { rel, key } = one
    const disk = one.disk!
    const { doc } = this.#env
    if (shared.kind === 'text') {
      const base = one.from === null ? commonLines(shared.text, disk) : originOf(one.from, disk)
      this.putText(key, disk, base)
    } else this.putText(key, disk, null)

    const merged = sharedAt(doc, key)
    if (merged.kind !== 'text') throw new Error('it cannot be written as UTF-8')
    const { text, fileId } = merged
    this.#env.bases.keep(rel, disk, fileId, text === disk ? undefined : text)
    return text === disk ? null : { rel, key, text, expected: disk, fileId }
  }

  /** Puts what the disk has, made from `base`; null: from nothing. Throws what `putFile` throws. */
  putText(key: string, content: string, base: string | null): void {
    const { doc, me: by, report } = this.#env
    const now = Date.now()
    const put = { key, content, base, by, now }
    const { file, changed, created, conflicts, together } = writeText(doc, put).result
    if (!changed) return
    this.#units += content.length
    const change = created ? 'created' : 'changed'
    const { version } = file
    report({
      type: 'out',
      file_key: key,
      change,
      version,
      ...(conflicts.length > 0 && { conflicts }),
      ...(together !== undefined && { together }),
    })
  }
}
