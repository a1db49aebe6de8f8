import { signal } from '@preact/signals'
import type { Attached } from '../../client/resident/attach.ts'
import { ClawError } from '../../protocol/errors.ts'
import { Store } from '../../tui/model/store.ts'
import { call, inWorkspace } from '../session/api.ts'
import type { Saving, Workspace } from '../session/workspace.ts'

/** A request that takes longer than this is told of (milliseconds). */
const SLOW_MS = 500

/** The answer to a command, shown above the page. */
export interface Notice {
  text: string
  isError: boolean
}

/** The open workspace, and what is read of it. */
export class Team {
  readonly workspace: Workspace
  readonly store: Store
  readonly snapshot
  readonly saving = signal<Saving>('saved')
  readonly ended = signal<ClawError | null>(null)
  /** Requests that have taken long (count). */
  readonly busy = signal(0)
  readonly notice = signal<Notice | null>(null)

  constructor(workspace: Workspace) {
    this.workspace = workspace
    // The store reads the document and presence only; commands of the page are HTTP requests.
    this.store = new Store(workspace as unknown as Attached, Date.now)
    this.snapshot = signal(this.store.snapshot)
    this.store.subscribe(() => {
      this.snapshot.value = this.store.snapshot
    })
    const follow = () => {
      this.saving.value = workspace.saving
      this.ended.value = workspace.ended
    }
    workspace.onChange(follow)
    follow()
  }

  /** Asks the server as this person; tells of an error. Null: there was one. `rest`: a route of the workspace. */
  ask<T>(method: 'GET' | 'POST' | 'PUT', rest: string, body?: object): Promise<T | null> {
    return this.#ask<T>(method, inWorkspace(this.workspace.where.workspace, rest), body)
  }

  /** The same by a route of administration, which names the workspace itself. */
  askAdmin<T>(method: 'GET' | 'POST', name: string, body: object = {}): Promise<T | null> {
    const { workspace } = this.workspace.where
    return method === 'GET'
      ? this.#ask<T>('GET', `api/admin/${name}?${new URLSearchParams({ workspace })}`)
      : this.#ask<T>('POST', `api/admin/${name}`, { workspace, ...body })
  }

  /** Has the server do something as this person; tells of an error. True if it is done. */
  async act(rest: string, body: object, done?: string): Promise<boolean> {
    const isDone = (await this.ask('POST', rest, body)) !== null
    if (isDone && done !== undefined) this.tell(done)
    return isDone
  }

  /** Marks messages as read; tells of an error. */
  async acknowledge(ids: readonly string[]): Promise<void> {
    try {
      await this.workspace.acknowledge(ids)
    } catch (thrown) {
      this.#failed(thrown)
    }
  }

  tell(text: string): void {
    this.notice.value = { text, isError: false }
  }

  async #ask<T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object): Promise<T | null> {
    let isSlow = false
    const slow = setTimeout(() => {
      isSlow = true
      this.busy.value++
    }, SLOW_MS)
    try {
      return await call<T>(this.workspace.where.workspace, method, path, body)
    } catch (thrown) {
      this.#failed(thrown)
      return null
    } finally {
      clearTimeout(slow)
      if (isSlow) this.busy.value--
    }
  }

  #failed(thrown: unknown): void {
    const { message, hint } = ClawError.from(thrown)
    this.notice.value = { text: hint === '' ? message : `${message} — ${hint}`, isError: true }
  }

  nameOf(id: string): string {
    return this.snapshot.value.names.get(id as never) ?? id
  }
}
