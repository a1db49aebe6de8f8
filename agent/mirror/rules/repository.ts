import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs'
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

/** Whether a folder is the top of a repository. */
export const isRepository = (folder: string): boolean =>
  lstatSync(join(folder, '.git'), { throwIfNoEntry: false }) !== undefined

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

/** For so long is known what core.excludesFile of a repository is (ms), unless its settings change: asking git starts a process. */
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

/** The files that a repository's core.excludesFile and info/exclude are; the last has the last word. */
export const excludeFilesOf = (folder: string): string[] => {
  const dirs = gitDirsOf(folder)
  if (dirs === null) return []
  return [excludesFileOf(folder, dirs.common), join(dirs.common, 'info', 'exclude')]
}

/**
 * What a repository ignores besides its .gitignore files. Null: `folder` is not a repository. Throws what the file system
 * throws where one of them cannot be read.
 */
export const excludesOf = (folder: string): string | null =>
  isRepository(folder) ? excludeFilesOf(folder).map(readOr).join('\n') : null

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

/** A lock of git's this old was left behind (ms). */
const STALE_LOCK_MS = 60_000

/** The repository that a folder is, or is inside of; null: it is in none. */
const dirsAround = (folder: string): ReturnType<typeof gitDirsOf> => {
  for (let at = folder; ; at = dirname(at)) {
    const dirs = gitDirsOf(at)
    if (dirs !== null || at === dirname(at)) return dirs
  }
}

/** Whether git is changing the work tree that a folder is in: then what is gone may be on its way. */
export const isGitBusy = (folder: string): boolean => {
  const own = dirsAround(folder)?.own
  if (own === undefined) return false
  return ['index.lock', 'rebase-merge', 'rebase-apply'].some(
    (name) => Date.now() - modified(join(own, name)) < STALE_LOCK_MS,
  )
}

/** What a sparse checkout leaves out, by folder, as it was at a `stamp`. */
const sparse = new Map<string, { stamp: string; paths: Set<string> }>()

/** The paths below a folder that a sparse checkout of its repository leaves out; empty: all are to be there. */
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
