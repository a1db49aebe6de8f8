import type { Row } from '../../ui/rows.ts'

/** The things that a page goes through: versions, events, hunks, rows of a list. */
export interface PageItems {
  count: number
  idAt: (index: number) => string
  /** The index that is picked; -1: none. */
  at: number
  /** The line of an item among `lines`; absent: an item is what all the lines show. */
  lineAt?: (index: number) => number
}

/** A page as it is drawn. */
export interface PageView {
  /** Stays on the screen. */
  head: readonly Row[]
  /** Scrolls. */
  lines: readonly Row[]
  items: PageItems | null
  /** True if up and down pick items; else they scroll, and left and right pick. */
  isList: boolean
}

export const textPage = (lines: readonly Row[]): PageView => ({
  ...{ head: [], lines, items: null, isList: false },
})
