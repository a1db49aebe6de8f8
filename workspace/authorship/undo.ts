import type * as Y from 'yjs'
import type { IdRange } from '../../lib/attribution/runs.ts'
import type { LineRange } from '../../lib/merge/edits.ts'
import { deleteOperations, insertTextAfter } from '../../lib/yjs/internals.ts'
import {
  type CopyRange,
  type Deed,
  isSelected,
  type Selector,
  type TextHistory,
} from './undo-history.ts'
import { type Overlap, type Traced, traceOverlaps } from './undo-overlaps.ts'
import { type Piece, piecesOf } from './undo-pieces.ts'

/** A deleted text that comes back, right after an operation of the text. */
interface Restored {
  client: number
  clock: number
  text: string
  /** The first operations of each part of it. */
  of: IdRange[]
}

/** An undo of some changes of a text, before it is made. */
export interface UndoPlan {
  deletes: IdRange[]
  restores: Restored[]
  /** The text afterwards. */
  after: string
  /** UTF-16 units that it takes out, that it puts back, and that it cannot put back: nobody keeps them. */
  removed: number
  restored: number
  lost: number
  /** Agents whose changes it takes back. Null: an unknown one. */
  authors: (string | null)[]
  /** Lines of the text afterwards, 1-based, where it changes something. */
  lines: LineRange[]
  overlaps: Overlap[]
}

/**
 * The undo of all insertions and deletions that `selector` fits: each text is there or not as the others' changes alone
 * would have it. For that, the copies that earlier undos wrote are the same text as the deleted one, so undoing twice
 * changes nothing more, and undoing an undo gives the text of before.
 */
export const planUndo = (text: Y.Text, history: TextHistory, selector: Selector): UndoPlan => {
  const pieces = piecesOf(text, history)
  const isTaken = (deed: Deed): boolean => isSelected(selector, deed)
  const authors = new Set<string | null>()
  const wanted = wantedOf(pieces, isTaken, authors)
  const traced = pieces.map((piece, i) => {
    const { isLive, isWanted, isPlace } = { isLive: piece.deleted === null, ...wanted[i]! }
    const isBack = isWanted && isPlace && !isLive && piece.text !== null
    return { piece, isLive, willLive: (isLive && isWanted) || isBack, isPlace, isWanted }
  })
  const { lines, overlaps } = traceOverlaps(traced, isTaken)
  const changed = (is: (one: Traced) => boolean): number =>
    traced.reduce((sum, one) => sum + (is(one) ? one.piece.length : 0), 0)
  return {
    deletes: joined(traced.filter((one) => one.isLive && !one.willLive).map(({ piece }) => piece)),
    restores: restoresIn(traced),
    after: traced.map(({ piece, willLive }) => (willLive ? (piece.text ?? '') : '')).join(''),
    removed: changed(({ isLive, willLive }) => isLive && !willLive),
    restored: changed(({ isLive, willLive }) => !isLive && willLive),
    lost: changed(
      ({ isWanted, isPlace, isLive, willLive }) => isWanted && isPlace && !isLive && !willLive,
    ),
    ...{ authors: [...authors], lines, overlaps },
  }
}

interface Wanted {
  isWanted: boolean
  /** True for the newest copy of a text: it comes back there. */
  isPlace: boolean
}

/** Adds the authors of all changes that are to be taken back to `authors`. */
const wantedOf = (
  pieces: readonly Piece[],
  isTaken: (deed: Deed) => boolean,
  authors: Set<string | null>,
): Wanted[] => {
  const copies = copiesOf(pieces)
  const done = new Map<readonly Piece[], boolean>()
  return pieces.map((piece) => {
    const all = copies.get(rootOf(piece)) ?? [piece]
    let isWanted = done.get(all)
    if (isWanted === undefined) {
      isWanted = isWithout(all, isTaken)
      if (isWanted !== all.some(({ deleted }) => deleted === null)) {
        for (const deed of deedsOf(all)) if (isTaken(deed)) authors.add(deed.by)
      }
      if (all.length > 1) done.set(all, isWanted)
    }
    return { isWanted, isPlace: piece === all.at(-1) }
  })
}

const rootOf = ({ rootClient, rootClock }: Piece): string => `${rootClient}:${rootClock}`

/** The pieces with the same text, where there are several, oldest first. */
const copiesOf = (pieces: readonly Piece[]): Map<string, Piece[]> => {
  const copies = new Map<string, Piece[]>()
  for (const piece of pieces) if (piece.generation > 0) copies.set(rootOf(piece), [])
  if (copies.size === 0) return copies
  for (const piece of pieces) copies.get(rootOf(piece))?.push(piece)
  for (const all of copies.values()) all.sort((a, b) => a.generation - b.generation)
  return copies
}

const deedsOf = (all: readonly Piece[]): Deed[] =>
  all.flatMap(({ inserted, deleted }) => (deleted === null ? [inserted] : [inserted, deleted]))

/** Tells whether a text is there if the changes that `isTaken` fits had not been made. */
const isWithout = (all: readonly Piece[], isTaken: (deed: Deed) => boolean): boolean => {
  let isThere = false
  for (const { generation, inserted, deleted } of all) {
    if (!isTaken(inserted)) isThere = true
    // Without its first insertion there is nothing that a later one could bring back.
    else if (generation === 0) return false
    if (deleted !== null && !isTaken(deleted)) isThere = false
  }
  return isThere
}

/** Adds a range of operations; one that follows the last makes that longer. */
const addRange = (to: IdRange[], { client, clock, length }: IdRange): void => {
  const last = to.at(-1)
  if (last?.client === client && last.clock + last.length === clock) last.length += length
  else to.push({ client, clock, length })
}

const joined = (ranges: readonly IdRange[]): IdRange[] => {
  const all: IdRange[] = []
  for (const range of ranges) addRange(all, range)
  return all
}

/**
 * Texts come back after their first character, not beside it: what others, who did not know yet, have inserted on either
 * side stays there.
 */
const restoresIn = (traced: readonly Traced[]): Restored[] => {
  const all: Restored[] = []
  let open: Restored | null = null
  for (const { piece, isLive, willLive, isPlace } of traced) {
    if (!isPlace && !isLive) continue
    if (isLive || !willLive) {
      open = null
      continue
    }
    if (open === null) {
      open = { client: piece.client, clock: piece.clock, text: '', of: [] }
      all.push(open)
    }
    open.text += piece.text
    const { rootClient: client, rootClock: clock, length } = piece
    addRange(open.of, { client, clock, length })
  }
  return all
}

/** Makes a planned undo in the text that it was planned for. Returns what a later undo has to know of it. */
export const applyUndo = (
  doc: Y.Doc,
  text: Y.Text,
  { deletes, restores }: UndoPlan,
): { deletes: IdRange[]; copies: CopyRange[] } =>
  doc.transact(() => {
    const copies: CopyRange[] = []
    for (const restored of restores) {
      let clock = insertTextAfter(doc, text, restored, restored.text)
      for (const { client: ofClient, clock: ofClock, length } of restored.of) {
        copies.push({ client: doc.clientID, clock, length, ofClient, ofClock })
        clock += length
      }
    }
    for (const range of deletes) deleteOperations(doc, text, range)
    return { deletes, copies }
  })
