import type * as Y from 'yjs'
import type { Lines } from './lines.ts'

/** A change of a Y.Text, as its events have it. */
export type Delta = readonly { retain?: number; insert?: unknown; delete?: number }[]

/** In place of what is in the text but is none (an embed of another program), so that offsets stay right. */
const OBJECT = '\ufffc'

const inserted = (insert: unknown): string => (typeof insert === 'string' ? insert : OBJECT)

/** The text by offsets, which `toString` is not where there are embeds. */
export const contentOf = (text: Y.Text): string =>
  (text.toDelta() as Delta).map(({ insert }) => inserted(insert)).join('')

/** Brings a change into the lines. */
export const changeLines = (lines: Lines, delta: Delta): void => {
  let at = 0
  for (const op of delta) {
    if (op.retain !== undefined) at += op.retain
    else if (op.delete !== undefined) lines.replace(at, op.delete, '')
    else {
      const text = inserted(op.insert)
      lines.replace(at, 0, text)
      at += text.length
    }
  }
}

/** Where an offset is after a change: what is inserted exactly there comes after it. */
export const movedBy = (delta: Delta, offset: number): number => {
  let at = 0
  let moved = offset
  for (const op of delta) {
    if (op.retain !== undefined) at += op.retain
    else if (op.delete !== undefined) {
      if (moved > at) moved -= Math.min(op.delete, moved - at)
    } else {
      const { length } = inserted(op.insert)
      if (at < moved) moved += length
      at += length
    }
  }
  return moved
}

/** The end of the last place that a change touched. */
export const endOf = (delta: Delta): number => {
  let at = 0
  let end = 0
  for (const op of delta) {
    if (op.retain !== undefined) at += op.retain
    else if (op.delete !== undefined) end = at
    else {
      at += inserted(op.insert).length
      end = at
    }
  }
  return end
}
