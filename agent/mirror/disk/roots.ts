import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The kind of a repository in a folder: a submodule, a work tree or a clone. */
export const REPOSITORY = 'a repository'

/** File systems with a new device number at each mount. */
const IN_MEMORY = new Set(['tmpfs', 'ramfs'])

/** A path as /proc/self/mountinfo has it. */
const unquoted = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )

/** Mount points below `path`, each with an id of the mount; empty without /proc. */
export const mountsBelow = (path: string): Map<string, string> => {
  const mounts = new Map<string, string>()
  try {
    for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
      const [, , device, root, point, ...rest] = line.split(' ')
      const [type = '', source] = rest.slice(rest.indexOf('-') + 1)
      const at = unquoted(point ?? '')
      if (!at.startsWith(`${path}/`)) continue
      const from = IN_MEMORY.has(type) ? device : source
      mounts.set(at.slice(path.length + 1), `${from} ${root}`) // of several at one place the last is seen
    }
  } catch {
    // This system has no /proc.
  }
  return mounts
}

/**
 * Id of the mount or repository at a folder, which may disappear with all its files; '' if it is
 * neither.
 */
export const rootAt = (path: string, at: string, mounts: ReadonlyMap<string, string>): string =>
  mounts.get(at) ?? (existsSync(join(path, at, '.git')) ? REPOSITORY : '')
