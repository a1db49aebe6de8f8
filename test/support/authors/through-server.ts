import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../client.ts'
import type { Chance } from './writers.ts'

/** Asks the server as one agent; `error` is the code of a refusal. */
export type Ask = <T>(path: string, body?: object) => Promise<{ data: T; error: string | null }>

/** A place of a text that occurs once, of at most `length` units; null: the text there is not unique. */
const placeIn = (content: string, length: number, by: Chance): string | null => {
  const at = by.below(Math.max(1, content.length - length))
  const find = content.slice(at, at + length)
  return find === '' || content.indexOf(find) !== content.lastIndexOf(find) ? null : find
}

/** Letters in the place of at most three units in `find`. */
const changed = (find: string, letters: string, by: Chance): string => {
  const cut = by.below(find.length)
  return find.slice(0, cut) + letters + find.slice(cut + by.below(4))
}

/** Longest text that an edit finds (UTF-16 units). */
const FOUND = 30

/** Units of the lines that hold a part of `find`: as many letters an edit of whole lines can type again. */
const linesAround = (content: string, find: string): number => {
  const at = content.indexOf(find)
  const from = at === 0 ? 0 : content.lastIndexOf('\n', at - 1) + 1
  const end = content.indexOf('\n', at + find.length)
  return (end === -1 ? content.length : end) - from
}

/**
 * One edit over HTTP. Returns the units that it types, as many it may type again; null where others changed the place
 * first, which is no mistake.
 */
export const editOverHttp = async (
  ask: Ask,
  key: string,
  content: string,
  letter: string,
  by: Chance,
): Promise<number | null> => {
  const text = letter.repeat(1 + by.below(4))
  const find = placeIn(content, FOUND, by)
  const replace = find === null ? null : changed(find, text, by)
  const { error } = await (find === null
    ? ask('files/append', { key, text })
    : ask('files/edit', { key, find, replace }))
  if (error !== null) return null
  return find === null ? 0 : text.length
}

interface Suggested {
  suggestion: { suggestion_id: string; hunks: number }
}

/** Proposes a change of one or two places and accepts some of its hunks. Returns the units of its lines; null: nothing. */
export const suggestAndAccept = async (
  propose: Ask,
  judge: Ask,
  key: string,
  content: string,
  letter: string,
  by: Chance,
): Promise<number | null> => {
  const find = placeIn(content, FOUND, by)
  if (find === null) return null
  const replace = changed(find, letter.repeat(1 + by.below(4)), by)
  if (replace === find) return null
  const { data, error } = await propose<Suggested>('suggestions', { key, find, replace })
  if (error !== null) return null
  const { suggestion_id: id } = data.suggestion
  const accepted = await judge(`suggestions/${id}/accept`, {})
  if (accepted.error !== null) await judge(`suggestions/${id}/reject`, { reason: 'too late' })
  return accepted.error === null ? linesAround(content, find) : null
}

interface Undone {
  undo: string | null
}

/** Undoes by agent, task, time or an earlier undo. Returns the id of the undo; null: it changed nothing. */
export const undoSome = async (
  ask: Ask,
  key: string,
  {
    agents,
    tasks,
    undos,
  }: { agents: readonly string[]; tasks: readonly string[]; undos: readonly string[] },
  by: Chance,
): Promise<string | null> => {
  const one = <T>(list: readonly T[]): T => list[by.below(list.length)]!
  const chance = by.random()
  let what: object = { agent: one(agents) }
  if (chance < 0.4 && undos.length > 0) what = { id: undos.at(-1) }
  else if (chance < 0.6 && tasks.length > 0) what = { task: one(tasks) }
  else if (chance < 0.7) what = { since: new Date(Date.now() - 1_500).toISOString() }
  const { data, error } = await ask<Undone>('undo', { ...what, key })
  // Undos of other files are not in this one.
  if (error !== null && error !== 'unknown_undo') throw new Error(`undo: ${error}`)
  return error === null ? data.undo : null
}

/** One edit in a mirrored folder. `text` is the shared text now. Returns the units that it types. */
export const editOnDisk = async (
  dir: string,
  key: string,
  text: () => string,
  letter: string,
  by: Chance,
): Promise<number> => {
  const path = join(dir, key)
  const read = (): string | null => {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return null
    }
  }
  await until('the mirror is up to date', () => read() === text(), 60_000)
  const before = text()
  const at = by.below(before.length + 1)
  const letters = letter.repeat(1 + by.below(6))
  const end = at + by.below(5)
  const after = before.slice(0, at) + letters + before.slice(end)
  writeFileSync(path, after)
  await until('the mirror has sent it', () => text() === after, 60_000)
  return letters.length
}
