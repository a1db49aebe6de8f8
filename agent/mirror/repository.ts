import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { OUTER } from './ignored.ts'

/** What git may take to say what it is set to (ms). */
const GIT_MS = 2_000

/** A small file of git's or the user's; '': there is none. Throws what the file system throws. */
const readOr = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return ''
    throw error
  }
}

/** Where git keeps what belongs to a repository, and to all work trees of it; null: `folder` is none. */
const gitDirsOf = (folder: string): { own: string; common: string } | null => {
  const git = join(folder, '.git')
  const stats = lstatSync(git, { throwIfNoEntry: false })
  if (stats === undefined) return null
  const own = stats.isFile()
    ? resolve(
        folder,
        readOr(git)
          .replace(/^gitdir: */, '')
          .trim(),
      )
    : git
  const common = readOr(join(own, 'commondir')).trim()
  return { own, common: common === '' ? own : resolve(own, common) }
}

/** Asks git itself: settings have includes and conditions. Null: it has no answer, or there is no git here. */
export const askGit = (folder: string, ...args: string[]): string | null => {
  try {
    return execFileSync('git', args, {
      cwd: folder,
      timeout: GIT_MS,
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0' },
    }).toString()
  } catch {
    return null
  }
}

/** For so long is known what core.excludesFile of a repository is (ms): asking git starts a process. */
const SETTING_MS = 60_000
const settings = new Map<string, { file: string; at: number }>()

const excludesFileOf = (folder: string): string => {
  const known = settings.get(folder)
  if (known !== undefined && Date.now() - known.at < SETTING_MS) return known.file
  const set = askGit(folder, 'config', '--type=path', '--get', 'core.excludesFile')?.trim()
  const config = process.env.XDG_CONFIG_HOME || join(homedir(), '.config')
  const file = set ? resolve(folder, set) : join(config, 'git', 'ignore')
  settings.set(folder, { file, at: Date.now() })
  return file
}

/**
 * What a repository ignores besides its .gitignore files: core.excludesFile, then info/exclude, which has the last word.
 * Null: `folder` is not a repository. Throws what the file system throws where one of them cannot be read.
 */
export const excludesOf = (folder: string): string | null => {
  const dirs = gitDirsOf(folder)
  if (dirs === null) return null
  return `${readOr(excludesFileOf(folder))}\n${readOr(join(dirs.common, 'info', 'exclude'))}`
}

/** The rules of the repository that a folder is inside of, by names that begin with OUTER. */
export const outerRules = (folder: string): Map<string, string> => {
  const rules = new Map<string, string>()
  if (gitDirsOf(folder) !== null) return rules // it is one itself
  for (let at = dirname(folder); ; at = dirname(at)) {
    const excludes = excludesOf(at)
    const way = relative(at, folder).split(sep).join('/')
    const own = readOr(join(at, '.gitignore'))
    if (excludes !== null) {
      rules.set(OUTER + way, `${excludes}\n${own}`)
      return rules
    }
    rules.set(OUTER + way, own)
    if (at === dirname(at)) return new Map() // it is in none
  }
}

/** The paths below a folder that a sparse checkout of its repository leaves out; empty: all are to be there. */
export const sparsePaths = (folder: string): Set<string> => {
  if (!isSparse(folder)) return new Set()
  const listed = askGit(folder, 'ls-files', '-t', '-z') ?? ''
  const left = listed.split('\0').filter((line) => line.startsWith('S '))
  return new Set(left.map((line) => line.slice(2)))
}

const isSparse = (folder: string): boolean => {
  for (let at = folder; ; at = dirname(at)) {
    const dirs = gitDirsOf(at)
    if (dirs !== null) return existsSync(join(dirs.own, 'info', 'sparse-checkout'))
    if (at === dirname(at)) return false
  }
}
