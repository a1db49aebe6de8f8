import type { Word } from '../../ui/palette.ts'

/** The style of a part of a row; `colour` is an SGR colour, an offset to 30. */
export interface Look {
  colour?: number
  /** Its kind in its language; the theme has the colour. */
  word?: Word
  bold?: boolean
  dim?: boolean
  underline?: boolean
  inverse?: boolean
}
