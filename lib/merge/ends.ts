/**
 * Start of the first line that differs, and UTF-16 units after the last one, which both texts
 * share.
 */
export const changedSpan = (from: string, to: string): [start: number, tail: number] => {
  const [head, tail] = sameEnds(from, to)
  const start = head === 0 ? 0 : from.lastIndexOf('\n', head - 1) + 1
  const lineEnd = tail === 0 ? -1 : from.indexOf('\n', from.length - tail)
  return [start, lineEnd === -1 ? 0 : from.length - lineEnd - 1]
}

/** Units that are compared at once: comparing strings is many times faster than comparing units. */
const STRIDE = 1024

/** UTF-16 units that two texts share at their beginnings, and after that at their ends. */
export const sameEnds = (a: string, b: string): [head: number, tail: number] => {
  const most = Math.min(a.length, b.length)
  let head = 0
  while (head + STRIDE <= most && isSame(a, head, b, head, STRIDE)) head += STRIDE
  while (head < most && a.charCodeAt(head) === b.charCodeAt(head)) head++
  if (isHigh(a.charCodeAt(head - 1))) head--
  const left = most - head
  let tail = 0
  const isSameBefore = (units: number): boolean =>
    isSame(a, a.length - tail - units, b, b.length - tail - units, units)
  while (tail + STRIDE <= left && isSameBefore(STRIDE)) tail += STRIDE
  while (tail < left && isSameBefore(1)) tail++
  if (isLow(a.charCodeAt(a.length - tail))) tail--
  return [head, tail]
}

const isSame = (a: string, i: number, b: string, j: number, units: number): boolean =>
  a.slice(i, i + units) === b.slice(j, j + units)

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000
