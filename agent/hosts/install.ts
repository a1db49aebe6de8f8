import { dirname, join, sep } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isConfigured, planConfig, planConfigRemoval } from './config.ts'
import { changed, taken } from './errors.ts'
import {
  hashesOf,
  type Item,
  isSingle,
  isThere,
  makeFolders,
  remove,
  removeEmpty,
  stage,
  stateOf,
  sweep,
} from './item.ts'
import type { Layout } from './layout.ts'
import { type InstallRecord, RECORD, readRecord, recordOf } from './record.ts'

export interface Installed {
  /** `unchanged`: all of it was there. */
  what: 'installed' | 'replaced' | 'unchanged'
  /** The paths that were or would be written. */
  paths: string[]
}

const pathsOf = ({ items, config }: Layout): string[] => [
  ...items.map(({ path, files }) => (isSingle(files) ? path : `${path}/`)),
  ...(config === undefined ? [] : [config.path]),
]

/** The files in each item's place that are not of the record. Throws `host_taken`, `host_changed`. */
const checkItems = (layout: Layout, before: InstallRecord | null): Map<string, string[]> => {
  const extras = new Map<string, string[]>()
  const edited: string[] = []
  for (const { path } of layout.items) {
    const recorded = before?.items.find((item) => item.path === path)
    if (recorded === undefined) {
      if (isThere(path)) throw taken(path)
      continue
    }
    const state = stateOf(recorded)
    edited.push(...state.changed)
    extras.set(path, state.extra)
  }
  if (edited.length > 0) throw changed(edited)
  return extras
}

const isCurrent = (layout: Layout, before: InstallRecord, version: string): boolean =>
  before.version === version &&
  layout.items.every(({ path, files }) => {
    const recorded = before.items.find((item) => item.path === path)
    if (recorded === undefined || !isDeepStrictEqual(recorded.files, hashesOf(files))) return false
    return stateOf(recorded).missing.length === 0
  })

/**
 * Writes what the layout says, all of it or nothing: everything is written beside its place first, then renamed. Throws
 * `host_taken`, `host_changed`, `host_config`, and what the file system throws.
 */
export const install = (layout: Layout, version: string, isDry: boolean): Installed => {
  const [main] = layout.items
  const before = ownRecord(layout)
  const extras = checkItems(layout, before)
  const config = layout.config && planConfig(layout.config, before?.config)
  const isSame = before !== null && isCurrent(layout, before, version) && !config?.isNeeded
  const paths = isSame ? [] : pathsOf(layout)
  const what = isSame ? 'unchanged' : before === null ? 'installed' : 'replaced'
  if (isSame || isDry) return { what, paths }

  const undos: (() => void)[] = []
  const settles: (() => void)[] = []
  try {
    const made: string[] = []
    undos.push(() => removeEmpty(made))
    for (const { path } of layout.items) {
      made.push(...makeFolders(dirname(path)))
      sweep(path)
    }
    const record = recordOf({
      version,
      items: layout.items.map(({ path, files }) => ({ path, files: hashesOf(files) })),
      made: [...new Set([...(before?.made ?? []), ...made])],
      ...(config && { config: config.record }),
    })
    const items = layout.items.map((item) => (item === main ? withRecord(item, record) : item))
    const staged = items.map((item) => {
      const one = stage(item, extras.get(item.path) ?? [])
      undos.push(one.drop)
      return one
    })
    for (const { put } of staged) {
      const { undo, settle } = put()
      undos.push(undo)
      settles.push(settle)
    }
    if (config?.isNeeded) config.write() // as a whole, or it throws
  } catch (error) {
    for (const undo of undos.reverse()) undo()
    throw error
  }
  for (const settle of settles) settle()
  return { what, paths }
}

const withRecord = (item: Item, record: InstallRecord): Item => ({
  path: item.path,
  files: { ...item.files, [RECORD]: { text: `${JSON.stringify(record, null, 2)}\n` } },
})

/**
 * The record's entries that are places of the layout. It names files to delete and anybody can write it, so others are
 * ignored.
 */
const ownRecord = (layout: Layout): InstallRecord | null => {
  const record = readRecord(layout.items[0].path)
  if (record === null) return null
  const places = layout.items.map(({ path }) => path)
  const { config, items, made, ...rest } = record
  return {
    ...rest,
    items: items.filter(({ path }) => places.includes(path)),
    made: made.filter((dir) => places.some((path) => path.startsWith(`${dir}${sep}`))),
    ...(config !== undefined && config.path === layout.config?.path && { config }),
  }
}

export interface Uninstalled {
  /** The paths that were or would be removed or changed; none: nothing is installed. */
  paths: string[]
  /** Files that stay in a folder of ClawLink, because somebody changed or added them. */
  left: string[]
}

/** Takes back what `install` wrote. Throws `host_config`, and what the file system throws. */
export const uninstall = (layout: Layout, isDry: boolean): Uninstalled => {
  const record = ownRecord(layout)
  if (record === null) return { paths: [], left: [] }
  const restore =
    layout.config && record.config ? planConfigRemoval(layout.config, record.config) : () => {}
  const paths = record.items.map(({ path }) => path)
  if (record.config) paths.push(record.config.path)
  if (isDry) return { paths, left: keptOf(record) }
  restore()
  // The folder with the record goes last: until then uninstall can be run again.
  const left = [...record.items].reverse().flatMap((item) => {
    sweep(item.path)
    return remove(item)
  })
  removeEmpty([...record.made].sort((a, b) => a.length - b.length))
  return { paths, left }
}

const keptOf = (record: InstallRecord): string[] =>
  record.items.flatMap((item) => {
    const { changed: edited, extra } = stateOf(item)
    return [...edited, ...extra.map((name) => join(item.path, name))]
  })

export interface InstallState {
  version: string
  changed: string[]
  missing: string[]
  /** False: the host's own file does not name the plugin. */
  isConfigured: boolean
}

/** The state of an installation; null without one. Throws `host_config`. */
export const installState = (layout: Layout): InstallState | null => {
  const record = ownRecord(layout)
  if (record === null) return null
  const states = record.items.map(stateOf)
  return {
    version: record.version,
    changed: states.flatMap((state) => state.changed),
    missing: states.flatMap((state) => state.missing),
    isConfigured: layout.config === undefined || isConfigured(layout.config),
  }
}
