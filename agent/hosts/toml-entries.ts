import { isDeepStrictEqual } from 'node:util'
import { parse, stringify, type TomlTable } from 'smol-toml'
import { badConfig, taken } from './errors.ts'

/** Tables of a shared TOML file by their path of keys, with what ClawLink writes into them. */
export type TomlEntries = readonly { at: readonly [string, string]; table: TomlTable }[]

const tableText = ({ at: [group, name], table }: TomlEntries[number]): string =>
  stringify({ [group]: { [name]: table } }).trimEnd()

const parsed = (path: string, text: string): TomlTable => {
  try {
    return parse(text, { integersAsBigInt: 'asNeeded' })
  } catch (error) {
    const [line] = (error as Error).message.split('\n')
    throw badConfig(path, `is not valid TOML (${line})`)
  }
}

const entryIn = (document: TomlTable, [group, name]: readonly [string, string]) => {
  const tables = document[group]
  const isTable = typeof tables === 'object' && tables !== null && !Array.isArray(tables)
  return isTable ? (tables as TomlTable)[name] : undefined
}

/** True if all entries are in the text. Throws `host_config`. */
export const hasEntries = (path: string, text: string, entries: TomlEntries): boolean => {
  const document = parsed(path, text)
  return entries.every(({ at, table }) =>
    isDeepStrictEqual({ ...(entryIn(document, at) as object) }, table),
  )
}

/** A text’s document without the entries. Throws `host_config`. */
const restOf = (path: string, text: string, entries: TomlEntries): TomlTable => {
  const rest = parsed(path, text)
  for (const {
    at: [group, name],
  } of entries) {
    const tables = rest[group] as TomlTable | undefined
    if (tables === undefined) continue
    delete tables[name]
    if (Object.keys(tables).length === 0) delete rest[group]
  }
  return rest
}

/**
 * The text with the entries at its end; everything else stays as it is, byte by byte. Throws `host_config` for a text that
 * is not TOML or takes no such table, `host_taken` where another entry has the name.
 */
export const withEntries = (path: string, text: string, entries: TomlEntries): string => {
  const document = parsed(path, text)
  for (const { at } of entries)
    if (entryIn(document, at) !== undefined) throw taken(`[${at.join('.')}] in ${path}`)
  const gap = text === '' || text.endsWith('\n\n') ? '' : text.endsWith('\n') ? '\n' : '\n\n'
  const added = `${text}${gap}${entries.map(tableText).join('\n\n')}\n`
  try {
    const rest = restOf(path, added, entries)
    if (isDeepStrictEqual(rest, restOf(path, text, entries))) return added
  } catch {
    // A key of the text is a value where a table is needed.
  }
  throw badConfig(path, `takes no table [${entries[0]!.at[0]}.…]`)
}

/** A line that begins a table. */
const HEADER = /^\s*\[/

/**
 * The text without the entries: their tables are cut from their header to the next one, wherever the host has moved
 * them; comments and blank lines before the next header stay. Throws `host_config` where that is not what is left.
 */
export const withoutEntries = (path: string, text: string, entries: TomlEntries): string => {
  const wanted = restOf(path, text, entries)
  const lines = text.split(/(?<=\n)/)
  for (const entry of entries) {
    const header = tableText(entry).split('\n')[0]!
    const start = lines.findIndex((line) => line.trim() === header)
    if (start < 0) continue
    const next = lines.findIndex((line, at) => at > start && HEADER.test(line))
    let end = next < 0 ? lines.length : next
    while (end > start + 1 && /^\s*(#.*)?\s*$/.test(lines[end - 1]!)) end--
    const before = start > 0 && lines[start - 1]!.trim() === '' ? 1 : 0
    lines.splice(start - before, end - start + before)
  }
  const left = lines.join('')
  const document = parsed(path, left)
  const isGone = entries.every(({ at }) => entryIn(document, at) === undefined)
  if (isGone && isDeepStrictEqual(restOf(path, left, entries), wanted)) return left
  throw badConfig(path, `has ${entries.map(({ at }) => at.join('.')).join(', ')} in another form`)
}
