import { dirname } from 'node:path'
import { type Node, type Source, walk } from './sources.ts'

export interface Sized {
  /** FILE:LINE name */
  at: string
  lines: number
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])
const CLASSES = new Set(['ClassDeclaration', 'ClassExpression'])

const nameOf = (node: Node, parent: Node | null): string => {
  const id = (node.id ?? parent?.id ?? parent?.key) as { name?: string } | null | undefined
  return id?.name ?? ''
}

const linesOf = (text: string, { start, end }: Node): number =>
  text.slice(start, end).split('\n').length

const sized = (sources: readonly Source[], kinds: ReadonlySet<string>): Sized[] =>
  sources
    .flatMap(({ file, text, program }) => {
      const found: Sized[] = []
      walk(program as unknown as Node, (node, parent) => {
        if (!kinds.has(node.type)) return
        const line = text.slice(0, node.start).split('\n').length
        found.push({ at: `${file}:${line} ${nameOf(node, parent)}`, lines: linesOf(text, node) })
      })
      return found
    })
    .sort((a, b) => b.lines - a.lines)

/** Functions and methods, longest first. Lines of an inner function count for the outer one, too. */
export const functionsOf = (sources: readonly Source[]): Sized[] => sized(sources, FUNCTIONS)
export const classesOf = (sources: readonly Source[]): Sized[] => sized(sources, CLASSES)

export const filesOf = (sources: readonly Source[]): Sized[] =>
  sources
    .map(({ file, text }) => ({ at: file, lines: text.trimEnd().split('\n').length }))
    .sort((a, b) => b.lines - a.lines)

/** Files directly in each folder, most first. */
export const foldersOf = (sources: readonly Source[]): [folder: string, files: number][] => {
  const counts = new Map<string, number>()
  for (const { file } of sources) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

/** Names that more than one file exports. */
export const namesTwice = (sources: readonly Source[]): string[] => {
  const files = new Map<string, Set<string>>()
  for (const { file, text } of sources)
    for (const [, name] of text.matchAll(
      /^export (?:declare |abstract |async )?(?:const|let|function|class|interface|type) (\w+)/gm,
    ))
      files.set(name!, (files.get(name!) ?? new Set()).add(file))
  return [...files].filter(([, places]) => places.size > 1).map(([name]) => name)
}
