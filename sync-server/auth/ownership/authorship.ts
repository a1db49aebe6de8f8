import * as Y from 'yjs'
import { CLOSE, WireError } from '../../../protocol/frames.ts'
import { GRAMMAR } from '../../../workspace/document/grammar.ts'
import { entryAt, type TypePlace } from '../../../workspace/document/places.ts'

export const invalid = (what: string): WireError => new WireError(CLOSE.invalid, what)
export const forged = (what: string): WireError => new WireError(CLOSE.forged, what)

/** The fields of a plain value that name its author. */
type Said = { [field: string]: unknown } & {
  facts?: { from?: unknown }
  note?: { by?: unknown }
  removed?: { by?: unknown }
}

/** The plain objects in an item; readers use no other content. */
export const saidIn = ({ content }: Y.Item): Said[] =>
  content
    .getContent()
    .filter(
      (value): value is Said =>
        typeof value === 'object' && value !== null && !(value instanceof Y.AbstractType),
    )

/** Throws `forged` where an item names another than its author, or stands where its author may not write. */
export const checkAuthor = (
  author: string,
  place: TypePlace,
  key: string | null,
  item: Y.Item,
): void => {
  const { writer } = GRAMMAR[place.kind]
  if (writer === 'anyone') return
  if (writer === 'server') throw forged('only the server writes there')
  const isBy = (field: 'from' | 'by' | 'agent') =>
    saidIn(item).every((said) => said[field] === author)
  switch (place.kind) {
    case 'agents':
      checkRecord(author, place, key, isBy)
      return
    case 'broadcasts':
      if (!isBy('from')) throw forged('says something as another agent')
      return
    case 'intake':
      for (const { facts, note, by } of saidIn(item)) {
        for (const name of [facts?.from, note?.by, by]) {
          if (name !== undefined && name !== author) throw forged('hands in as another agent')
        }
      }
      return
    case 'files':
      for (const { removed } of saidIn(item)) {
        const by = removed?.by
        if (by !== undefined && by !== author) throw forged('removes a file as another agent')
      }
      return
    case 'edits':
      if (key !== String(item.id.client) || !isBy('agent')) {
        throw forged('counts edits as another agent’s')
      }
      return
    case 'blobs':
      if (!isBy('by')) throw forged('puts a file as another agent')
  }
}

const checkRecord = (
  author: string,
  place: TypePlace,
  key: string | null,
  isBy: (field: 'by') => boolean,
): void => {
  if (place.depth === 0) {
    if (key !== author) throw forged('registers another agent')
    return
  }
  const writer = entryAt(place.rule, key)?.writer
  if (writer === 'server') throw forged('only the server writes there')
  if (writer === 'anyone') {
    if (!isBy('by')) throw forged('asks to pause as another agent')
  } else if (place.under !== author) throw forged('writes in another agent’s record')
}

/**
 * Throws `forged` where an agent deletes a record that it may not delete. `owner`: the owner of the Yjs client id of
 * the deleted operation; undefined: the id has no owner.
 */
export const checkDelete = (
  agent: string,
  place: TypePlace,
  key: string | null,
  owner: string | undefined,
): void => {
  const { kind, depth, under } = place
  if (GRAMMAR[kind].writer === 'server') throw forged('deletes what is the server’s')
  if (kind === 'agents') {
    const whose = depth === 0 ? key : under
    if (whose === agent || (depth > 0 && entryAt(place.rule, key)?.writer === 'anyone')) return
    throw forged('deletes of another agent’s record')
  }
  const isOwn = owner === undefined || owner === agent
  if (kind === 'intake' && !isOwn) throw forged('deletes what another agent has handed in')
  if (kind === 'broadcasts' && !isOwn) throw forged('deletes a message of another agent')
  if (kind === 'edits' && !isOwn) throw forged('deletes another agent’s count of edits')
}
