import { getServerTask } from '../../client/http/api.ts'
import type { Replica } from '../../client/replica/replica.ts'
import type { AgentId, FileKey, TaskId } from '../../protocol/ids.ts'
import type { Action, Write } from '../../workspace/actions/action.ts'
import type { FileActor, HeldText } from '../../workspace/actions/file-actor.ts'
import type { Fields, InputOf } from '../../workspace/actions/inputs/field.ts'
import type { Here } from '../../workspace/agents/agents.ts'
import type { Json } from '../../workspace/document/schema.ts'
import type { FileInfo } from '../../workspace/files/file-info.ts'
import { entryOf, findEntry } from '../../workspace/tasks/tasks.ts'
import type { Call, Outcome } from './call.ts'
import {
  answeredBefore,
  checkWrites,
  rememberAnswer,
  settled,
  WorkspaceSession,
} from './workspace-session.ts'

/** The output of a verb for a result. `data`: fields besides the result. */
export type Printed = Pick<Outcome, 'lines' | 'notes'> & { data?: Outcome['data'] }
export type Print<R> = (result: R, session: WorkspaceSession) => Printed

/** The agent of a command, with its replica. */
export class ReplicaActor implements FileActor {
  readonly session: WorkspaceSession
  /** The output of this command, or of its first run under the same key; null: none yet. */
  outcome: Outcome | null = null
  readonly #call: Call
  readonly #print: Print<never>

  constructor(call: Call, session: WorkspaceSession, print: Print<never>) {
    this.#call = call
    this.session = session
    this.#print = print
  }

  get doc() {
    return this.session.doc
  }

  get replica(): Replica {
    return this.session.replica
  }

  get agent(): AgentId {
    return this.session.me()
  }

  get id(): AgentId {
    return this.#call.me()
  }

  readonly joinedAs = undefined

  now(): number {
    return this.session.now()
  }

  get askedAt(): number {
    return this.#call.request.at + this.session.clockOffset
  }

  get here(): Here {
    return this.session.here
  }

  get known(): Here | undefined {
    return this.session.known
  }

  async checkTask(id: TaskId): Promise<void> {
    if (findEntry(this.doc, id) !== undefined) return
    if (this.session.offline !== null) entryOf(this.doc, id)
    await getServerTask(this.#call.target, this.#call.workspace, id)
  }

  /** The change, what is staged with it and the answer under the command's key reach the disk together. */
  async once<T extends object>({ payload }: Write, work: (desk: Replica) => T): Promise<T> {
    const given = payload as Json
    const before = await answeredBefore(this.#call, this.replica, given)
    this.outcome = before
    if (before !== null) return before.data as T
    return this.doc.transact(() => {
      const result = work(this.replica)
      const { data, ...printed } = this.#print(result as never, this.session)
      this.outcome = { ...printed, data: { ...data, ...result, ...data } }
      rememberAnswer(this.#call, this.replica, given, this.outcome)
      return result
    })
  }

  heldText(key: FileKey): Promise<HeldText | null> {
    return this.replica.base(key)
  }

  keepText(key: FileKey, _file: FileInfo, held: HeldText): void {
    this.replica.keepBase(key, held)
  }

  heldLines(key: FileKey): Promise<HeldText | null> {
    return this.replica.seen(key)
  }

  keepLines(key: FileKey, held: HeldText): void {
    this.replica.keepSeen(key, held)
  }

  readVersion(key: FileKey): Promise<number | null> {
    return this.replica.readVersion(key)
  }

  async carrying(key: FileKey): Promise<(to: FileKey) => void> {
    const { replica } = this
    const text = await replica.base(key)
    const bytes = await replica.blob(key)
    return (to) => {
      if (text !== null) replica.keepBase(to, text)
      if (bytes !== null) replica.keepBlob(to, bytes)
    }
  }

  /** They were uploaded just now, or are still there from the first time that the command was given. */
  checkBlob(): Promise<void> {
    return Promise.resolve()
  }

  async heldBlob(key: FileKey): Promise<string | null> {
    return (await this.replica.blob(key))?.sha256 ?? null
  }

  keepBlob(key: FileKey, { version }: FileInfo, sha256: string): void {
    this.replica.keepBlob(key, { version, sha256 })
  }
}

/**
 * Carries an action out on the replica; what it writes is then made durable on the server or, with that away, queued. Throws
 * `not_allowed`, and what the action throws.
 */
export const act = async <F extends Fields, R extends object>(
  call: Call,
  action: Action<F, R, ReplicaActor>,
  input: InputOf<F>,
  print: Print<R>,
  session?: WorkspaceSession,
): Promise<Outcome> => {
  checkWrites(call)
  const open = session ?? (await WorkspaceSession.open(call, true))
  const actor = new ReplicaActor(call, open, print as Print<never>)
  await action.run(actor, input)
  return settled(open, actor.outcome!)
}
