import { type Db, Unavailable } from './integrity/db.ts'
import { type Op, type Put, seqKey, seqOf } from './integrity/level-keys.ts'
import type { NewVersions, VersionLog } from './version-log.ts'

/**
 * Versions on LevelDB, in the database of the update log and by its group commit. Keys, all of them sorted text, where
 * `<of>` is URI-encoded so that no name is a part of another's keys:
 *   `h:<workspace>:<of>`             head
 *   `v:<workspace>:<of>:<version>`   about
 *   `c:<workspace>:<of>:<version>`   content
 */
export class LevelVersionLog implements VersionLog {
  readonly #db: Db
  readonly #put: (ops: Op[]) => Promise<void>
  #era = 0

  /** `put` stores operations durably and together. */
  constructor(db: Db, put: (ops: Op[]) => Promise<void>) {
    this.#db = db
    this.#put = put
  }

  get era(): number {
    return this.#era
  }

  /** Call when the log is read anew. */
  readAnew(): void {
    this.#era++
  }

  async keep(
    workspace: string,
    changes: readonly NewVersions[],
    era: number = this.#era,
  ): Promise<void> {
    if (era !== this.#era) throw new Unavailable('the log was read anew meanwhile')
    const ops: Op[] = []
    for (const { of, versions, head, drop } of changes) {
      ops.push(put(headKey(workspace, of), head))
      for (const { version, about, content } of versions) {
        ops.push(put(versionKey('v', workspace, of, version), about))
        ops.push(put(versionKey('c', workspace, of, version), content))
      }
      for (const old of drop) {
        ops.push({ type: 'del', key: versionKey('v', workspace, of, old) })
        ops.push({ type: 'del', key: versionKey('c', workspace, of, old) })
      }
    }
    await this.#put(ops)
  }

  async head(workspace: string, of: string): Promise<Uint8Array | null> {
    return (await this.#db.get(headKey(workspace, of))) ?? null
  }

  async heads(workspace: string): Promise<Map<string, Uint8Array>> {
    const prefix = `h:${workspace}:`
    const found = await this.#db.iterator({ gt: prefix, lt: `h:${workspace};` }).all()
    return new Map(found.map(([key, head]) => [decodeURIComponent(key.slice(prefix.length)), head]))
  }

  async abouts(workspace: string, of: string, from: number, to: number, limit: number) {
    const key = (version: number) => versionKey('v', workspace, of, version)
    const reverse = to < from
    const [low, high] = reverse ? [to, from] : [from, to]
    const range = { gte: key(low), lte: key(high), reverse, limit }
    const found = await this.#db.iterator(range).all()
    return found.map(([key, about]) => ({ version: seqOf(key), about }))
  }

  contents(workspace: string, of: string, from: number, to: number): Promise<Uint8Array[]> {
    const key = (version: number) => versionKey('c', workspace, of, version)
    return this.#db.values({ gte: key(from), lte: key(to) }).all()
  }
}

const put = (key: string, value: Uint8Array): Put => ({ type: 'put', key, value })
const headKey = (workspace: string, of: string): string =>
  `h:${workspace}:${encodeURIComponent(of)}`
const versionKey = (kind: 'v' | 'c', workspace: string, of: string, version: number): string =>
  seqKey(`${kind}:${workspace}:${encodeURIComponent(of)}`, version)
