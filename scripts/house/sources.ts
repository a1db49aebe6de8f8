import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { type Comment, type Program, parseSync } from 'oxc-parser'

/** An import of one of our files by another. */
export interface Import {
  from: string
  to: string
  /** Erased when the program is built. */
  type: boolean
}

export interface Source {
  /** Path from the root. */
  file: string
  text: string
  program: Program
  comments: readonly Comment[]
}

/** Folders at the top that hold the programs. */
export const TOPS = ['protocol', 'lib', 'workspace', 'client', 'sync-server', 'agent', 'tui', 'web']

const filesIn = (root: string, folder: string): string[] => {
  try {
    return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => join(folder, name))
      .sort()
  } catch {
    return []
  }
}

export const readSource = (file: string, text: string): Source => {
  const { program, comments, errors } = parseSync(file, text)
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]!.message}`)
  return { file, text, program, comments }
}

/** All TypeScript files of the programs. Throws where one cannot be parsed. */
export const readSources = (root: string, tops: readonly string[] = TOPS): Source[] =>
  tops
    .flatMap((top) => filesIn(root, top))
    .map((file) => readSource(file, readFileSync(join(root, file), 'utf8')))

const DOCUMENTS = ['.', 'docs', 'docs/decisions', 'skills/clawlink', 'skills/clawlink/references']

/** The documents by path, without the changelog: what was released stays as it was written. */
export const documentsIn = (root: string): Record<string, string> => {
  const names = DOCUMENTS.flatMap((folder) => {
    try {
      return readdirSync(join(root, folder)).map((name) => join(folder, name))
    } catch {
      return []
    }
  }).filter((name) => name.endsWith('.md') && !name.endsWith('CHANGELOG.md'))
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(root, name), 'utf8')]))
}

/** A node of the syntax tree, as far as a walk needs it. */
export interface Node {
  type: string
  start: number
  end: number
  [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string'

/** Calls `visit` on each node of a tree, parents first. */
export const walk = (node: Node, visit: (node: Node, parent: Node | null) => void): void => {
  const into = (one: Node, parent: Node | null): void => {
    visit(one, parent)
    for (const value of Object.values(one)) {
      if (Array.isArray(value)) for (const item of value) isNode(item) && into(item, one)
      else if (isNode(value)) into(value, one)
    }
  }
  into(node, null)
}

const isTypeOnly = (node: Node): boolean => {
  if (node.importKind === 'type' || node.exportKind === 'type') return true
  const names = node.specifiers as readonly Node[] | undefined
  return (
    names !== undefined &&
    names.length > 0 &&
    names.every((name) => name.importKind === 'type' || name.exportKind === 'type')
  )
}

/** What a file imports of ours, dynamic imports and re-exports included. */
export const importsOf = ({ file, program }: Source): Import[] => {
  const found: Import[] = []
  walk(program as unknown as Node, (node) => {
    const source = node.source as { value?: unknown } | null | undefined
    const path = source?.value
    if (typeof path !== 'string' || !path.startsWith('.')) return
    found.push({ from: file, to: normalize(join(dirname(file), path)), type: isTypeOnly(node) })
  })
  return found
}

/** Packages that a file imports, Node's own with their prefix. */
export const packagesOf = ({ program }: Source): string[] => {
  const found: string[] = []
  walk(program as unknown as Node, (node) => {
    const path = (node.source as { value?: unknown } | null | undefined)?.value
    if (typeof path === 'string' && !path.startsWith('.')) found.push(path)
  })
  return found
}
