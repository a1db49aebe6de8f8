import type { IdRange } from '../../../lib/attribution/runs.ts'
import type { FileId } from '../../../protocol/ids.ts'
import type { UndoRecord } from '../../../workspace/authorship/undo-history.ts'
import { type Put, seqKey } from '../../storage/integrity/level-keys.ts'
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

/** The undos of each file of a workspace, or of one file, the oldest first. */
export const readUndos = async (
  facts: FactLog,
  workspace: string,
  only?: FileId,
): Promise<Map<FileId, UndoRecord[]>> => {
  const undos = new Map<FileId, UndoRecord[]>()
  const prefix = only === undefined ? prefixOf(workspace) : `${fileOf(workspace, only)}:`
  for (const { key, json } of await facts.entries(prefix)) {
    const file = decodeURIComponent(key.split(':')[2] ?? '') as FileId
    const list = undos.get(file) ?? []
    list.push(recordOf(json as Stored))
    undos.set(file, list)
  }
  return undos
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

/** Stores the undo number `number` (0, 1, 2 …) of a file. */
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
