import type * as Y from 'yjs'
import { firstItem, isRootType, itemAfter, stringIn } from '../../lib/yjs/internals.ts'
import type { FileId } from '../../protocol/ids.ts'
import { filesOf, textOf } from '../../workspace/document/schema.ts'
import { allFiles, findLeaf, keysByFileId, ownPath } from '../../workspace/files/tree.ts'
import { relOf } from './rules/paths.ts'
import { commonLines } from './texts/base.ts'

/** A path's file in the document. */
export type SharedFile =
  | { kind: 'absent' }
  | { kind: 'text'; text: string; fileId: FileId }
  /** Content that a text file cannot hold. */
  | { kind: 'other'; why: string }

export const sharedAt = (doc: Y.Doc, key: string): SharedFile => {
  const entry = findLeaf(doc, key)?.entry
  if (entry === undefined) return { kind: 'absent' }
  if (!entry.mediaType.startsWith('text/')) return { kind: 'other', why: 'it is not text' }
  const text = textOf(doc, entry.fileId).toJSON()
  if (/\p{Surrogate}|\0/u.test(text)) return { kind: 'other', why: 'it cannot be written as UTF-8' }
  return { kind: 'text', text, fileId: entry.fileId }
}

/** UTF-16 units of a path's text. */
export const sharedLength = (doc: Y.Doc, key: string): number => {
  const entry = findLeaf(doc, key)?.entry
  return entry === undefined ? 0 : textOf(doc, entry.fileId).length
}

/**
 * The texts that several replicas put into one file, each as its creator: Yjs keeps all of them in
 * sequence. Only the replica with the lowest client id gets them, so that one replica merges; null
 * if there is nothing to merge. Texts with little in common stay as they are.
 */
export const twinTexts = (doc: Y.Doc, fileId: FileId): string[] | null => {
  const texts: { client: number; text: string }[] = []
  for (let item = firstItem(textOf(doc, fileId)); item !== null; item = itemAfter(item)) {
    // Only text put into an empty text has no neighbours.
    const isFirst = item.origin === null && item.rightOrigin === null
    if (isFirst) texts.push({ client: item.id.client, text: '' })
    const last = texts[texts.length - 1]
    if (last === undefined) return null
    if (!item.deleted) last.text += stringIn(item) ?? ''
  }
  const [first, ...others] = texts.filter(({ text }) => text !== '')
  if (first === undefined || others.length === 0) return null
  const clients = [first, ...others].map(({ client }) => client)
  if (Math.min(...clients) !== doc.clientID) return null
  const count = (text: string) => text.split('\n').length
  const isAlike = ({ text }: { text: string }) =>
    2 * count(commonLines(first.text, text)) > count(text)
  return others.every(isAlike) ? [first, ...others].map(({ text }) => text) : null
}

/**
 * Of several paths below `prefix` that refer to one text, only one is mirrored: a small document
 * could fill a disk otherwise. Returns the others, each with the mirrored path: the text's own
 * path, else one that `isThere`, else the first in order.
 */
export const twins = (
  doc: Y.Doc,
  prefix: string,
  isThere: (rel: string) => boolean,
): Map<string, string> => {
  const leaves = allFiles(doc).flatMap(({ key, entry }) => {
    const rel = relOf(prefix, key)
    return rel === null ? [] : [{ rel, id: entry.fileId }]
  })
  const first = new Map<string, string>()
  const shared = new Set<string>()
  for (const { rel, id } of leaves) {
    const known = first.get(id)
    if (known === undefined || (!isThere(known) && isThere(rel))) first.set(id, rel)
    if (known !== undefined) shared.add(id)
  }
  for (const id of shared) {
    const path = ownPath(doc, id)
    const rel = path === null ? null : relOf(prefix, path)
    if (rel !== null) first.set(id, rel)
  }
  const others = leaves.filter(({ rel, id }) => first.get(id) !== rel)
  return new Map(others.map(({ rel, id }) => [rel, first.get(id)!]))
}

/**
 * Calls `onKeys` with the paths of the files that a transaction changed, except transactions of
 * `own`; null: any path may have changed. `areNew`: paths may refer to other files than before.
 * Returns a function that unsubscribes.
 */
export const onShared = (
  doc: Y.Doc,
  own: unknown,
  onKeys: (keys: Iterable<string> | null, areNew: boolean) => void,
): (() => void) => {
  let names = new Map<unknown, string>()
  const files = filesOf(doc)
  const look = (transaction: Y.Transaction) => {
    if (transaction.origin === own) return
    const changed = new Set<string>()
    let keys: Map<string, string> | null = null
    let areNew = false
    for (const [type, parts] of transaction.changed) {
      if ((type as unknown) === files) {
        areNew = true
        for (const key of parts) if (key !== null) changed.add(key)
      }
      if (!isRootType(type)) continue
      if (!names.has(type)) names = new Map([...doc.share].map(([name, root]) => [root, name]))
      const name = names.get(type)
      if (name === undefined) return onKeys(null, true)
      // An edit that the remover did not know about restores the file.
      const id = /^(?:file|edits):(.*)$/s.exec(name)?.[1]
      if (id === undefined) continue
      keys ??= keysByFileId(doc)
      const key = keys.get(id)
      if (key !== undefined) changed.add(key)
    }
    if (changed.size > 0) onKeys(changed, areNew)
  }
  doc.on('afterTransaction', look)
  return () => doc.off('afterTransaction', look)
}
