import type { Op } from './level-keys.ts'

/** A state of the store at one moment. */
export interface Snapshot {
  close: () => Promise<void>
}

export interface Reading {
  snapshot?: Snapshot
  /** `view`: values as stored, checksums included; absent: their checksums are verified and removed. */
  valueEncoding?: 'view'
}

/** A range of keys, in the order of their bytes. */
export interface Range extends Reading {
  gt?: string
  gte?: string
  lt?: string
  lte?: string
  reverse?: boolean
  /** Most entries (count). */
  limit?: number
}

/** Entries to walk through, as of the moment at which the walk began. */
export interface Found<T> extends AsyncIterable<T> {
  all: () => Promise<T[]>
}

export interface Writing {
  /** `view`: values have their checksums already. */
  valueEncoding?: 'view'
  /** Resolve once it is durable; a store may always do so. */
  sync?: boolean
}

/**
 * An ordered, fenced store of bytes. A write is stored whole and durably, and only while this process has the store; else
 * it rejects:
 *   Fenced    nothing is stored; another process has the store from now on
 *   Conflict  nothing is stored; a key that has to be new (`isNew`) exists, so another process wrote it
 *   Unknown   it is unknown what is stored; the caller opens the store again before its next write
 *   others    the store failed; nothing is stored
 * LevelDB's lock excludes other processes, so LevelDB rejects with neither Fenced nor Conflict.
 * Implementations share the contract suite in test/support/sync-server/store-contract.ts.
 */
export interface Db {
  get: (key: string, options?: Reading) => Promise<Uint8Array | undefined>
  /** The values of keys, in their order. */
  getMany: (keys: string[], options?: Reading) => Promise<(Uint8Array | undefined)[]>
  iterator: (range?: Range) => Found<[string, Uint8Array]>
  keys: (range?: Range) => Found<string>
  values: (range?: Range) => Found<Uint8Array>
  snapshot: () => Snapshot
  put: (key: string, value: Uint8Array, options?: Writing) => Promise<void>
  batch: (ops: Op[], options?: Writing) => Promise<void>
  /** Removes a range of keys. */
  clear: (range: Pick<Range, 'gt' | 'gte' | 'lt' | 'lte'>) => Promise<void>
}

/** An open store, and what its kind needs beside reads and writes. */
export interface Store {
  db: Db
  /** Notes the newest durable record outside of the database, and reads it at the next start. */
  mark: {
    read: () => string | null
    note: (key: string, isSynced?: boolean) => void
    close: () => void
  }
  /** True if nothing is stored at any of these keys, false if something is or it is unknown; absent: this kind cannot tell at once. */
  lacks?: (keys: readonly string[]) => boolean
  /** About how many bytes a range of keys takes on disk; absent: this kind cannot tell. What was just written may be missing. */
  sizeOf?: (from: string, to: string) => Promise<number>
  /** Gives the space of what was removed from a range of keys back to the disk; absent: this kind does so by itself. */
  compact?: (from: string, to: string) => Promise<void>
  /** Opens the database again after a failed write; leaves it closed if that fails. Rejects with Fenced. */
  reopen: () => Promise<void>
  /** Calls `lost` once the store finds out by itself that it cannot be used: Fenced, or Unknown. */
  watch: (lost: (error: Error) => void) => void
  /** Closes the database and the mark. */
  close: () => Promise<void>
}

/** True for the keys of records and archived entries: nobody writes one twice. */
export const isNew = (key: string): boolean => key.startsWith('u:') || key.startsWith('a:')

/** Nothing was stored: a record that has to be new exists. */
export class Conflict extends Error {
  constructor() {
    super('another process wrote the same record before')
    this.name = 'Conflict'
  }
}

/** The store failed; what it was asked for is not done. */
export class Unavailable extends Error {}

/** Nothing was stored: another process has taken the store over. */
export class Fenced extends Unavailable {
  constructor(what = 'another server has taken the database') {
    super(what)
    this.name = 'Fenced'
  }
}

/** This node has not heard from the database lately: another one may own its workspaces by now. */
export class LeaseEnded extends Unavailable {
  constructor() {
    super('the database has not answered this node lately')
    this.name = 'LeaseEnded'
  }
}

/** It is unknown whether the write was stored. */
export class Unknown extends Unavailable {}

/** True if the store itself failed, which concerns all workspaces. */
export const isStoreFailure = (error: unknown): boolean =>
  error instanceof Error &&
  (error instanceof Unavailable ||
    (error as { code?: string }).code?.startsWith('LEVEL_') === true ||
    isStoreFailure(error.cause))
