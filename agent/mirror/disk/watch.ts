import { statfsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { watch } from 'chokidar'
import type { Ignored } from '../rules/ignored.ts'

/** A new folder is listed again after this time (ms). */
const LISTED_AGAIN_MS = 1_000

/**
 * File systems that report no changes by other machines, by type number: NFS, SMB, 9p, FUSE,
 * VirtualBox, AFS, Parallels.
 */
const SILENT = new Set([
  0x6969, 0xff534d42, 0xfe534d42, 0x01021997, 0x65735546, 0x786f4256, 0x5346414f, 0x7c7c6673,
])

/** True if changes by other machines may go unreported in a folder. */
export const isSilent = (folder: string): boolean => {
  try {
    return process.platform === 'linux' && SILENT.has(statfsSync(folder).type >>> 0)
  } catch {
    return false
  }
}

/** Watches everything below a folder; symbolic links are not followed. */
export interface Watch {
  close: () => Promise<void>
}

/**
 * Calls `onPath` with each path below `folder` that may have changed. Resolves once everything is
 * watched. Reports may be late, repeated or wrong: a report only names a path to compare.
 */
export const watchFolder = async (
  folder: string,
  ignored: Ignored,
  onPath: (rel: string) => void,
  onError: (error: Error) => void,
): Promise<Watch> => {
  const relOf = (path: string) => relative(folder, path).split(sep).join('/')
  const watcher = watch(folder, {
    ignoreInitial: true,
    followSymlinks: false,
    // The mirror itself compares the result of an editor's save.
    atomic: false,
    ignorePermissionErrors: true,
    ignored: (path, stats) => {
      const rel = relOf(path)
      if (stats !== undefined) return ignored(rel, stats.isDirectory())
      return ignored(rel, true) && ignored(rel)
    },
  })
  const tell = (path: string): void => {
    const rel = relOf(path)
    if (!ignored(rel)) onPath(rel)
  }
  watcher.on('all', (_event, path) => tell(path))
  // chokidar lists a folder before it watches it: nothing reports a write in between.
  const timers = new Set<NodeJS.Timeout>()
  const listAgain = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []) // it went
    if (watcher.closed) return
    const watched = watcher.getWatched()
    for (const entry of entries) {
      const inner = join(path, entry.name)
      if (!entry.isDirectory()) tell(inner)
      else if (!Object.hasOwn(watched, inner)) watcher.add(inner)
    }
  }
  watcher.on('addDir', (path) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      void listAgain(path)
    }, LISTED_AGAIN_MS)
    timers.add(timer)
  })
  // If a file is replaced and then written to, chokidar may report one event; the system reports
  // both. `watched`: the file, or its folder.
  watcher.on('raw', (_event, name, details) => {
    const { watchedPath: watched } = details as { watchedPath: string }
    tell(watched)
    if (typeof name === 'string') tell(join(watched, name))
  })
  watcher.on('error', (error) => onError(error as Error))
  await new Promise<void>((resolve) => watcher.once('ready', resolve))
  return {
    close: () => {
      for (const timer of timers) clearTimeout(timer)
      return watcher.close()
    },
  }
}
