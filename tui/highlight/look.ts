/** Kinds of words in a language; `taken`: a diff takes it out. */
export type Word = 'keyword' | 'string' | 'value' | 'taken'

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
