import type { FileKey } from '../../protocol/ids.ts'
import type { FileInfo } from '../files/file-info.ts'
import type { SuggestionDetail } from '../files/suggestions.ts'
import type { Actor } from './action.ts'
import type { InputOf } from './inputs/field.ts'
import type * as inputs from './inputs/suggestions.ts'

/** A version of a text. */
export interface HeldText {
  version: number
  content: string
}

/** A command of `suggest`, with its file. */
export type ToSuggest = InputOf<typeof inputs.suggest> & { readonly key: FileKey }
export type ToJudge = InputOf<typeof inputs.accept> | InputOf<typeof inputs.reject>

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
  /** Asks the server, the only writer of suggestions, to file one. `held`: the text that it changes; null: as it is now. */
  suggest(proposal: ToSuggest, held: HeldText | null): Promise<{ suggestion: SuggestionDetail }>
  /** Asks the server to accept hunks of one, or to reject what waits of it. */
  judge(what: 'accept' | 'reject', input: ToJudge): Promise<{ suggestion: SuggestionDetail }>
  keepBlob(key: FileKey, file: FileInfo, sha256: string): void
}
