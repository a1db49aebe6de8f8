import type { UiFrame } from '../../model/frame.ts'

/** From this width on (columns) what is picked is shown beside the list. */
export const SPLIT_COLUMNS = 120
/** Part of the screen that the list keeps. */
const LIST_PART = 0.63
/** Between list and preview. */
export const DIVIDER = ' │ '

/** True if a preview is shown beside the list. */
export const isSplit = ({ columns, plain, state }: UiFrame): boolean =>
  columns >= SPLIT_COLUMNS && !plain && state.hasPreview && state.pages.length === 0

/** Cells of the list of a view. */
export const listColumns = (look: UiFrame): number =>
  isSplit(look) ? Math.floor(look.columns * LIST_PART) : look.columns
