import type { IdRange } from '../../../lib/attribution/runs.ts'
import type { FileId } from '../../../protocol/ids.ts'
import type { UndoRecord } from '../../../workspace/authorship/undo-history.ts'
import { isPlainObject } from '../../../workspace/document/values.ts'
import { type Put, seqKey, seqOf } from '../../storage/integrity/level-keys.ts'
import type { FactLog } from '../../storage/update-log.ts'

type StoredRange = [client: number, clock: number, length: number]

/** An undo as it is stored. */
interface Stored {
  id: string
  by: string
  at: number
  task: string | null
  inserts: StoredRange[]
  deletions: StoredRange[]
  undos: string[]
  deletes: StoredRange[]
  copies: [...StoredRange, ofClient: number, ofClock: number][]
}

const prefixOf = (workspace: string): string => `y:${workspace}:`
const fileOf = (workspace: string, file: FileId): string =>
  `${prefixOf(workspace)}${encodeURIComponent(file)}`

/** The undos of one file. */
export interface FileUndos {
  /** The oldest first. */
  records: UndoRecord[]
  /** The number of the next one. */
  next: number
}

/** The undos of each file of a workspace, or of one file. An entry that cannot be read is left out. */
export const readUndos = async (
  facts: FactLog,
  workspace: string,
  only?: FileId,
): Promise<Map<FileId, FileUndos>> => {
  const undos = new Map<FileId, FileUndos>()
  const prefix = only === undefined ? prefixOf(workspace) : `${fileOf(workspace, only)}:`
  for (const { key, json } of await facts.readable(prefix)) {
    const file = fileIn(key)
    if (file === null) continue
    const of = undos.get(file) ?? { records: [], next: 0 }
    undos.set(file, of)
    of.next = Math.max(of.next, seqOf(key) + 1)
    const record = readUndo(json)
    if (record !== null) of.records.push(record)
  }
  return undos
}

/** `y:<workspace>:<file>:<number>`; null: the key is another. */
const fileIn = (key: string): FileId | null => {
  const [, , file = '', digits = ''] = key.split(':')
  if (!/^[0-9a-f]{13}$/.test(digits)) return null
  try {
    return decodeURIComponent(file) as FileId
  } catch {
    return null
  }
}

/** The undo in a stored value; null: it is none. */
export const readUndo = (json: unknown): UndoRecord | null =>
  isStored(json) ? recordOf(json) : null

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isText = (value: unknown): boolean => typeof value === 'string'
const isList = (value: unknown, is: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(is)
const isTuple =
  (length: number) =>
  (value: unknown): boolean =>
    isList(value, isCount) && (value as number[]).length === length && (value as number[])[2]! > 0

const isStored = (json: unknown): json is Stored => {
  if (!isPlainObject(json)) return false
  const { id, by, at, task, inserts, deletions, undos, deletes, copies } = json
  const ranges = [inserts, deletions, deletes]
  return (
    isText(id) &&
    isText(by) &&
    isCount(at) &&
    (task === null || isText(task)) &&
    isList(undos, isText) &&
    ranges.every((list) => isList(list, isTuple(3))) &&
    isList(copies, isTuple(5))
  )
}

const rangeOf = ([client, clock, length]: StoredRange): IdRange => ({ client, clock, length })
const stored = ({ client, clock, length }: IdRange): StoredRange => [client, clock, length]

const recordOf = ({ inserts, deletions, deletes, copies, ...undo }: Stored): UndoRecord => ({
  ...undo,
  inserts: inserts.map(rangeOf),
  deletions: deletions.map(rangeOf),
  deletes: deletes.map(rangeOf),
  copies: copies.map(([client, clock, length, ofClient, ofClock]) => ({
    ...{ client, clock, length, ofClient, ofClock },
  })),
})

const utf8 = new TextEncoder()

/** Stores an undo of a file under `number`: `next` of FileUndos. */
export const putUndo = (
  workspace: string,
  file: FileId,
  number: number,
  { inserts, deletions, undos, deletes, copies, ...undo }: UndoRecord,
): Put => {
  const value: Stored = {
    ...undo,
    undos: [...undos],
    inserts: inserts.map(stored),
    deletions: deletions.map(stored),
    deletes: deletes.map(stored),
    copies: copies.map(({ ofClient, ofClock, ...copy }) => [...stored(copy), ofClient, ofClock]),
  }
  const key = seqKey(fileOf(workspace, file), number)
  return { type: 'put', key, value: utf8.encode(JSON.stringify(value)) }
}
