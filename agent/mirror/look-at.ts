import type * as Y from 'yjs'
import type { FileId } from '../../protocol/ids.ts'
import { findLeaf } from '../../workspace/files/tree.ts'
import { type Bases, REMOVED } from './bases.ts'
import type { DirtyPaths } from './disk/dirty.ts'
import type { Folder } from './disk/folder.ts'
import { AWAY, type Gone } from './gone.ts'
import type { Looker } from './looker.ts'
import type { Looked } from './merge.ts'
import { isUnsettled } from './settling.ts'
import type { Terrain } from './terrain.ts'
import { textDigest } from './texts/base.ts'

export interface LookParts {
  folder: Folder
  prefix: string
  doc: Y.Doc
  bases: Bases
  terrain: Terrain
  gone: Gone
  dirty: DirtyPaths
  looker: Pick<Looker, 'onRules'>
}

/**
 * Reads a path from the disk. Null: another program is writing it, and it is read again later; 'ignored': the rules
 * ignore it; any other string: the cause why it is not mirrored. The path is judged before the disk is touched.
 */
export const lookAt = (view: LookParts, rel: string): Looked | string | null => {
  const { folder, prefix, bases, terrain, gone, dirty, looker } = view
  const key = `${prefix}${rel}`
  const problem = terrain.problemOf(rel)
  if (problem !== null) return problem
  if (terrain.isIgnored(rel)) {
    bases.drop(rel)
    gone.found(rel)
    return 'ignored'
  }
  const seen = folder.look(rel)
  if (seen.kind === 'other') return seen.why
  if (seen.kind === 'absent' && bases.get(rel)?.next === REMOVED) bases.drop(rel)
  const base = bases.get(rel)
  const disk = seen.kind === 'text' ? seen.text : null
  const digest = disk === null ? null : textDigest(disk)
  if (digest !== null && digest === base?.next) {
    bases.keep(rel, disk!, base.fileId as FileId)
    return { rel, key, disk, digest, at: 0, base: bases.get(rel), from: null }
  }
  if (isUnsettled(dirty, gone, rel, seen, digest, base?.digest ?? null)) return null
  dirty.settle(rel)
  if (disk !== null && digest !== base?.digest) {
    const areOld = terrain.areRulesOld(rel)
    const wait = base === undefined && !areOld ? terrain.rulesSettleIn(rel) : 0
    if (areOld) looker.onRules()
    if (areOld || wait > 0) {
      dirty.mark(rel, wait)
      return null
    }
  }
  const why = disk === null ? whyKept(view, rel, key) : whyNotShared(view, rel, disk, digest)
  const at = seen.kind === 'text' ? seen.at : 0
  return why ?? { rel, key, disk, digest, at, base, from: null }
}

/** The cause why a path that is missing on disk is not removed for others. */
const whyKept = (
  { bases, gone, doc, terrain }: LookParts,
  rel: string,
  key: string,
): string | null => {
  const wasHere = bases.get(rel)?.digest != null
  if (findLeaf(doc, key) !== null) {
    if (wasHere) return gone.whyKept(rel)
    gone.found(rel)
    return gone.whyAway(rel)
  }
  // A mount may hide a file that was not shared yet; no event reports the unmount.
  const isHidden = !wasHere && gone.isMountChanged(rel)
  const why = wasHere ? gone.whyAway(rel) : isHidden ? AWAY : null
  if (why !== null) return why
  gone.found(rel)
  terrain.forget(rel)
  return null
}

const whyNotShared = (
  { bases, gone, terrain }: LookParts,
  rel: string,
  text: string,
  digest: string | null,
): string | null => {
  gone.found(rel)
  const base = bases.get(rel)
  return digest === base?.digest ? null : terrain.problemToShare(rel, text, base === undefined)
}
