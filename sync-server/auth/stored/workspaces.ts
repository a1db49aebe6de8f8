import { didYouMean } from '../../../lib/text/suggest.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { isWorkspaceName } from '../../../workspace/document/schema.ts'
import type { FactLog, UpdateLog } from '../../storage/update-log.ts'
import { putJson } from './log.ts'
import type { Invite } from './records.ts'
import type { Change } from './writes.ts'

const keyOf = (name: string): string => `n:${name}`

/** It always exists. */
export const DEFAULT_WORKSPACE = 'default'

/** A workspace as stored at its key; absent: it has data, members or invites only. Times in milliseconds. */
interface About {
  at: number
  /** The name that the host gave it; absent: its own. */
  called?: string
  /** It was removed: nobody reaches it, and its data stay. */
  removedAt?: number
  /** Its purge was begun: a part of it is gone. */
  purgedAt?: number
}

/**
 * The names of workspaces: `default`, created ones, and those with data, members or invites, without removed ones.
 * Naming an unknown one creates nothing.
 */
export class Workspaces {
  readonly #names: Set<string>
  readonly #about: Map<string, About>
  readonly #most: number

  private constructor(names: Iterable<string>, about: Map<string, About>, most: number) {
    this.#names = new Set(names)
    this.#about = about
    for (const [name, { removedAt }] of about) if (removedAt !== undefined) this.#names.delete(name)
    this.#most = most
  }

  /** `most`: limit on workspaces (count). */
  static async open(
    log: Pick<UpdateLog, 'facts' | 'workspaces'>,
    most: number,
  ): Promise<Workspaces> {
    const keys = async (prefix: string) => (await log.facts.entries(prefix)).map(({ key }) => key)
    const invites = (await log.facts.entries('j:')).map(({ json }) => (json as Invite).workspace)
    const about = new Map(
      (await log.facts.entries('n:')).map(({ key, json }) => [key.slice(2), json as About]),
    )
    return new Workspaces(
      [
        DEFAULT_WORKSPACE,
        ...(await log.workspaces()),
        ...about.keys(),
        ...(await keys('k:')).map((key) => key.slice(2, key.indexOf('/'))),
        ...invites.filter((name) => name !== null),
      ],
      about,
      most,
    )
  }

  /** Those of a node of a cluster: the ones that it owns. */
  static none(): Workspaces {
    return new Workspaces([], new Map(), Number.POSITIVE_INFINITY)
  }

  /** Takes over a workspace as it is stored. */
  async load(log: FactLog, name: string): Promise<void> {
    const about = (await log.get(keyOf(name))) as About | null
    this.unload(name)
    if (about?.removedAt === undefined) this.#names.add(name)
    if (about !== null) this.#about.set(name, about)
  }

  /** Forgets a workspace, which stays on disk. */
  unload(name: string): void {
    this.#names.delete(name)
    this.#about.delete(name)
  }

  get names(): string[] {
    return [...this.#names].sort()
  }

  /** Removed ones, with the time (milliseconds). */
  get removed(): { name: string; at: number }[] {
    const all = [...this.#about].map(([name, { removedAt: at }]) => ({ name, at }))
    return all.filter((one): one is { name: string; at: number } => one.at !== undefined)
  }

  has(name: string): boolean {
    return this.#names.has(name)
  }

  /** The name that the host gave it. */
  calledOf(name: string): string {
    return this.#about.get(name)?.called ?? name
  }

  /** The workspace with this name, or that the host calls so; the same text: there is none. */
  named(text: string): string {
    if (this.#names.has(text)) return text
    return this.names.find((name) => this.calledOf(name) === text) ?? text
  }

  /** Only for callers that may see all names. Throws `unknown_workspace`. */
  check(name: string): void {
    if (this.#names.has(name)) return
    this.checkNotRemoved(name)
    const near = didYouMean(name, this.#names)
    throw new ClawError(
      'unknown_workspace',
      `workspace "${name}" does not exist${near === '' ? '' : `: ${near}`}`,
      `to make it: clawlink-sync workspaces add ${name}`,
    )
  }

  /** Throws `unknown_workspace` for a removed one. */
  checkNotRemoved(name: string): void {
    if (this.#about.get(name)?.removedAt === undefined) return
    throw new ClawError(
      'unknown_workspace',
      `workspace "${name}" was removed`,
      `the host can bring it back: clawlink-sync workspaces restore ${name}`,
    )
  }

  /** Adds one. Throws `too_many`; `unknown_workspace` for a removed one. */
  add(name: string, at: number): Change {
    this.checkNotRemoved(name)
    this.#checkRoom()
    return this.#put(name, { at })
  }

  /** Has the host call a workspace `called`. Throws `unknown_workspace`, `bad_name`, `name_taken`. */
  rename(name: string, called: string, now: number): Change {
    this.check(name)
    if (!isWorkspaceName(called)) {
      const how = 'use lower-case letters, digits, dashes, at most 64'
      throw new ClawError('bad_name', `"${called.slice(0, 80)}" is not a workspace name`, how)
    }
    const other = this.named(called)
    if (other !== name && (this.#names.has(other) || this.#about.has(other))) {
      throw new ClawError('name_taken', `there is a workspace "${called}"`, 'give another name')
    }
    const { called: _, ...about } = this.#about.get(name) ?? { at: now }
    return this.#put(name, called === name ? about : { ...about, called })
  }

  /** Removes one: nobody reaches it, and its data stay. Throws `unknown_workspace`, `usage` for `default`. */
  remove(name: string, now: number): Change {
    this.check(name)
    if (name === DEFAULT_WORKSPACE) {
      throw new ClawError(
        'usage',
        'the workspace "default" cannot be removed',
        'revoke its members instead: clawlink-sync agents --workspace default',
      )
    }
    return this.#put(name, { ...(this.#about.get(name) ?? { at: now }), removedAt: now })
  }

  /** Brings a removed one back. Throws `unknown_workspace`, `too_many`. */
  restore(name: string): Change {
    this.checkRemoved(name)
    const { removedAt: _, purgedAt, ...about } = this.#about.get(name)!
    if (purgedAt !== undefined) {
      throw new ClawError(
        'unknown_workspace',
        `the purge of "${name}" was begun: a part of it is gone`,
        `to end it: clawlink-sync workspaces purge ${name}`,
      )
    }
    this.#checkRoom()
    return this.#put(name, about)
  }

  /** Throws `unknown_workspace` for one that was not removed. */
  checkRemoved(name: string): void {
    if (this.#about.get(name)?.removedAt !== undefined) return
    throw new ClawError(
      'unknown_workspace',
      `no workspace "${name.slice(0, 80)}" was removed`,
      'clawlink-sync workspaces lists removed ones, too',
    )
  }

  /** A removed one cannot be brought back from now on. Throws `unknown_workspace`. */
  purging(name: string, now: number): Change {
    this.checkRemoved(name)
    return this.#put(name, { ...this.#about.get(name)!, purgedAt: now })
  }

  /** Nothing is left of a removed one: its name is free. */
  purged(name: string): Change {
    return { ops: [{ type: 'del', key: keyOf(name) }], apply: () => this.unload(name) }
  }

  #checkRoom(): void {
    if (this.#names.size < this.#most) return
    throw tooManyWorkspaces(this.#most)
  }

  #put(name: string, about: About): Change {
    const apply = () => {
      this.#about.set(name, about)
      if (about.removedAt === undefined) this.#names.add(name)
      else this.#names.delete(name)
    }
    return { ops: [putJson(keyOf(name), about)], apply }
  }
}

export const tooManyWorkspaces = (most: number): ClawError =>
  new ClawError('too_many', `the limit of ${most} workspaces is reached`, 'see --limit')
