/** The first line to show of `count`, so that line `index` is among the `height` shown, and little moves. */
export const keepVisible = (top: number, index: number, height: number, count: number): number => {
  const last = Math.max(0, count - height)
  const low = Math.max(0, index - height + 1)
  return Math.min(Math.max(Math.min(top, last), Math.min(low, last)), Math.max(0, index))
}
