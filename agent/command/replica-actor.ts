import { getServerTask, postNext, postTask } from '../../client/http/api.ts'
import { postJudgement, postSuggestion } from '../../client/http/suggestions.ts'
import type { Replica } from '../../client/replica/replica.ts'
import { isAway } from '../../client/session/outbox.ts'
import type { AgentId, FileKey, TaskId } from '../../protocol/ids.ts'
import type { Action, Granted, Write } from '../../workspace/actions/action.ts'
import type { FileActor, HeldText, ToJudge, ToSuggest } from '../../workspace/actions/file-actor.ts'
import type { Fields, InputOf } from '../../workspace/actions/inputs/field.ts'
import type { Suggested } from '../../workspace/actions/suggest.ts'
import type { Here } from '../../workspace/agents/agents.ts'
import type { Json } from '../../workspace/document/schema.ts'
import type { FileInfo } from '../../workspace/files/file-info.ts'
import type { RequestedChange } from '../../workspace/tasks/task-change.ts'
import { entryOf, findEntry, getTask, type Task } from '../../workspace/tasks/tasks.ts'
import type { Call, Outcome } from './call.ts'
import { oneLine } from './text.ts'
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
  /** False once all that the command wrote is on the server. */
  isPending = true
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

  /** The change, the staged records and the answer under the command's key reach the disk together. */
  async once<T extends object>({ payload }: Write, work: (desk: Replica) => T): Promise<T> {
    const given = payload as Json
    const before = await answeredBefore(this.#call, this.replica, given)
    this.outcome = before
    if (before !== null) return before.data as T
    return this.doc.transact(() => {
      const result = work(this.replica)
      this.#answer(given, this.#printed(result))
      return result
    })
  }

  #printed(result: object): Outcome {
    const { data, ...printed } = this.#print(result as never, this.session)
    return { ...printed, data: { ...data, ...result, ...data } }
  }

  /** Stages the outcome as the answer under the command's key. */
  #answer(payload: Json, outcome: Outcome): void {
    this.outcome = outcome
    rememberAnswer(this.#call, this.replica, payload, outcome)
  }

  /** With the server away, the change is kept in the replica and sent later, in order; a rejection then comes by the inbox. */
  async changeTask(
    id: TaskId,
    { token: grant, ...change }: RequestedChange,
  ): Promise<{ task: Task }> {
    const entry = findEntry(this.doc, id)
    const mine = entry?.status.owner === this.agent ? entry.status.token : undefined
    const token = change.name === 'status' ? (grant ?? mine) : undefined
    const whole = {
      ...{ ...change, by: this.agent, key: this.#call.idempotencyKey().key },
      ...(token !== undefined && { token }),
    }
    const { target, workspace, verb } = this.#call
    // A repeat under the same key is the same command, also if the agent has read more since.
    const { basis: _, ...named } = change
    return this.#asked(
      { id, ...named, to: change.to ?? null } as never,
      () => postTask(target, workspace, id, whole) as Promise<{ task: Task }>,
      (error) => {
        // A task that is not here may exist on the server; by then another agent may have claimed it.
        if (entry === undefined || change.name === 'claim') throw error
        this.replica.enqueue({ verb, task: id, command: whole })
        const queued = change.state ?? change.name
        const data = { task: getTask(this.doc, id), queued }
        return { data, lines: [oneLine(`${id}: ${queued} is queued`)] }
      },
    )
  }

  async claimNext(caps?: readonly string[]): Promise<Granted> {
    const { target, workspace } = this.#call
    const { key } = this.#call.idempotencyKey()
    const command = { by: this.agent, key, ...(caps !== undefined && { caps }) }
    return this.#asked(
      { caps: caps ?? null } as never,
      () => postNext(target, workspace, command) as Promise<Granted>,
      (error) => {
        throw error
      },
    )
  }

  /** Asks the server, once under the command's key. `away`: the outcome where it cannot be reached. */
  async #asked<T extends object>(
    payload: Json,
    ask: () => Promise<T>,
    away: (error: unknown) => Outcome,
  ): Promise<T> {
    const { session } = this
    this.outcome = await answeredBefore(this.#call, this.replica, payload)
    if (this.outcome !== null) {
      this.isPending = 'queued' in this.outcome.data
      return this.outcome.data as T
    }
    try {
      await session.confirm()
      if (session.offline !== null) throw session.offline
      this.#answer(payload, this.#printed(await ask()))
    } catch (error) {
      if (!isAway(error)) throw error
      this.#answer(payload, away(error))
      session.offline = error
    }
    await this.replica.commit()
    this.isPending = session.offline !== null
    return this.outcome!.data as T
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

  suggest(proposal: ToSuggest, held: HeldText | null): Promise<Suggested> {
    const { target, workspace } = this.#call
    const { key } = this.#call.idempotencyKey()
    const base = held === null ? {} : { base_version: held.version }
    const whole = { ...proposal, ...base, by: this.agent }
    return this.#asked(
      proposal as never,
      () => postSuggestion(target, workspace, whole, key),
      (error) => {
        throw error
      },
    )
  }

  judge(what: 'accept' | 'reject', input: ToJudge): Promise<Suggested> {
    const { target, workspace } = this.#call
    const command = { ...input, by: this.agent, key: this.#call.idempotencyKey().key }
    return this.#asked(
      input as never,
      () => postJudgement(target, workspace, what, command),
      (error) => {
        throw error
      },
    )
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
 * Runs an action on the replica. Its writes become durable on the server, or are queued while the server is away.
 * Throws `not_allowed`, and the errors of the action.
 */
export const act = async <F extends Fields, R extends object>(
  call: Call,
  action: Action<F, R, ReplicaActor>,
  input: InputOf<F>,
  print: Print<R>,
  session?: WorkspaceSession,
): Promise<Outcome> => {
  checkWrites(call, action.roles)
  const open = session ?? (await WorkspaceSession.open(call, true))
  const actor = new ReplicaActor(call, open, print as Print<never>)
  await action.run(actor, input)
  return actor.isPending ? settled(open, actor.outcome!) : actor.outcome!
}
