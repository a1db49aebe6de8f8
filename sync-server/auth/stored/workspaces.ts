import { didYouMean } from '../../../lib/text/suggest.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { UpdateLog } from '../../storage/update-log.ts'
import { putJson } from './log.ts'
import type { Invite } from './records.ts'
import type { Change } from './writes.ts'

const keyOf = (name: string): string => `n:${name}`

/** It always exists. */
export const DEFAULT_WORKSPACE = 'default'

/**
 * The names of workspaces: `default`, created ones, and those with data, members or invites. Naming an unknown one
 * creates nothing.
 */
export class Workspaces {
  readonly #names: Set<string>
  readonly #most: number

  private constructor(names: Iterable<string>, most: number) {
    this.#names = new Set(names)
    this.#most = most
  }

  /** `most`: limit on workspaces (count). */
  static async open(
    log: Pick<UpdateLog, 'facts' | 'workspaces'>,
    most: number,
  ): Promise<Workspaces> {
    const keys = async (prefix: string) => (await log.facts.entries(prefix)).map(({ key }) => key)
    const invites = (await log.facts.entries('j:')).map(({ json }) => (json as Invite).workspace)
    return new Workspaces(
      [
        DEFAULT_WORKSPACE,
        ...(await log.workspaces()),
        ...(await keys('n:')).map((key) => key.slice(2)),
        ...(await keys('k:')).map((key) => key.slice(2, key.indexOf('/'))),
        ...invites.filter((name) => name !== null),
      ],
      most,
    )
  }

  get names(): string[] {
    return [...this.#names].sort()
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** Only for callers that may see all names. Throws `unknown_workspace`. */
  check(name: string): void {
    if (this.#names.has(name)) return
    const near = didYouMean(name, this.#names)
    throw new ClawError(
      'unknown_workspace',
      `workspace "${name}" does not exist${near === '' ? '' : `: ${near}`}`,
      `to make it: clawlink-sync workspaces add ${name}`,
    )
  }

  /** Adds one. Throws `too_many`. */
  add(name: string, at: number): Change {
    if (this.#names.size >= this.#most) {
      const what = `the limit of ${this.#most} workspaces is reached`
      throw new ClawError('too_many', what, 'see --limit')
    }
    return { ops: [putJson(keyOf(name), { at })], apply: () => this.#names.add(name) }
  }
}
