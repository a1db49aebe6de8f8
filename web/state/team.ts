import { signal } from '@preact/signals'
import type { Attached } from '../../client/resident/attach.ts'
import { ClawError } from '../../protocol/errors.ts'
import { Store } from '../../tui/model/store.ts'
import { call, inWorkspace } from '../session/api.ts'
import type { Saving, Workspace } from '../session/workspace.ts'

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

  /** Has the server do something as this person; tells of an error. True if it is done. */
  async act(rest: string, body: object, done?: string): Promise<boolean> {
    try {
      await call(
        this.workspace.where.workspace,
        'POST',
        inWorkspace(this.workspace.where.workspace, rest),
        body,
      )
      if (done !== undefined) this.notice.value = { text: done, isError: false }
      return true
    } catch (thrown) {
      const { message, hint } = ClawError.from(thrown)
      this.notice.value = { text: hint === '' ? message : `${message} — ${hint}`, isError: true }
      return false
    }
  }

  nameOf(id: string): string {
    return this.snapshot.value.names.get(id as never) ?? id
  }
}
