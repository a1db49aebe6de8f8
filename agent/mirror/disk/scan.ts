import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { guardOf, isIncluded } from '../rules/guarded.ts'
import {
  EXCLUDE,
  type Ignored,
  inFolder,
  isOwn,
  RULE_FILES,
  type RuleTexts,
} from '../rules/ignored.ts'
import { isTemp } from '../rules/paths.ts'
import { excludesOf, outerRules } from '../rules/repository.ts'
import { RULE_SOURCES, ruleStamp } from '../rules/rule-stamp.ts'
import type { Folder } from './folder.ts'
import { mountsBelow, REPOSITORY } from './roots.ts'
import { type HeldFolder, Obstacle, whyOf } from './way.ts'

/** A killed mirror left a temporary file of this age behind (ms). */
const STALE_TEMP_MS = 60_000
/** A larger rule file is not read (bytes), as it is compiled into patterns. */
const MAX_RULES_BYTES = 256 * 1024

/** A file at the time its folder was listed. */
export interface Listed {
  bytes: number
  /** Changes whenever the file changes. */
  stamp: string
}

export interface Scan {
  /** Files that may be mirrored, by path, in order. */
  files: Map<string, Listed>
  /** Other paths, each with the cause. */
  others: Map<string, string>
  rules: RuleTexts
  /** Folders with unreadable rules, each with the cause; their files may be ignored ones. */
  unreadable: Map<string, string>
  /**
   * Mounts and repositories, each with its id: they may disappear with all their files although
   * nobody removed these.
   */
  roots: Map<string, string>
  /** Stamp of the rule files that were read, by the folder that has them. */
  ruleStamps: Map<string, string>
  /** Folders in which a ClawLink server or agent keeps its data. */
  homes: string[]
}

/**
 * Lists everything below a folder. `judge` turns rules into a test for ignored paths; the scan adds
 * rules to it on its way.
 */
export const scanFolder = (
  folder: Folder,
  include: readonly string[],
  judge: (rules: RuleTexts) => Ignored,
): Scan => {
  const rules = new Map<string, string>()
  const found: Scan = {
    files: new Map(),
    others: new Map(),
    rules,
    unreadable: new Map(),
    roots: mountsBelow(folder.path),
    ruleStamps: new Map(),
    homes: [],
  }
  const readRules = (at: string, name: string, read: () => ReadonlyMap<string, string>): void => {
    try {
      for (const [key, text] of read()) rules.set(key, text)
    } catch (error) {
      found.unreadable.set(at, `${name} cannot be read (${whyOf(error)})`)
    }
  }
  const stampRules = (at: string): void => {
    const stamp = ruleStamp(folder.path, at)
    if (stamp !== '') found.ruleStamps.set(at, stamp)
  }
  stampRules('')
  readRules('', 'a rule file around it', () => outerRules(folder.path))
  const ignored = judge(rules)
  const files: [string, Listed][] = []
  const folders = ['']
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    const entries = list(folder, at, found)
    const names = new Set(entries.map(({ name }) => name))
    const home = homeIn(names)
    if (home !== null) {
      found.homes.push(at)
      found.others.set(at, home)
      continue
    }
    if (at !== '' && RULE_SOURCES.some((name) => names.has(name))) stampRules(at)
    for (const name of RULE_FILES.filter((one) => names.has(one))) {
      const rel = inFolder(at, name)
      readRules(at, name, () => new Map([[rel, textOf(folder, rel)]]))
    }
    if (names.has('.git')) {
      if (at !== '' && !found.roots.has(at)) found.roots.set(at, REPOSITORY)
      readRules(at, "git's excludes", () => {
        const text = excludesOf(join(folder.path, at))
        return new Map(text === null ? [] : [[inFolder(at, EXCLUDE), text]])
      })
    }
    for (const { name, isFolder, listed } of entries) {
      const rel = inFolder(at, name)
      if (isOwn(rel, folder.without) || ignored(rel, isFolder)) continue
      const guard = isIncluded(include, rel, isFolder) ? null : guardOf(rel)
      if (guard !== null) found.others.set(rel, guard)
      else if (isFolder) folders.push(rel)
      else if (typeof listed === 'string') found.others.set(rel, listed)
      else files.push([rel, listed])
    }
  }
  found.files = new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)))
  return found
}

interface Entry {
  name: string
  isFolder: boolean
  /** A string is the cause why the path is not mirrored. */
  listed: Listed | string
}

const list = (folder: Folder, at: string, found: Scan): Entry[] => {
  try {
    const held = folder.enter(at)
    if (held === null) return [] // it went while it was looked at
    try {
      return readdirSync(held.path).flatMap((name) => {
        if (isTemp(name)) sweep(held, name)
        return entryOf(held, name) ?? []
      })
    } finally {
      held.close()
    }
  } catch (error) {
    found.others.set(at, whyOf(error))
    return []
  }
}

const entryOf = (held: HeldFolder, name: string): Entry | null => {
  try {
    const stats = lstatSync(held.at(name), { throwIfNoEntry: false })
    if (stats === undefined) {
      const isOdd = name.includes('\ufffd') // what Node puts for bytes that are not UTF-8
      return isOdd ? { name, isFolder: false, listed: 'its name is not UTF-8' } : null
    }
    const { ino, size, mtimeMs, ctimeMs } = stats
    const listed = stats.isFile()
      ? { bytes: size, stamp: `${ino}.${size}.${mtimeMs}.${ctimeMs}` }
      : stats.isSymbolicLink()
        ? 'it is a symbolic link'
        : 'it is not a file'
    return { name, isFolder: stats.isDirectory(), listed }
  } catch (error) {
    return { name, isFolder: false, listed: whyOf(error) }
  }
}

/** The program whose data is in a folder with these entries; null if none. */
const homeIn = (names: ReadonlySet<string>): string | null => {
  if (names.has('CURRENT') && (names.has('owner.json') || names.has('newest-record')))
    return 'a ClawLink server keeps its data there'
  const isAgents =
    names.has('agent_state.json') || (names.has('identity.json') && names.has('credentials'))
  return isAgents ? 'ClawLink keeps credentials of an agent there' : null
}

const textOf = (folder: Folder, rel: string): string => {
  const seen = folder.look(rel)
  if (seen.kind === 'other') throw new Obstacle(seen.why)
  if (seen.kind !== 'text') throw new Obstacle('it is being written')
  if (Buffer.byteLength(seen.text) > MAX_RULES_BYTES)
    throw new Obstacle(`it is over the limit of ${MAX_RULES_BYTES} bytes`)
  return seen.text
}

const sweep = (held: HeldFolder, temp: string): void => {
  try {
    const stats = lstatSync(held.at(temp), { throwIfNoEntry: false })
    if (stats?.isFile() && Date.now() - stats.mtimeMs > STALE_TEMP_MS) rmSync(held.at(temp))
  } catch {
    // The file is gone or cannot be removed; it is never mirrored.
  }
}
