import type { Level } from 'level'
import * as Y from 'yjs'
import type { StateVector } from '../../workspace/inbox/inbox.ts'
import type { InboxPosition } from '../../workspace/inbox/mailbox.ts'
import type { Message } from '../../workspace/messages/message.ts'

/**
 * Keys of a replica's database: `checkpoint` and the log of updates after it (`u:` and a number),
 * the `lease` of a client id, the `cursor` of the inbox, its messages (`m:`), queued commands
 * (`c:`), answers (`k:`) and their ages (`ag:`, `ao:`), file bases (`b:`, `s:`), bases of mirrors
 * (`mh:`, `mt:`, `mo:`) and small records (`r:`). All but updates, checkpoint and `mt:` are JSON.
 */
export type Database = Level<string, Uint8Array>

export type Write = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

/** The inbox position of `agent`; replicas of before there was an archive have no `archived`, nor `archivedTasks`. */
export interface Cursor {
  agent: string
  vector: string
  archived?: number
  archivedTasks?: number
}

/** The same in memory. */
export type Position = InboxPosition & { agent: string }

export const decodeCursor = (cursor: Cursor): Position => {
  const { agent, vector, archived = 0, archivedTasks = 0 } = cursor
  return {
    agent,
    vector: Y.decodeStateVector(Buffer.from(vector, 'base64')),
    archived,
    archivedTasks,
  }
}

export const encodeCursor = ({ vector, ...rest }: Position): Cursor => {
  const bytes = Y.encodeStateVector(vector as Map<number, number>)
  return { ...rest, vector: Buffer.from(bytes).toString('base64') }
}

export const isSamePosition = (a: Position, b: Position): boolean =>
  a.agent === b.agent &&
  a.archived === b.archived &&
  a.archivedTasks === b.archivedTasks &&
  isSameVector(a.vector, b.vector)

const isSameVector = (a: StateVector, b: StateVector): boolean =>
  a === b || (a.size === b.size && [...a].every(([client, clock]) => b.get(client) === clock))

/** A message for `agent`. `since`: the key and id of the first unread message that it stands for. */
export interface StoredMessage {
  agent: string
  message: Message
  since?: string
}

export interface Lease {
  clientId: number
  /** The folder and machine the lease was taken for: a copied or restored replica must not share it. */
  place: string
  /** Number of the first log entry that the checkpoint does not contain. */
  first: number
}

/** The key of a numbered entry: they are read in the order of their numbers. */
export const entry = (prefix: string, number: number): string =>
  `${prefix}${String(number).padStart(12, '0')}`

/** All entries of a prefix. */
export const range = (prefix: string) => ({ gt: prefix, lt: `${prefix}\uffff` })

/** The number that comes after those in use. */
export const nextOf = async (db: Database, prefix: string): Promise<number> => {
  const [last] = await db.keys({ ...range(prefix), reverse: true, limit: 1 }).all()
  return last === undefined ? 0 : Number(last.slice(prefix.length)) + 1
}

export const putJson = (key: string, value: unknown): Write => ({
  type: 'put',
  key,
  value: Buffer.from(JSON.stringify(value)),
})

export const readJson = <T>(value: Uint8Array | undefined): T | null =>
  value === undefined ? null : (JSON.parse(Buffer.from(value).toString()) as T)
