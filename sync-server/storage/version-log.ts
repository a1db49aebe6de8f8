/** One version of something in a workspace's document, as it is stored. */
export interface StoredVersion {
  /** An integer from 1 to MAX_VERSION. */
  version: number
  /** What is to be said of it: small, and read without the content. */
  about: Uint8Array
  content: Uint8Array
}

/** New versions of one thing. */
export interface NewVersions {
  /** Name of what they are versions of: any well-formed text. */
  of: string
  versions: readonly StoredVersion[]
  /** What is to be known of all its versions together; takes the place of the head before. */
  head: Uint8Array
  /** Older versions that go. */
  drop: readonly number[]
}

/** Old versions of what is in the documents; knows nothing of what that is. Part of the UpdateLog, and its contract. */
export interface VersionLog {
  /** Stores versions durably: all of them, with heads and drops, or nothing. */
  keep(workspace: string, changes: readonly NewVersions[]): Promise<void>
  /** Null where there is no version. */
  head(workspace: string, of: string): Promise<Uint8Array | null>
  /** By the names of what there are versions of. */
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
