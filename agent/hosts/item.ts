import {
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { writeLocal } from '../../lib/disk/local-write.ts'
import type { HostFile, HostFiles } from './plugin.ts'
import { RECORD, type RecordedItem, sha256 } from './record.ts'

/** A folder or a single file of ClawLink's own; a file has one entry, with an empty path. */
export interface Item {
  path: string
  files: HostFiles
}

export const fileItem = (path: string, file: HostFile): Item => ({ path, files: { '': file } })
export const isSingle = (files: object): boolean => Object.hasOwn(files, '')
export const hashesOf = (files: HostFiles): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([path, { text }]) => [path, sha256(text)]))

export const isThere = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false }) !== undefined

/** SHA-256 of a regular file; null: there is none, or something else. */
const hashAt = (path: string): string | null =>
  lstatSync(path, { throwIfNoEntry: false })?.isFile() ? sha256(readFileSync(path)) : null

/** The files of an item on disk, compared with the record. */
export interface ItemState {
  changed: string[]
  missing: string[]
  /** Files that are not in the record, by path inside. */
  extra: string[]
}

export const stateOf = ({ path, files }: RecordedItem): ItemState => {
  const state: ItemState = { changed: [], missing: [], extra: [] }
  for (const [name, hash] of Object.entries(files)) {
    const at = join(path, name)
    if (!isThere(at)) state.missing.push(at)
    else if (hashAt(at) !== hash) state.changed.push(at)
  }
  if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return state
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue
    const name = join(entry.parentPath, entry.name).slice(path.length + 1)
    if (!Object.hasOwn(files, name) && name !== RECORD) state.extra.push(name)
  }
  return state
}

const besides = (path: string, what: 'new' | 'old'): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}.${what}.tmp`)

const WRITTEN = /^\.clawlink(?:\.js)?\.\d+\.(?:new|old)\.tmp$/

/** Removes the files that an interrupted installation has left beside the item. */
export const sweep = (path: string): void => {
  let names: string[] = []
  try {
    names = readdirSync(dirname(path))
  } catch {
    return // the folder is not there
  }
  for (const name of names) {
    if (WRITTEN.test(name)) rmSync(join(dirname(path), name), { recursive: true, force: true })
  }
}

/**
 * Makes a folder and those above it, and returns the ones that were made, outermost first. Throws the error of the file
 * system: Node's own `recursive` reports ENOENT for one that is read-only.
 */
export const makeFolders = (dir: string): string[] => {
  const missing: string[] = []
  for (let at = dir; !isThere(at); at = dirname(at)) missing.unshift(at)
  const made: string[] = []
  try {
    for (const one of missing) {
      mkdirSync(one)
      made.push(one)
    }
  } catch (error) {
    removeEmpty(made)
    throw error
  }
  return made
}

/** Removes folders that are empty, innermost first; others stay. */
export const removeEmpty = (dirs: readonly string[]): void => {
  for (const dir of [...dirs].reverse()) {
    try {
      rmdirSync(dir)
    } catch {
      // Something else is in it, or it is gone.
    }
  }
}

/**
 * Writes an item beside its place. `extra`: files in its place that are not in the record, which it takes along.
 * Returns what puts it there; that returns what puts back the former one and what removes that for good.
 */
export const stage = (
  { path, files }: Item,
  extra: readonly string[],
): { drop: () => void; put: () => { undo: () => void; settle: () => void } } => {
  const [fresh, old] = [besides(path, 'new'), besides(path, 'old')]
  const drop = () => rmSync(fresh, { recursive: true, force: true })
  try {
    for (const [name, { text, isProgram }] of Object.entries(files)) {
      const at = join(fresh, name)
      makeFolders(dirname(at))
      // The record may hold a copy of the host's settings.
      writeLocal(at, text, isProgram ? 0o755 : name === RECORD ? 0o600 : 0o644)
    }
    // The former folder goes, and these are not ClawLink's to remove.
    for (const name of extra) cpSync(join(path, name), join(fresh, name), { recursive: true })
  } catch (error) {
    drop()
    throw error
  }
  const put = () => {
    const wasThere = isThere(path)
    if (wasThere) renameSync(path, old)
    try {
      renameSync(fresh, path)
    } catch (error) {
      if (wasThere) renameSync(old, path)
      throw error
    }
    const undo = () => {
      rmSync(path, { recursive: true, force: true })
      if (wasThere) renameSync(old, path)
    }
    return { undo, settle: () => rmSync(old, { recursive: true, force: true }) }
  }
  return { drop, put }
}

/** Removes the files of an item that are unchanged; returns the paths of changed and added ones, which stay. */
export const remove = (recorded: RecordedItem): string[] => {
  const { path, files } = recorded
  const { changed, extra } = stateOf(recorded)
  const added = extra.map((name) => join(path, name))
  if (changed.length === 0 && added.length === 0) {
    if (!isThere(path)) return []
    const old = besides(path, 'old')
    renameSync(path, old)
    rmSync(old, { recursive: true, force: true })
    return []
  }
  for (const name of [...Object.keys(files), RECORD]) {
    const at = join(path, name)
    if (!changed.includes(at)) rmSync(at, { force: true })
  }
  removeEmpty(foldersOf(path, Object.keys(files)))
  return [...changed, ...added]
}

/** An item's folders, outermost first. */
const foldersOf = (path: string, names: readonly string[]): string[] => {
  const dirs = new Set([path])
  for (const name of names) {
    const parts = name.split('/').slice(0, -1)
    for (let most = 1; most <= parts.length; most++) dirs.add(join(path, ...parts.slice(0, most)))
  }
  return [...dirs].sort((a, b) => a.length - b.length)
}
