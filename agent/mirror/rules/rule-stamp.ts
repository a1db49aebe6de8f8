import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { RULE_FILES } from './ignored.ts'
import { excludeFilesOf, isRepository } from './repository.ts'

/** Entries of a folder that hold its ignore rules. */
export const RULE_SOURCES: readonly string[] = [...RULE_FILES, '.git']

/** Another text whenever the file was changed; '': it is not there. */
const stampOf = (path: string): string => {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return ''
    return `${stats.ino}.${stats.size}.${stats.mtimeMs}.${stats.ctimeMs}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error'
  }
}

/**
 * Another text whenever the rules of a folder below `path` may have changed, those that git has elsewhere included; '': it
 * has none of its own. That of the mirror's own folder ('') is about the folders around it, too.
 */
export const ruleStamp = (path: string, at: string): string => {
  const folder = join(path, at)
  const stamps = RULE_FILES.map((name) => stampOf(join(folder, name)))
  if (isRepository(folder)) stamps.push('git', ...excludeFilesOf(folder).map(stampOf))
  else if (at === '') stamps.push(...stampsAround(folder))
  return stamps.every((stamp) => stamp === '') ? '' : stamps.join(' ')
}

/** Of the rules of the repository that a folder is inside of. */
const stampsAround = (folder: string): string[] => {
  const stamps: string[] = []
  for (let at = dirname(folder); ; at = dirname(at)) {
    stamps.push(stampOf(join(at, '.gitignore')))
    if (isRepository(at)) return [...stamps, ...excludeFilesOf(at).map(stampOf)]
    if (at === dirname(at)) return [] // it is in none
  }
}
