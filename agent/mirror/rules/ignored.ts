import ignore, { type Ignore } from 'ignore'
import { folderOf, isGit, isTemp } from './paths.ts'

/** Files of ignore rules, in .gitignore's syntax, for the folder that they are in; later ones win. */
export const RULE_FILES: readonly string[] = ['.gitignore', '.clawlinkignore']

/** The name, in the folder of a repository, of what git asks after all rule files: info/exclude and core.excludesFile. */
export const EXCLUDE = '\0exclude'
/** Begins the names of rules of folders around the mirror's; what follows is the path from there to the mirror. */
export const OUTER = '\0outer:'

/** Ignore rules, each under the path of its file, those that are not in such a file under EXCLUDE and OUTER. */
export type RuleTexts = ReadonlyMap<string, string>

/** True if the mirror ignores a path below its folder. */
export type Ignored = (rel: string, isFolder?: boolean) => boolean

export const inFolder = (folder: string, name: string): string =>
  folder === '' ? name : `${folder}/${name}`

/**
 * Paths that are ignored without any rule: `.git`, the mirror's own temporary files, and the folder
 * `without`.
 */
export const isOwn = (rel: string, without: string | null): boolean =>
  isGit(rel) ||
  isTemp(rel) ||
  (without !== null && (rel === without || rel.startsWith(`${without}/`)))

/**
 * The verdict of ignore rules, as git reads them: the deepest folder with a rule for a path
 * decides, and everything below an ignored folder is ignored. The rules of a folder may be added
 * until a path below it is tested.
 */
export const ignoredBy = (rules: RuleTexts, foldsCase: boolean): Ignored => {
  const compiled = new Map<string, Ignore | null>()
  const known = new Map<string, boolean>()

  const of = (texts: readonly string[]): Ignore => {
    const all = ignore({ ignorecase: foldsCase, allowRelativePaths: true })
    for (const text of texts) all.add(text)
    return all
  }
  const compile = (folder: string, names: readonly string[]): Ignore | null => {
    const key = inFolder(folder, names[0]!)
    const done = compiled.get(key)
    if (done !== undefined) return done
    const texts = names.flatMap((name) => rules.get(inFolder(folder, name)) ?? [])
    const made = texts.length === 0 ? null : of(texts)
    compiled.set(key, made)
    return made
  }
  let around: [string, Ignore][] | null = null
  /**
   * The rules of the folders around, the nearest first; rules that ignore the mirror's own folder
   * do not count.
   */
  const outer = (): [string, Ignore][] => {
    around ??= [...rules]
      .filter(([name]) => name.startsWith(OUTER))
      .map(([name, text]): [string, Ignore] => [name.slice(OUTER.length), of([text])])
      .filter(([way, all]) => !all.test(`${way}/`).ignored)
      .sort(([a], [b]) => a.length - b.length)
    return around
  }
  /** The verdict of the deepest rules that match; null if none match. */
  const verdict = (rel: string, isFolder: boolean, names: readonly string[]): boolean | null => {
    for (let folder = parentOf(rel); folder !== null; folder = parentOf(folder)) {
      const below = folder === '' ? rel : rel.slice(folder.length + 1)
      const said = compile(folder, names)?.test(isFolder ? `${below}/` : below)
      if (said?.ignored) return true
      if (said?.unignored) return false
    }
    return null
  }
  /** True if the rules allow this path and ignore none of its folders. */
  const isNamed = (rel: string, isFolder: boolean): boolean => {
    const said = verdict(rel, isFolder, RULE_FILES)
    if (said !== null) return said
    const last = verdict(rel, isFolder, [EXCLUDE])
    if (last !== null) return last
    for (const [way, all] of outer()) {
      const { ignored, unignored } = all.test(`${way}/${rel}${isFolder ? '/' : ''}`)
      if (ignored || unignored) return ignored
    }
    return false
  }
  const isIgnoredFolder = (folder: string): boolean => {
    let is = known.get(folder)
    if (is === undefined) {
      const parent = folderOf(folder)
      is = (parent !== '' && isIgnoredFolder(parent)) || isNamed(folder, true)
      known.set(folder, is)
    }
    return is
  }
  return (rel, isFolder = false) => {
    if (rel === '' || rules.size === 0) return false
    if (isFolder) return isIgnoredFolder(rel)
    const parent = folderOf(rel)
    return (parent !== '' && isIgnoredFolder(parent)) || isNamed(rel, false)
  }
}

/** The folder that a path is in; that of the mirror's own folder is null. */
const parentOf = (rel: string): string | null => (rel === '' ? null : folderOf(rel))
