import { join, relative, sep } from 'node:path'
import { watch } from 'chokidar'
import type { Ignored } from './ignored.ts'

/** Watches what is below a folder; links are not followed. */
export interface Watch {
  close: () => Promise<void>
}

/**
 * Calls `onPath` with each path below `folder` that may have changed; resolves once everything is watched. What is
 * told may be late, come twice or be nothing: it says where to look, no more.
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
    // Editors' ways of saving are the mirror's business: it looks at what has come of them.
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
  // Of a file that was replaced and then written to chokidar may tell one, the system tells both. `watched` is the file
  // or the folder that it is in.
  watcher.on('raw', (_event, name, details) => {
    const { watchedPath: watched } = details as { watchedPath: string }
    tell(watched)
    if (typeof name === 'string') tell(join(watched, name))
  })
  watcher.on('error', (error) => onError(error as Error))
  await new Promise<void>((resolve) => watcher.once('ready', resolve))
  return { close: () => watcher.close() }
}
