import type { Json } from '../../workspace/document/schema.ts'
import type { ReadFile } from '../../workspace/files/stale.ts'

/** A version of a file that the agent read; of a part of it with the lines. */
type Read = [version: number, at: number] | [version: number, at: number, from: number, to: number]

/** Files whose reads are remembered (count): the ones read last. */
const MAX_FILES = 256
/** Parts of one file that are remembered (count). */
const MAX_PARTS = 8

/** The files that an agent read, the ones read last: a result may have been made from them. */
export class Reads {
  /** By path, the ones read last at the end. */
  readonly #reads: Map<string, Read[]>

  /** `stored`: as `toJson` gave it. */
  constructor(stored: Json | undefined) {
    this.#reads = new Map((stored as [string, Read[]][] | undefined) ?? [])
  }

  /** Notes that the agent has a version, or these lines of it, since `at` (milliseconds since the epoch). */
  note(
    file: string,
    version: number,
    at: number,
    lines?: { from_line: number; to_line: number },
  ): void {
    const read: Read =
      lines === undefined ? [version, at] : [version, at, lines.from_line, lines.to_line]
    const before = lines === undefined ? [] : (this.#reads.get(file) ?? [])
    this.#reads.delete(file)
    this.#reads.set(file, [...before.slice(1 - MAX_PARTS), read])
    for (const oldest of this.#reads.keys()) {
      if (this.#reads.size <= MAX_FILES) return
      this.#reads.delete(oldest)
    }
  }

  /** The versions read at or after `at`, the newest first. */
  since(at: number): ReadFile[] {
    return [...this.#reads].reverse().flatMap(([file_key, parts]) =>
      parts
        .filter((read) => read[1] >= at)
        .map(([version, , from_line, to_line]) => ({
          ...{ file_key, version },
          ...(from_line !== undefined && { from_line, to_line }),
        })),
    )
  }

  toJson(): Json {
    return [...this.#reads] as unknown as Json
  }
}
