import { setTimeout as sleep } from 'node:timers/promises'
import type { JSONRPCMessage } from '@modelcontextprotocol/server'
import { MAX_SUBSCRIPTIONS } from '../tools/limits.ts'
import type { Team } from '../tools/team.ts'

/** Changes within this time, in milliseconds, are one notification. */
const GATHER_MS = 200
/** Stands for the list of resources among the URIs. */
const LIST = 'clawlink://'

/** The filter of one `subscriptions/listen`. */
interface Filter {
  resourceSubscriptions?: unknown
  resourcesListChanged?: unknown
}

const textsOf = (list: unknown): string[] =>
  Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []

/**
 * The resources that one client follows, in both eras, each with its last mark. The SDK sends a notification to the
 * subscriptions that it is for.
 */
export class Subscriptions {
  tell: { updated: (uri: string) => Promise<void>; listChanged: () => Promise<void> }
  readonly #team: Team
  readonly #closed = new AbortController()
  /** By `resources/subscribe`. */
  readonly #uris = new Set<string>()
  /** By `subscriptions/listen`, by the id of the request. */
  readonly #listening = new Map<string | number, string[]>()
  #marks = new Map<string, string>()
  #isRunning = false
  /** Ends the wait for a change, so that a new subscription has a mark to compare with. */
  #added = new AbortController()

  constructor(team: Team) {
    this.#team = team
    this.tell = { updated: async () => {}, listChanged: async () => {} }
  }

  add(uri: string): void {
    if (this.#uris.size < MAX_SUBSCRIPTIONS) this.#uris.add(uri)
    this.#run()
  }

  remove(uri: string): void {
    this.#uris.delete(uri)
  }

  /** The client has the list, so it is told when that changes. */
  followList(): void {
    this.add(LIST)
  }

  /** Sees each message of the client. */
  hear(message: JSONRPCMessage): void {
    const { id, method, params } = message as {
      id?: string | number
      method?: string
      params?: { notifications?: Filter; requestId?: string | number }
    }
    if (method === 'notifications/cancelled') this.#listening.delete(params?.requestId ?? '')
    if (method !== 'subscriptions/listen' || id === undefined) return
    if (this.#listening.size >= MAX_SUBSCRIPTIONS) return // the SDK refuses it
    const { resourceSubscriptions, resourcesListChanged } = params?.notifications ?? {}
    const uris = textsOf(resourceSubscriptions).slice(0, MAX_SUBSCRIPTIONS)
    this.#listening.set(id, resourcesListChanged === true ? [...uris, LIST] : uris)
    this.#run()
  }

  get #wanted(): string[] {
    return [...new Set([...this.#uris, ...[...this.#listening.values()].flat()])]
  }

  #run(): void {
    this.#added.abort()
    if (this.#isRunning || this.#closed.signal.aborted) return
    this.#isRunning = true
    void this.#follow()
      .catch((error: Error) => this.#team.log(`mcp: ${error.message}`))
      .finally(() => {
        this.#isRunning = false
      })
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closed
    while (this.#wanted.length > 0 && !signal.aborted) {
      // Listens first: a change while the marks are read is not missed.
      this.#added = new AbortController()
      const changed = this.#team.changed(AbortSignal.any([signal, this.#added.signal]))
      await this.#compare()
      await changed
      if (!this.#added.signal.aborted) await sleep(GATHER_MS, null, { signal }).catch(() => {})
    }
  }

  async #compare(): Promise<void> {
    const uris = this.#wanted
    const marks = await this.#team.marksOf(uris.filter((uri) => uri !== LIST))
    if (uris.includes(LIST)) {
      const listed = await this.#team.list()
      marks.set(LIST, listed.map(({ uri }) => uri).join('\n'))
    }
    const before = this.#marks
    this.#marks = marks
    for (const [uri, mark] of marks) {
      if (!before.has(uri) || before.get(uri) === mark) continue
      await (uri === LIST ? this.tell.listChanged() : this.tell.updated(uri)).catch(() => {})
    }
  }

  close(): void {
    this.#closed.abort()
  }
}
