import type { FileKey } from '../../protocol/ids.ts'
import type { FileInfo } from '../files/file-info.ts'
import type { Actor } from './action.ts'

/** A version of a text. */
export interface HeldText {
  version: number
  content: string
}

/** An agent with what it has in its hands of the shared files. The `keep` methods belong into the work of `once`. */
export interface FileActor extends Actor {
  /**
   * The text that the writer of `content` has changed: `version`, or else what it last read or put; null: it has read none.
   * Throws `unknown_version`.
   */
  heldText(key: FileKey, content: string, version?: number): Promise<HeldText | null>
  keepText(key: FileKey, file: FileInfo, held: HeldText): void
  /** The text that line numbers count in: `version`, or else what it last saw. Throws `unknown_version`. */
  heldLines(key: FileKey, version?: number): Promise<HeldText | null>
  keepLines(key: FileKey, held: HeldText): void
  /** The version that it has read of a file, text or not; null: none, or nobody knows. */
  readVersion(key: FileKey): Promise<number | null>
  /** Returns a function that carries all of this to another path, to be called once the file is moved. */
  carrying(key: FileKey): Promise<(to: FileKey) => void>
  /** Throws `unknown_blob` where the server does not have these bytes. */
  checkBlob(sha256: string, size: number): Promise<void>
  /** The SHA-256 of the bytes that it has read of a file; null: none. */
  heldBlob(key: FileKey): Promise<string | null>
  keepBlob(key: FileKey, file: FileInfo, sha256: string): void
}
