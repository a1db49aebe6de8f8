/** A stored version of an entry in a workspace's document. */
export interface StoredVersion {
  /** An integer from 1 to MAX_VERSION. */
  version: number
  /** Its description: small, and readable without the content. */
  about: Uint8Array
  content: Uint8Array
}

/** New versions of one entry. */
export interface NewVersions {
  /** The entry's name: any well-formed text. */
  of: string
  versions: readonly StoredVersion[]
  /** The summary of all its versions; replaces the previous head. */
  head: Uint8Array
  /** Older versions to delete. */
  drop: readonly number[]
}

/**
 * Old versions of the documents' entries, whatever they hold. Part of UpdateLog and its contract.
 */
export interface VersionLog {
  /** Raised when the log is read anew, after a failure: what was read before may not be what is stored (count). */
  readonly era: number
  /**
   * Stores versions, heads and deletions atomically and durably. `era`: the one in which their heads were read, if
   * they were; rejects with Unavailable if it has ended.
   */
  keep(workspace: string, changes: readonly NewVersions[], era?: number): Promise<void>
  /** The head of an entry's versions; null if there are none. */
  head(workspace: string, of: string): Promise<Uint8Array | null>
  /** The heads of all entries with versions, by name. */
  heads(workspace: string): Promise<Map<string, Uint8Array>>
  /** Kept versions from `from` to `to`, both included, at most `limit`; newest first if `to` is below `from`. */
  abouts(
    workspace: string,
    of: string,
    from: number,
    to: number,
    limit: number,
  ): Promise<Pick<StoredVersion, 'version' | 'about'>[]>
  /** The contents of kept versions from `from` to `to`, both included, in order. */
  contents(workspace: string, of: string, from: number, to: number): Promise<Uint8Array[]>
}
