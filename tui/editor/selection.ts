import { type Delta, movedBy } from './delta.ts'

/** A caret (`head`) and the other end of what is selected, as offsets in the text as it is. */
export interface Selection {
  anchor: number
  head: number
}

export const caretAt = (offset: number): Selection => ({ anchor: offset, head: offset })

export const rangeOf = ({ anchor, head }: Selection): { from: number; to: number } => ({
  from: Math.min(anchor, head),
  to: Math.max(anchor, head),
})

/** Where it is after a change by others. */
export const movedSelection = (delta: Delta, { anchor, head }: Selection): Selection => ({
  anchor: movedBy(delta, anchor),
  head: movedBy(delta, head),
})
