import ignore, { type Ignore } from 'ignore'
import { isGit, isTemp } from './paths.ts'

/** Files of ignore rules, in .gitignore's syntax, for the folder that they are in; later ones win. */
export const RULE_FILES: readonly string[] = ['.gitignore', '.clawlinkignore']

/** Whether a path below the mirror's folder is none of the mirror's business. */
export type Ignored = (rel: string, isFolder?: boolean) => boolean

/**
 * What rules say, as git reads them: the deepest folder that has a rule for a path decides, and nothing below an ignored
 * folder is seen. `rules`: the texts of a folder's rule files, by its path; the mirror's own folder is ''. Always ignored
 * are `.git`, the mirror's own temporary files, and what is in the folder `without`.
 */
export const ignoredBy = (
  rules: ReadonlyMap<string, readonly string[]>,
  foldsCase: boolean,
  without: string | null = null,
): Ignored => {
  const folders = new Map<string, Ignore>()
  for (const [folder, texts] of rules) {
    const all = ignore({ ignorecase: foldsCase, allowRelativePaths: true })
    for (const text of texts) all.add(text)
    folders.set(folder, all)
  }
  const known = new Map<string, boolean>()

  /** Whether the rules single this path out, its folders being none that they ignore. */
  const isNamed = (rel: string, isFolder: boolean): boolean => {
    for (let folder = parentOf(rel); folder !== null; folder = parentOf(folder)) {
      const below = folder === '' ? rel : rel.slice(folder.length + 1)
      const said = folders.get(folder)?.test(isFolder ? `${below}/` : below)
      if (said?.ignored) return true
      if (said?.unignored) return false
    }
    return false
  }
  const isIgnoredFolder = (folder: string): boolean => {
    let is = known.get(folder)
    if (is === undefined) {
      const parent = parentOf(folder)
      is = (parent !== null && parent !== '' && isIgnoredFolder(parent)) || isNamed(folder, true)
      known.set(folder, is)
    }
    return is
  }
  return (rel, isFolder = false) => {
    if (rel === '') return false
    if (isGit(rel) || isTemp(rel)) return true
    if (without !== null && (rel === without || rel.startsWith(`${without}/`))) return true
    if (folders.size === 0) return false
    if (isFolder) return isIgnoredFolder(rel)
    const parent = parentOf(rel)
    return (parent !== null && parent !== '' && isIgnoredFolder(parent)) || isNamed(rel, false)
  }
}

/** The folder that a path is in; that of the mirror's own folder is null. */
const parentOf = (rel: string): string | null => {
  if (rel === '') return null
  const slash = rel.lastIndexOf('/')
  return slash === -1 ? '' : rel.slice(0, slash)
}
