import { arrowsOf } from './graph.ts'
import { LAYERS } from './layers.ts'
import type { Import } from './sources.ts'

const topOf = (folder: string): string => folder.split('/')[0]!

/** Arrows without those that a path through other folders implies. */
const reduced = (arrows: ReadonlyMap<string, ReadonlySet<string>>): [string, string][] => {
  const reaches = (from: string, to: string): boolean =>
    [...(arrows.get(from) ?? [])].some((next) => next === to || reaches(next, to))
  return [...arrows].flatMap(([from, targets]) =>
    [...targets]
      .filter((to) => ![...targets].some((other) => other !== to && reaches(other, to)))
      .map((to): [string, string] => [from, to]),
  )
}

/**
 * The floor plan as a mermaid figure: the folders at the top with their rooms, lowest first, and the imports between
 * them, without those that others imply.
 */
export const floorPlan = (imports: readonly Import[]): string => {
  const tops = [...new Set(LAYERS.map(topOf))]
  const arrows = new Map<string, Set<string>>(tops.map((top) => [top, new Set()]))
  for (const { from, to } of arrowsOf(imports))
    if (topOf(from) !== topOf(to)) arrows.get(topOf(from))!.add(topOf(to))
  const label = (top: string): string => {
    const inside = LAYERS.filter((folder) => folder.startsWith(`${top}/`))
    const rooms = [...new Set(inside.map((folder) => folder.split('/')[1]!))]
    const lines: string[][] = []
    for (const [i, room] of rooms.entries()) {
      if (i % 5 === 0) lines.push([])
      lines.at(-1)!.push(room)
    }
    return [`<b>${top}</b>`, ...lines.map((line) => line.join(' · '))].join('<br>')
  }
  return [
    '```mermaid',
    'flowchart TD',
    ...[...tops].reverse().map((top) => `  ${top}["${label(top)}"]`),
    ...reduced(arrows)
      .sort(
        ([a, b], [c, d]) => tops.indexOf(c) - tops.indexOf(a) || tops.indexOf(d) - tops.indexOf(b),
      )
      .map(([from, to]) => `  ${from} --> ${to}`),
    '```',
  ].join('\n')
}
