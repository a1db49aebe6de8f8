import type { FileKey } from '../../protocol/ids.ts'
import type { FileInfo } from '../files/file-info.ts'
import type { Actor } from './action.ts'

/** A version of a text. */
export interface HeldText {
  version: number
  content: string
}

/** An agent with the versions of shared files that it has read. Call the `keep` methods in the work of `once`. */
export interface FileActor extends Actor {
  /**
   * The text that `content` was made from: `version`, otherwise the text last read or put; null: it has read none.
   * Throws `unknown_version`.
   */
  heldText(key: FileKey, content: string, version?: number): Promise<HeldText | null>
  keepText(key: FileKey, file: FileInfo, held: HeldText): void
  /** The text that line numbers refer to: `version`, otherwise the text last seen. Throws `unknown_version`. */
  heldLines(key: FileKey, version?: number): Promise<HeldText | null>
  keepLines(key: FileKey, held: HeldText): void
  /** The version of a file, text or binary, that it has read; null: none or unknown. */
  readVersion(key: FileKey): Promise<number | null>
  /** Returns a function that moves all of this to another path; call it once the file is moved. */
  carrying(key: FileKey): Promise<(to: FileKey) => void>
  /** Throws `unknown_blob` where the server does not have these bytes. */
  checkBlob(sha256: string, size: number): Promise<void>
  /** The SHA-256 of the binary version that it has read; null: none. */
  heldBlob(key: FileKey): Promise<string | null>
  keepBlob(key: FileKey, file: FileInfo, sha256: string): void
}
