import { statSync } from 'node:fs'

/**
 * root becomes the user whose folder `data` is, before a command opens it: the files that LevelDB makes there as it opens
 * would be root's, and the server might not be able to read them any more.
 */
export const becomeOwnerOf = (data: string): void => {
  if (process.getuid?.() !== 0) return
  const found = statSync(data, { throwIfNoEntry: false })
  if (found === undefined || found.uid === 0) return
  process.setgroups!([found.gid])
  process.setgid!(found.gid)
  process.setuid!(found.uid)
}
