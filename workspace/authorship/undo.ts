import type * as Y from 'yjs'
import type { IdRange } from '../../lib/attribution/runs.ts'
import type { LineRange } from '../../lib/merge/edits.ts'
import { deleteOperations, insertTextAfter } from '../../lib/yjs/internals.ts'
import {
  type Cancelled,
  type CopyRange,
  holding,
  isSelected,
  type Selector,
  type TextHistory,
  type UndoRecord,
} from './undo-history.ts'
import { type Overlap, type Traced, traceOverlaps } from './undo-overlaps.ts'
import { AT_ONCE, type Piece, piecesOf } from './undo-pieces.ts'

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
  cancels: Cancelled
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
 * The undo of all insertions, deletions and undos that `selector` fits: each text is there or not as the other changes
 * alone would have it. The copies that undos wrote are the same text as the deleted one, so undoing twice changes nothing
 * more, and undoing an undo gives the text of before.
 */
export const planUndo = (text: Y.Text, history: TextHistory, selector: Selector): UndoPlan =>
  ended(planInSteps(text, history, selector))

/** The result of a generator that runs to its end. */
export const ended = <T>(steps: Generator<void, T>): T => {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** The same in steps of a few milliseconds. The text must not change meanwhile. */
export const planInSteps = function* (
  text: Y.Text,
  history: TextHistory,
  selector: Selector,
): Generator<void, UndoPlan> {
  const undos = history.undos.filter((undo) => isSelected(selector, undo))
  const ids = new Set(undos.map(({ id }) => id))
  const pieces = yield* piecesOf(text, history, holding(history.undos, ids))
  yield
  const traced = yield* trace(pieces, selector, ids)
  const { lines, overlaps } = yield* traceOverlaps(traced)
  yield
  const units = (is: (one: Traced) => boolean): number =>
    traced.reduce((sum, one) => sum + (is(one) ? one.piece.length : 0), 0)
  const isLost = ({ isComing, isPlace, isLive, willLive }: Traced): boolean =>
    isComing && isPlace && !isLive && !willLive
  const deletes = joined(
    traced.filter((one) => one.isLive && !one.willLive).map(({ piece }) => piece),
  )
  const restores = restoresIn(traced)
  yield
  const cancels = {
    inserts: inOrder(traced.filter((one) => one.isTaken && one.piece.generation === 0)),
    deletions: inOrder(traced.filter((one) => one.isDeletionTaken)),
    undos: [...ids],
  }
  yield
  return {
    ...{ deletes, restores, cancels },
    after: traced.map(({ piece, willLive }) => (willLive ? (piece.text ?? '') : '')).join(''),
    removed: units(({ isLive, willLive }) => isLive && !willLive),
    restored: units(({ isLive, willLive }) => !isLive && willLive),
    lost: units(isLost),
    ...{ authors: authorsOf(traced, undos), lines, overlaps },
  }
}

/** The pieces with their fate. `ids`: the undos that are taken back. */
const trace = function* (
  pieces: readonly Piece[],
  selector: Selector,
  ids: ReadonlySet<string>,
): Generator<void, Traced[]> {
  const copies = copiesOf(pieces)
  const traced: Traced[] = []
  for (const piece of pieces) {
    const { root, undo, deleted, undone } = piece
    const isInsertTaken = isSelected(selector, root)
    const isLive = deleted === null
    traced.push({
      piece,
      isLive,
      willLive: isLive,
      isWanted: isLive,
      isComing: false,
      isPlace: true,
      isInsertTaken,
      isTaken: isInsertTaken || (undo !== null && ids.has(undo)),
      isDeletionTaken: deleted !== null && undone === null && isSelected(selector, deleted),
      alsoBy: alsoBy(piece, selector),
    })
    if (traced.length % AT_ONCE === 0) yield
  }
  const isFreed = ({ piece, isDeletionTaken }: Traced): boolean =>
    isDeletionTaken || (piece.undone !== null && ids.has(piece.undone))
  /** Settles copies of one text, oldest first. */
  const settle = (same: readonly Traced[]): void => {
    const isWanted = same.every(isThere)
    const isComing = isWanted && same.some(isFreed)
    for (const [i, one] of same.entries()) {
      one.isWanted = isWanted
      one.isComing = isComing
      one.isPlace = i === same.length - 1
      const isBack = isComing && one.isPlace && !one.isLive && one.piece.text !== null
      one.willLive = (one.isLive && isWanted) || isBack
    }
  }
  const several = new Map<string, Traced[]>()
  const alone: Traced[] = []
  for (const [i, one] of traced.entries()) {
    if (i % AT_ONCE === 0) yield
    const root = copies.size > 0 ? rootOf(one.piece) : ''
    if (!copies.has(root)) {
      alone[0] = one
      settle(alone)
      continue
    }
    const same = several.get(root)
    if (same === undefined) several.set(root, [one])
    else same.push(one)
  }
  for (const same of several.values()) {
    settle(same.sort((a, b) => a.piece.generation - b.piece.generation))
  }
  return traced
}

/** Of a text that two agents deleted at the same time, those whose deletion is not taken back, if another's is. */
const alsoBy = (piece: Piece, selector: Selector): readonly (string | null)[] => {
  const { deleted, undone, again, isDeletionCancelled } = piece
  if (again.length === 0 || deleted === null || undone !== null || isDeletionCancelled) return NONE
  const deeds = [deleted, ...again]
  const others = deeds.filter((deed) => !isSelected(selector, deed))
  return others.length === deeds.length ? NONE : others.map(({ by }) => by)
}
const NONE: readonly never[] = []

/** Tells whether neither the insertion of a text nor the deletion of this copy counts. */
const isThere = ({ piece, isInsertTaken, isDeletionTaken }: Traced): boolean => {
  if (isInsertTaken || piece.isInsertCancelled) return false
  const isDeleted = piece.deleted !== null && piece.undone === null
  return !isDeleted || isDeletionTaken || piece.isDeletionCancelled
}

/** The authors of the changes that are taken back, as far as that changes the text. */
const authorsOf = (traced: readonly Traced[], undos: readonly UndoRecord[]): (string | null)[] => {
  const authors = new Set<string | null>()
  const changed = new Set(
    traced.filter(({ isLive, willLive }) => isLive !== willLive).map(({ piece }) => rootOf(piece)),
  )
  for (const { piece, isInsertTaken, isDeletionTaken } of traced) {
    if (!(isInsertTaken || isDeletionTaken) || !changed.has(rootOf(piece))) continue
    if (isInsertTaken) authors.add(piece.root.by)
    if (isDeletionTaken) authors.add(piece.deleted!.by)
  }
  if (changed.size > 0) for (const { by } of undos) authors.add(by)
  return [...authors]
}

const rootOf = ({ rootClient, rootClock }: Piece): string => `${rootClient}:${rootClock}`

/** The texts of which there are copies. */
const copiesOf = (pieces: readonly Piece[]): Set<string> =>
  new Set(pieces.filter(({ generation }) => generation > 0).map(rootOf))

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

/** Ranges by client and clock, for a record. */
const inOrder = (traced: readonly Traced[]): IdRange[] =>
  joined(traced.map(({ piece }) => piece).sort((a, b) => a.client - b.client || a.clock - b.clock))

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

/** Makes a planned undo in the text that it was planned for. Returns what a later undo has to know of it, besides its name. */
export const applyUndo = (
  doc: Y.Doc,
  text: Y.Text,
  { deletes, restores, cancels }: UndoPlan,
): Omit<UndoRecord, 'id' | 'by' | 'at' | 'task'> =>
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
    return { ...cancels, deletes, copies }
  })
