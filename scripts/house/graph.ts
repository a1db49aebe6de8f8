import { dirname } from 'node:path'
import type { Import } from './sources.ts'

/** From one folder to another, with the imports that make it. */
export interface Arrow {
  from: string
  to: string
  imports: Import[]
}

/** The imports between folders, one arrow for each pair. */
export const arrowsOf = (imports: readonly Import[]): Arrow[] => {
  const arrows = new Map<string, Arrow>()
  for (const one of imports) {
    const [from, to] = [dirname(one.from), dirname(one.to)]
    if (from === to) continue
    const key = `${from} ${to}`
    const arrow = arrows.get(key) ?? { from, to, imports: [] }
    arrow.imports.push(one)
    arrows.set(key, arrow)
  }
  return [...arrows.values()]
}

/** Arrows to a folder that stands later in `order`, lowest first. */
export const backUp = (arrows: readonly Arrow[], order: readonly string[]): Arrow[] => {
  const rank = new Map(order.map((folder, index) => [folder, index]))
  return arrows.filter(({ from, to }) => (rank.get(to) ?? 0) > (rank.get(from) ?? 0))
}

/**
 * An order of the folders with few arrows back up: the greedy heuristic of Eades, Lin and Smyth for the feedback arc set
 * (1993), for trees that have no list of floors.
 */
export const greedyOrder = (arrows: readonly Arrow[]): string[] => {
  const left = new Set(arrows.flatMap(({ from, to }) => [from, to]))
  const low: string[] = []
  const high: string[] = []
  const out = (folder: string) =>
    arrows.filter(({ from, to }) => from === folder && left.has(to)).length
  const into = (folder: string) =>
    arrows.filter(({ from, to }) => to === folder && left.has(from)).length
  while (left.size > 0) {
    const folders = [...left]
    const sink = folders.find((folder) => out(folder) === 0)
    const source = sink === undefined ? folders.find((folder) => into(folder) === 0) : undefined
    const next = sink ?? source ?? folders.sort((a, b) => into(b) - out(b) - (into(a) - out(a)))[0]!
    left.delete(next)
    if (source !== undefined) high.unshift(next)
    else low.push(next)
  }
  return [...low, ...high]
}

/** Groups of names that reach each other, by Tarjan's strongly connected components (1972). */
export const circlesOf = (edges: readonly (readonly [string, string])[]): string[][] => {
  const next = new Map<string, string[]>()
  for (const [from, to] of edges) next.set(from, [...(next.get(from) ?? []), to])
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const circles: string[][] = []
  const visit = (name: string): void => {
    index.set(name, index.size)
    low.set(name, index.get(name)!)
    stack.push(name)
    for (const to of next.get(name) ?? []) {
      if (!index.has(to)) visit(to)
      else if (!stack.includes(to)) continue
      low.set(name, Math.min(low.get(name)!, low.get(to)!))
    }
    if (low.get(name) !== index.get(name)) return
    const circle = stack.splice(stack.indexOf(name))
    if (circle.length > 1) circles.push(circle)
  }
  for (const name of next.keys()) if (!index.has(name)) visit(name)
  return circles
}
