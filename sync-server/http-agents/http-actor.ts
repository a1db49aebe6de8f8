import { randomUUID } from 'node:crypto'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileKey, TaskId } from '../../protocol/ids.ts'
import type { Action, Granted, MergeTexts, Write } from '../../workspace/actions/action.ts'
import type { FileActor, HeldText, ToJudge, ToSuggest } from '../../workspace/actions/file-actor.ts'
import type { Fields, InputOf } from '../../workspace/actions/inputs/field.ts'
import type { Suggested } from '../../workspace/actions/suggest.ts'
import type { Agent, Here } from '../../workspace/agents/agents.ts'
import { versionOf } from '../../workspace/files/edit-counts.ts'
import { type FileInfo, readFile } from '../../workspace/files/file-info.ts'
import { findLeaf } from '../../workspace/files/tree.ts'
import type { RequestedChange } from '../../workspace/tasks/task-change.ts'
import { claimNext } from '../../workspace/tasks/task-next.ts'
import { entryOf, findEntry, type Task } from '../../workspace/tasks/tasks.ts'
import { checkRoom } from '../sync/full.ts'
import { changeIn } from '../tasks/moving.ts'
import { findArchived } from '../tasks/scheduler.ts'
import { baseOf, baseText, heldBy } from './bases.ts'
import { type ActionContext, registered } from './context.ts'
import { merging } from './merging.ts'
import { type Base, put as stored } from './records.ts'
import { staleIn } from './stale.ts'
import { fileFor, judgeFor } from './suggestions.ts'
import type { UnitOfWork } from './unit-of-work.ts'

/** An agent without a replica: the server acts for it, on its own document. */
export class HttpActor implements FileActor {
  readonly context: ActionContext
  readonly #what: string
  /** Of the write that is being made. */
  #desk: UnitOfWork | null = null

  /** `what`: the action's name, of which its idempotency key is. */
  constructor(context: ActionContext, what: string) {
    this.context = context
    this.#what = what
  }

  get doc() {
    return this.context.httpAgent.room.doc
  }

  get agent(): AgentId {
    registered(this.context.httpAgent)
    return this.id
  }

  get id(): AgentId {
    return this.context.httpAgent.agent
  }

  get joinedAs(): Agent['kind'] | undefined {
    const { env, httpAgent } = this.context
    return env.access.members.kindOf(httpAgent.room.name, httpAgent.agent)
  }

  now(): number {
    return this.context.env.now()
  }

  get askedAt(): number {
    return this.now()
  }

  get here(): Here {
    const { env, httpAgent } = this.context
    return env.httpAgents.here(httpAgent.room)
  }

  get known(): Here | undefined {
    return this.here
  }

  async checkTask(id: TaskId): Promise<void> {
    const { env, httpAgent } = this.context
    if (findEntry(this.doc, id) !== undefined) return
    if ((await findArchived(env.updateLog, httpAgent.room.name, id)) === null) entryOf(this.doc, id)
  }

  /** A long merge is made in a thread; the work then runs again with its result. */
  once<T extends object>(
    write: Write,
    work: (desk: UnitOfWork, merge: MergeTexts) => T,
  ): Promise<T> {
    const { env, httpAgent, key } = this.context
    const named = { key, what: this.#what, ...write }
    return merging(
      env.texts,
      (ms) => httpAgent.spent(ms),
      (merge) =>
        httpAgent.writeNow(named, (desk) => {
          this.#desk = desk
          return work(desk, merge)
        }),
    )
  }

  async changeTask(task: TaskId, change: RequestedChange): Promise<{ task: Task } | Granted> {
    const { env, httpAgent } = this.context
    // Before the agent's registration is asked for: an unknown task is that for everybody.
    await this.checkTask(task)
    const command = { ...change, task, ...this.#command() }
    const isResult = change.state === 'completed'
    const stale = isResult ? await staleIn(this.context, task, change.basis) : []
    const changed = await changeIn(env, httpAgent.room, { ...command, stale })
    return { task: changed, ...(change.name === 'claim' && this.#lease) }
  }

  async claimNext(caps?: readonly string[]): Promise<Granted> {
    const { env, httpAgent } = this.context
    const command = { ...this.#command(), caps }
    checkRoom(httpAgent.room)
    const task = await env.tasks.command(httpAgent.room, (doc, index) =>
      claimNext(doc, index, command),
    )
    return { task, ...this.#lease }
  }

  #command() {
    return { by: this.agent, key: this.context.key ?? randomUUID(), now: this.now() }
  }

  get #lease() {
    return { lease_seconds: this.context.env.leaseMs / 1000 }
  }

  async heldText(key: FileKey, content: string, version?: number): Promise<HeldText | null> {
    const { token = null } = this.context
    const held = await heldBy(this.context, token, { key, content, base_version: version })
    if (held !== null) return { version: held.base.version, content: held.text }
    if (version === undefined) return null
    throw unknownVersion(key, version, 'get the file, and make your change in what it is now')
  }

  keepText(_key: FileKey, file: FileInfo, { version, content }: HeldText): void {
    const { doc, ops, drawer } = this.#desk!
    const { file_key } = file
    const now = baseOf(doc, file)
    const isSame = readFile(doc, file_key).content === content
    const at = this.now()
    const base: Base = isSame
      ? { ...now, at }
      : { ...now, version, content, result: now.version, at }
    ops.push(stored(drawer.base(file_key), base))
  }

  async heldLines(key: FileKey, version?: number): Promise<HeldText | null> {
    if (version === undefined) return null
    const { env, httpAgent } = this.context
    const leaf = findLeaf(this.doc, key)
    if (leaf === null) return null
    const { fileId } = leaf.entry
    const isThere = version <= versionOf(this.doc, fileId)
    const content = isThere ? await baseText(env, httpAgent.room, { fileId, version }) : null
    if (content !== null) return { version, content }
    throw unknownVersion(
      key,
      version,
      'get the file; line numbers are those of the version that you name',
    )
  }

  /** Does nothing: requests by HTTP name the version of their line numbers. */
  keepLines(): void {}

  /** Unknown: it may have read the file as any agent of its token. */
  readVersion(): Promise<null> {
    return Promise.resolve(null)
  }

  /** Its bases name the file by id, which a move does not change. */
  carrying(): Promise<() => void> {
    return Promise.resolve(() => {})
  }

  suggest(proposal: ToSuggest, held: HeldText | null): Promise<Suggested> {
    return fileFor(this.context, proposal, held)
  }

  judge(what: 'accept' | 'reject', input: ToJudge): Promise<Suggested> {
    registered(this.context.httpAgent)
    return judgeFor(this.context, what, input)
  }

  async checkBlob(sha256: string, size: number): Promise<void> {
    const { env, httpAgent } = this.context
    if ((await env.blobs.size(httpAgent.room.name, sha256)) === size) return
    throw new ClawError(
      'unknown_blob',
      `the server has no blob ${sha256} of ${size} bytes`,
      'PUT it first',
    )
  }

  /** Its requests name the bytes that they have read. */
  heldBlob(): Promise<null> {
    return Promise.resolve(null)
  }

  keepBlob(): void {}
}

const unknownVersion = (key: string, version: number, hint: string): ClawError =>
  new ClawError('unknown_version', `version ${version} of ${key} is not there, or not kept`, hint)

/** Runs an action for an agent, after its earlier ones. Throws what the action throws. */
export const act = <F extends Fields, R extends object>(
  context: ActionContext,
  action: Action<F, R, HttpActor>,
  input: InputOf<F>,
): Promise<R> => context.httpAgent.turn(() => runNow(context, action, input))

/** The same without waiting for its other actions: a command on a task takes its turn among all commands. */
export const runNow = <F extends Fields, R extends object>(
  context: ActionContext,
  action: Action<F, R, HttpActor>,
  input: InputOf<F>,
): Promise<R> => action.run(new HttpActor(context, action.name), input)
