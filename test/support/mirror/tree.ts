import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files below a folder, by path with / between its parts; what mirrors do not carry is left out. */
export const treeOf = (dir: string): Map<string, string> => {
  const tree = new Map<string, string>()
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(dir, folder), { withFileTypes: true })) {
      const rel = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.name === '.git' || entry.name.endsWith('.tmp')) continue
      if (entry.isDirectory()) walk(rel)
      else if (entry.isFile()) tree.set(rel, readFileSync(join(dir, rel), 'utf8'))
    }
  }
  walk('')
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Where two trees differ; empty: nowhere. */
export const differences = (a: Map<string, string>, b: Map<string, string>): string[] =>
  [...new Set([...a.keys(), ...b.keys()])].filter((rel) => a.get(rel) !== b.get(rel))

/** As `treeOf`; null while files come and go. */
export const treeNow = (dir: string): Map<string, string> | null => {
  try {
    return treeOf(dir)
  } catch {
    return null
  }
}

/** Whether two folders have the same files. */
export const isSame = (a: string, b: string): boolean => {
  const [one, other] = [treeNow(a), treeNow(b)]
  return one !== null && other !== null && differences(one, other).length === 0
}

/** How often each marker is in a tree's files; markers are what `pattern` finds. */
export const markersIn = (tree: Map<string, string>, pattern = /<[a-z]+-\d+>/g) => {
  const counts = new Map<string, number>()
  for (const text of tree.values()) {
    for (const [marker] of text.matchAll(pattern)) counts.set(marker, (counts.get(marker) ?? 0) + 1)
  }
  return counts
}
