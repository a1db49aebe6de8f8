import {
  appendFileSync,
  chmodSync,
  closeSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { below, editable, oneOf, pause, publicTree, read, type Side, write } from './side.ts'

/** A tool has what it read in its hands for less than this (ms): docs/mirror.md, "Who was faster". */
const HELD_MS = 1_500
/** How long an editor's save may have a file empty, or away (ms). */
const GAP_MS = 120

/** How an editor puts a text in the place of another. */
type Save = (side: Side, path: string, text: string, before: string) => Promise<void>

const inPlace: Save = async (side, path, text) => {
  const file = openSync(path, 'w')
  await pause(side, GAP_MS)
  const half = text.length >> 1
  writeSync(file, text.slice(0, half))
  await pause(side, 20)
  writeSync(file, text.slice(half))
  closeSync(file)
}

const renameInto: Save = async (_side, path, text) => {
  writeFileSync(`${path}.tmp`, text)
  renameSync(`${path}.tmp`, path)
}

/** What an editor keeps until a save has worked; the other side uses another name. */
const copyOf = (side: Side, path: string): string => `${path}.${side.name}~`

const dropCopy = (side: Side, path: string, text: string): void => {
  rmSync(copyOf(side, path))
  side.ledger.deleted(side.name, copyOf(side, relative(side.dir, path)), text)
}

const backup: Save = async (side, path, text, before) => {
  renameSync(path, copyOf(side, path))
  await pause(side, GAP_MS)
  writeFileSync(path, text)
  dropCopy(side, path, before)
}

const anew: Save = async (side, path, text) => {
  rmSync(path)
  await pause(side, GAP_MS)
  writeFileSync(path, text)
}

const copyBack: Save = async (side, path, text, before) => {
  writeFileSync(copyOf(side, path), before)
  writeFileSync(path, text)
  dropCopy(side, path, before)
}

const SAVES: { [name: string]: Save } = { inPlace, renameInto, backup, anew, copyBack }

const withLine = (side: Side, text: string, line: string): string => {
  const lines = text.split('\n')
  lines.splice(below(side, lines.length), 0, line)
  return lines.join('\n')
}

/** Inserts a marker into a file that is there, by one of the ways in which editors save. */
export const edit = async (side: Side): Promise<string> => {
  const rel = oneOf(side, [...editable(side), ''])
  let before = read(side, rel)
  if (rel === '' || before === null) return 'nothing to edit'
  const began = Date.now()
  await pause(side, GAP_MS)
  if (Date.now() - began > HELD_MS) before = read(side, rel)
  if (before === null) return 'it went'
  const [how, save] = oneOf(side, Object.entries(SAVES))
  const marker = side.ledger.marker(side.name)
  const path = join(side.dir, rel)
  try {
    await save(side, path, withLine(side, before, marker), before)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return `${how} ${rel}: it went`
  }
  side.ledger.wrote(side.name, rel, marker)
  return `${how} ${rel} ${marker}`
}

/** Appends a marker in small writes, as a log does; the file may be made by that. */
export const append = async (side: Side): Promise<string> => {
  const rel = oneOf(side, [...editable(side), 'src/new.log'])
  const marker = side.ledger.marker(side.name)
  const path = join(side.dir, rel)
  for (const part of `${marker}\n`.match(/.{1,3}|\n/gs)!) {
    try {
      appendFileSync(path, part)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      return `append ${rel}: its folder went`
    }
    if (below(side, 4) === 0) await pause(side, 10)
  }
  side.ledger.wrote(side.name, rel, marker)
  return `append ${rel} ${marker}`
}

/** Makes a file, half of the time one that the other side may make as well. */
export const create = async (side: Side): Promise<string> => {
  const n = below(side, 6)
  const name = below(side, 2) === 0 ? `both-${n}` : `${side.name}-${n}`
  const rel = `${oneOf(side, ['src', 'src/deep', 'new/er', 'vol'])}/${name}.md`
  if (read(side, rel) !== null || (rel.startsWith('vol') && side.volume === null)) return 'there'
  const marker = side.ledger.marker(side.name)
  write(side, rel, `${rel} of ${side.name}\n${marker}\n`)
  side.ledger.wrote(side.name, rel, marker)
  return `create ${rel} ${marker}`
}

export const remove = async (side: Side): Promise<string> => {
  const rel = oneOf(side, [...editable(side), ''])
  const text = read(side, rel)
  if (rel === '' || text === null) return 'nothing to remove'
  rmSync(join(side.dir, rel))
  side.ledger.deleted(side.name, rel, text)
  return `remove ${rel}`
}

/** To the mirror this is a file that goes and another that comes. */
export const move = async (side: Side): Promise<string> => {
  const from = oneOf(side, [...editable(side), ''])
  const text = read(side, from)
  if (from === '' || text === null) return 'nothing to move'
  const to = `${from}.moved-${below(side, 1e6)}.md`
  renameSync(join(side.dir, from), join(side.dir, to))
  side.ledger.changed(side.name, new Map([[from, text]]), new Map([[to, text]]), 0)
  return `move ${from} to ${to}`
}

export const chmod = async (side: Side): Promise<string> => {
  const rel = oneOf(side, [...editable(side), ''])
  if (rel === '' || read(side, rel) === null) return 'nothing to chmod'
  chmodSync(join(side.dir, rel), below(side, 2) === 0 ? 0o755 : 0o600)
  return `chmod ${rel}`
}

/** Removes the folder that most files are in. */
export const wipe = async (side: Side): Promise<string> => {
  const many = [...publicTree(side)].filter(([rel]) => rel.startsWith('many/'))
  if (many.length < 25 || below(side, 3) > 0) return 'nothing to wipe'
  rmSync(join(side.dir, 'many'), { recursive: true, force: true })
  side.ledger.changed(side.name, new Map(many), new Map(), 0)
  return `wipe many (${many.length})`
}
