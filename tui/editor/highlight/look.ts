/** The style of a part of a row; `colour` is an SGR colour, an offset to 30. */
export interface Look {
  colour?: number
  bold?: boolean
  dim?: boolean
  underline?: boolean
  inverse?: boolean
}
