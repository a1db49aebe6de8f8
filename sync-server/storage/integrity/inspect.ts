import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Corruption } from './corruption.ts'
import { namesIn } from './disk.ts'
import { readJournal } from './journal.ts'
import { type Manifest, readManifest } from './manifest.ts'
import { checkTable } from './table.ts'

const JOURNAL = /^(\d+)\.log$/
const TABLE = /^(\d+)\.(?:ldb|sst)$/

/** True if a folder holds a LevelDB database, or parts of one. Rejects if it cannot be read. */
export const hasDatabase = async (dir: string): Promise<boolean> => {
  const names = await namesIn(dir)
  return names.some((name) => name === 'CURRENT' || TABLE.test(name) || JOURNAL.test(name))
}

/**
 * Checks LevelDB's files before LevelDB opens them, because LevelDB ignores much damage. Without
 * CURRENT it creates a new database and deletes the old tables; it ignores a missing journal; it
 * skips records of a damaged journal; a damaged key of a table aborts the process. Reads all files.
 * Throws Corruption. No other process may have the database open.
 */
export const inspectFiles = async (dir: string): Promise<void> => {
  const names = await readdir(dir)
  const tables = names.filter((name) => TABLE.test(name))
  const journals = names.filter((name) => JOURNAL.test(name))
  if (!names.includes('CURRENT')) {
    const written = await Promise.all(journals.map((name) => sizeOf(join(dir, name))))
    if (tables.length === 0 && written.every((bytes) => bytes === 0)) return
    throw new Corruption('CURRENT', 'it is missing, and the files of a database are there')
  }
  const { journal, tables: expected } = await manifestOf(dir)
  const numbers = new Map(
    [...tables, ...journals].map((name) => [Number.parseInt(name, 10), name] as const),
  )
  for (const [number, bytes] of expected) {
    const name = numbers.get(number)
    if (name === undefined) throw new Corruption(`${padded(number)}.ldb`, 'it is missing')
    const found = await sizeOf(join(dir, name))
    if (found !== bytes) throw new Corruption(name, `it has ${found} bytes instead of ${bytes}`)
    await checkTable(join(dir, name), name)
  }
  if (journal > 0 && !numbers.has(journal)) {
    throw new Corruption(`${padded(journal)}.log`, 'it is missing')
  }
  for (const name of journals) {
    if (Number.parseInt(name, 10) < journal) continue
    const { brokenAt } = readJournal(await readFile(join(dir, name)))
    if (brokenAt !== null) throw new Corruption(name, `it cannot be read at byte ${brokenAt}`)
  }
}

const manifestOf = async (dir: string): Promise<Manifest> => {
  const current = await readFile(join(dir, 'CURRENT'), 'utf8')
  const name = /^(MANIFEST-\d+)\n$/.exec(current)?.[1]
  if (name === undefined) throw new Corruption('CURRENT', 'it names no manifest')
  const file = await readFile(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new Corruption(name, 'it is missing') : error
  })
  const { records, brokenAt } = readJournal(file)
  if (brokenAt !== null) throw new Corruption(name, `it cannot be read at byte ${brokenAt}`)
  if (records.length === 0) throw new Corruption(name, 'it is empty')
  try {
    return readManifest(records)
  } catch (error) {
    throw new Corruption(name, (error as Error).message)
  }
}

const sizeOf = async (path: string): Promise<number> => (await stat(path)).size
const padded = (number: number): string => String(number).padStart(6, '0')
