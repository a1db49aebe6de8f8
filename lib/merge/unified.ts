import { diffTokens, type Hunk } from './diff.ts'

/** Unchanged lines shown around a change. */
const CONTEXT = 3

/** The lines of a text, and whether the last one has a line end. */
const linesOf = (text: string): string[] => {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  else lines.push(`${lines.pop()}\n\\ No newline at end of file`)
  return lines
}

/** The range of a hunk's header: line and count as `diff -u` writes them. */
const rangeOf = (start: number, count: number): string =>
  count === 1 ? `${start + 1}` : `${count === 0 ? start : start + 1},${count}`

/**
 * The change from `before` to `after` in the unified format of `diff -u`, which `patch` and `git
 * apply` read. Empty where the texts are equal.
 */
export const unifiedDiff = (
  before: string,
  after: string,
  names: readonly [string, string],
): string => {
  const [a, b] = [linesOf(before), linesOf(after)]
  const groups: Hunk[][] = []
  for (const hunk of diffTokens(a, b)) {
    const last = groups.at(-1)
    if (last !== undefined && hunk.a0 - last.at(-1)!.a1 <= 2 * CONTEXT) last.push(hunk)
    else groups.push([hunk])
  }
  if (groups.length === 0) return ''

  const out = [`--- ${names[0]}`, `+++ ${names[1]}`]
  for (const group of groups) {
    const [first, last] = [group[0]!, group.at(-1)!]
    const lead = Math.min(CONTEXT, first.a0)
    const tail = Math.min(CONTEXT, a.length - last.a1)
    const [a0, a1] = [first.a0 - lead, last.a1 + tail]
    const [b0, b1] = [first.b0 - lead, last.b1 + tail]
    out.push(`@@ -${rangeOf(a0, a1 - a0)} +${rangeOf(b0, b1 - b0)} @@`)
    let at = a0
    for (const hunk of group) {
      out.push(...a.slice(at, hunk.a0).map((line) => ` ${line}`))
      out.push(...a.slice(hunk.a0, hunk.a1).map((line) => `-${line}`))
      out.push(...b.slice(hunk.b0, hunk.b1).map((line) => `+${line}`))
      at = hunk.a1
    }
    out.push(...a.slice(at, a1).map((line) => ` ${line}`))
  }
  return `${out.join('\n')}\n`
}
