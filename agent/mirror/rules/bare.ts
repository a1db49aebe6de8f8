import { lstatSync } from 'node:fs'
import { UNSEEN } from './paths.ts'

const plain = (name: string): string => name.replace(UNSEEN, '').toLowerCase()

/**
 * True if git takes a folder for a repository, whose settings can run programs: it has HEAD, and
 * objects and refs or references to them. `at` returns an entry's path; `coming`: an entry that is
 * about to be created.
 */
export const isBare = (at: (name: string) => string, coming = ''): boolean => {
  const next = plain(coming)
  const has = (name: string): boolean =>
    next === name.toLowerCase() || lstatSync(at(name), { throwIfNoEntry: false }) !== undefined
  return has('HEAD') && ((has('objects') && has('refs')) || has('commondir'))
}

export const BARE = 'its folder is, or would become, a bare git repository'
