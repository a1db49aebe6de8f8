import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { OUTER } from './ignored.ts'

/** Timeout of a call of git that reads a setting (ms). */
const GIT_MS = 2_000

/**
 * Reads a small file of git or the user; '' if it does not exist. Throws errors of the file system.
 */
const readOr = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return ''
    throw error
  }
}

/**
 * The folders in which git keeps the data of a work tree and of its repository; null if `folder` is
 * not a repository.
 */
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

/** True if a folder is the top of a repository. */
export const isRepository = (folder: string): boolean =>
  lstatSync(join(folder, '.git'), { throwIfNoEntry: false }) !== undefined

/**
 * Asks git for a setting, as settings have includes and conditions. Null if it is not set or git is
 * not installed.
 */
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

/**
 * A repository's core.excludesFile is cached for this time (ms) unless its settings change: a call
 * of git starts a process.
 */
const SETTING_MS = 60_000
const settings = new Map<string, { file: string; at: number; stamp: string }>()

const configHome = (): string => process.env.XDG_CONFIG_HOME || join(homedir(), '.config')

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

const excludesFileOf = (folder: string, common: string): string => {
  const known = settings.get(folder)
  const files = [
    join(common, 'config'),
    join(homedir(), '.gitconfig'),
    join(configHome(), 'git/config'),
  ]
  const stamp = files.map(modified).join(' ')
  if (known?.stamp === stamp && Date.now() - known.at < SETTING_MS) return known.file
  const set = askGit(folder, 'config', '--type=path', '--get', 'core.excludesFile')?.trim()
  const file = set ? resolve(folder, set) : join(configHome(), 'git', 'ignore')
  settings.set(folder, { file, at: Date.now(), stamp })
  return file
}

/** The paths of a repository's core.excludesFile and info/exclude; the last one wins. */
export const excludeFilesOf = (folder: string): string[] => {
  const dirs = gitDirsOf(folder)
  if (dirs === null) return []
  return [excludesFileOf(folder, dirs.common), join(dirs.common, 'info', 'exclude')]
}

/**
 * A repository's ignore rules outside its .gitignore files. Null if `folder` is not a repository.
 * Throws errors of the file system if one cannot be read.
 */
export const excludesOf = (folder: string): string | null =>
  isRepository(folder) ? excludeFilesOf(folder).map(readOr).join('\n') : null

/** The rules of the repository around a folder, under names that begin with OUTER. */
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

/** A crashed git left a lock of this age behind (ms). */
const STALE_LOCK_MS = 60_000

/** The repository that a folder is or is inside of; null if there is none. */
const dirsAround = (folder: string): ReturnType<typeof gitDirsOf> => {
  for (let at = folder; ; at = dirname(at)) {
    const dirs = gitDirsOf(at)
    if (dirs !== null || at === dirname(at)) return dirs
  }
}

/** True if git is changing the folder's work tree; missing files may come back then. */
export const isGitBusy = (folder: string): boolean => {
  const own = dirsAround(folder)?.own
  if (own === undefined) return false
  return ['index.lock', 'rebase-merge', 'rebase-apply'].some(
    (name) => Date.now() - modified(join(own, name)) < STALE_LOCK_MS,
  )
}

/** Paths that a sparse checkout leaves out, by folder, at a `stamp`. */
const sparse = new Map<string, { stamp: string; paths: Set<string> }>()

/**
 * The paths below a folder that a sparse checkout of its repository leaves out; empty if the
 * checkout is full.
 */
export const sparsePaths = (folder: string): ReadonlySet<string> => {
  const own = dirsAround(folder)?.own
  if (own === undefined || !existsSync(join(own, 'info', 'sparse-checkout'))) return new Set()
  const index = statSync(join(own, 'index'), { throwIfNoEntry: false })
  const stamp = `${own} ${index?.ino} ${index?.mtimeMs} ${index?.size}`
  const known = sparse.get(folder)
  if (known?.stamp === stamp) return known.paths
  const listed = askGit(folder, 'ls-files', '-t', '-z') ?? ''
  const left = listed.split('\0').filter((line) => line.startsWith('S '))
  const paths = new Set(left.map((line) => line.slice(2)))
  sparse.set(folder, { stamp, paths })
  return paths
}
