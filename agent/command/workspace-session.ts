import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type * as Y from 'yjs'
import type { KeyKind } from '../../client/replica/answers.ts'
import { splitOverlaps } from '../../client/replica/edit-conflicts.ts'
import type { FileBase, Replica, Unread } from '../../client/replica/replica.ts'
import { isAway } from '../../client/session/outbox.ts'
import type { LineRange } from '../../lib/merge/edits.ts'
import { isPristine } from '../../lib/yjs/internals.ts'
import { ClawError } from '../../protocol/errors.ts'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import { answerOf } from '../../protocol/idempotency.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import type { Role } from '../../protocol/roles.ts'
import { type Here, hasAgent } from '../../workspace/agents/agents.ts'
import { type Presence, setLinkState } from '../../workspace/agents/presence.ts'
import type { Json } from '../../workspace/document/schema.ts'
import { cursorOver, whoIsIn } from '../../workspace/files/cursors.ts'
import { linesText, tellOthers } from '../../workspace/inbox/conflicts.ts'
import { tellTogether, togetherText } from '../../workspace/inbox/together.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { Mirrors } from '../mirror/mirrors.ts'
import type { Listening, Wanted } from '../session/listening.ts'
import type { WorkspaceHandle } from '../session/workspace-handle.ts'
import type { Call, Outcome } from './call.ts'
import { presenceOf } from './profile.ts'
import { path, who } from './text.ts'

/** Enough for a first sync of a large workspace over a slow line. */
const SYNC_TIMEOUT_MS = 30_000
/** A server answers within milliseconds; one that compacts a large workspace takes longer. */
const BARRIER_TIMEOUT_MS = 15_000

/** A profile's workspace, for one command: its replica, and the server if it can be reached. */
export class WorkspaceSession {
  readonly replica: Replica
  /** The reason for the missing connection; null if there is a connection. */
  offline: ClawError | null = null
  readonly #call: Call
  readonly #place: WorkspaceHandle

  private constructor(call: Call, place: WorkspaceHandle) {
    this.#call = call
    this.#place = place
    this.replica = place.replica
  }

  /**
   * Opens the replica and syncs it. Where the server is away, a command that `fallsBack` works with the replica, if
   * that ever was in sync; otherwise throws `unreachable` and the like.
   */
  static async open(call: Call, fallsBack: boolean): Promise<WorkspaceSession> {
    const away = await mayEnter(call, fallsBack)
    const place = await call.place()
    const team = new WorkspaceSession(call, place)
    const { doc } = place.replica
    try {
      if (away !== null) throw away
      await connected(call, place)
      const me = call.profile.state.agent_id
      const isKept = call.host.link !== null || me === undefined || call.access.readsOnly()
      if (!isKept) setLinkState(doc, me, null)
      await place.drain()
    } catch (error) {
      if (!fallsBack || !isAway(error) || isPristine(doc)) throw error
      team.offline = error
    }
    return team
  }

  /** The replica, also after the call has let other commands have it. */
  reopened(): Promise<Replica> {
    return openReplica(this.#call)
  }

  get doc(): Y.Doc {
    return this.replica.doc
  }

  get here(): Here {
    return this.offline === null ? this.#place.here : { present: new Set(), now: this.now() }
  }

  /** Milliseconds that the server's clock is ahead of this machine's. */
  get clockOffset(): number {
    return this.#place.clockOffset
  }

  /** Milliseconds since the epoch by the server's clock; offline by its last known difference. */
  now(): number {
    return this.#place.now()
  }

  /** The same; undefined offline, where presence is unknown. */
  get known(): Here | undefined {
    return this.offline === null ? this.#place.here : undefined
  }

  /** The agents in each file, and their intents there. */
  whoIsIn(): ReturnType<typeof whoIsIn> {
    return whoIsIn(this.doc, this.#place.session?.presences() ?? [], this.now())
  }

  /** Replaces the presence that other agents see. */
  show(presence: Presence | null): void {
    this.#place.connect(presence)
  }

  /** Shows the others, for a while, where in a file this agent is. */
  point(file: FileId, lines: LineRange): void {
    if (this.offline === null) this.#place.point(cursorOver(this.doc, file, lines))
  }

  /** Finds out whether others change these lines, which were changed just now, at the same time. */
  watch(file: FileId, lines: readonly LineRange[]): void {
    this.#place.overlaps.watch(file, lines)
  }

  /**
   * Takes the overlaps with changes of others, after all changes are confirmed, and tells those
   * agents.
   */
  async overlaps(): Promise<ReturnType<typeof splitOverlaps>> {
    const found = this.#place.overlaps.take()
    if (found.length === 0) return { conflicts: [], together: [] }
    const me = this.me()
    const { conflicts, together } = splitOverlaps(found)
    for (const overlap of conflicts) {
      tellOthers(this.doc, me, overlap.file_key, overlap, newMessageId, this.now())
    }
    const told = together.filter((pair) =>
      tellTogether(this.doc, me, pair.file_key, pair, newMessageId, this.now()),
    )
    await this.settle()
    return { conflicts, together: told }
  }

  /** This profile's id in this workspace. Throws `not_registered`. */
  me(): AgentId {
    const me = this.#call.me()
    if (!hasAgent(this.doc, me)) throw this.#call.notRegistered()
    return me
  }

  /**
   * Commits the messages that came in, and gives those that nobody acknowledged, oldest first. News of a version that
   * this agent has read, by itself or by a mirror, is acknowledged, and so are tasks that it gave itself.
   */
  async inbox(): Promise<Unread[]> {
    const me = this.me()
    await this.#place.receive(me)
    await this.replica.commit()
    const all = await this.replica.inbox(me)
    const known = new Set<Unread>()
    for (const one of all) if (await this.#hasRead(one.message)) known.add(one)
    if (known.size === 0) return all
    this.replica.acknowledge([...known].map(({ key }) => key))
    await this.replica.commit()
    return all.filter((one) => !known.has(one))
  }

  async #hasRead(message: Message): Promise<boolean> {
    // An agent knows the task that it gave itself, until that comes back.
    if (message.type === 'task_delegation')
      return message.from_agent === this.me() && message.attempt === undefined
    if (message.type !== 'file_updated') return false
    const read = await this.readVersion(message.file_key)
    return read !== null && read >= message.version
  }

  /** The version of a file that this agent last read or wrote, or that a mirror brought to its disk; null: none. */
  async readVersion(key: string): Promise<number | null> {
    const read = await this.replica.readVersion(key)
    const mirrored = this.mirrors?.versionOf(key) ?? null
    return read === null || (mirrored !== null && mirrored > read) ? mirrored : read
  }

  /** The text that `readVersion` is about; null: none. */
  async readText(key: string): Promise<FileBase | null> {
    const read = await this.replica.base(key)
    const mirrored = this.mirrors?.versionOf(key) ?? null
    if (mirrored === null || (read !== null && read.version >= mirrored)) return read
    return (await this.mirrors!.textOf(key)) ?? read
  }

  /** The mirrors of this workspace; null: no link runs any. */
  get mirrors(): Mirrors | null {
    const all = this.#call.host.link?.workspaces() ?? []
    return all.find(({ handle }) => handle.replica === this.replica)?.mirrors ?? null
  }

  /** Begins to listen for what may come in, also once this call is closed. */
  listen(wanted: Wanted): Listening {
    const { host, profile } = this.#call
    return host.listen(this.#place, presenceOf(profile.state), wanted)
  }

  /** True if the agent itself waits by a command, or got news by one within the last `ms` milliseconds. */
  isAttended(ms: number): boolean {
    return this.#place.isAttended(ms)
  }

  /** Says on stderr that what follows is the local copy; the fields to add to the data. */
  admitOffline(): { offline?: true } {
    if (this.offline === null) return {}
    const { contact } = this.#place.session ?? {}
    const since = contact === undefined ? '' : ` since ${new Date(contact.since).toISOString()}`
    this.#call.notes.push(`${this.offline.message}; offline${since}: this is the local copy`)
    return { offline: true }
  }

  /** Commits, and waits until the server has on disk all that this replica has; offline only commits. */
  async #stored(): Promise<void> {
    await this.replica.commit()
    if (this.offline === null) await this.#place.session?.barrier(BARRIER_TIMEOUT_MS)
  }

  /** Waits until all writes are on the server. A server that rejects them is noted, and does not stop a read. */
  async confirm(): Promise<void> {
    await this.#stored().catch((error) => {
      if (error !== this.#place.session?.held) throw error
      this.#call.notes.push(`${error.message}; what was written here waits`)
    })
  }

  /**
   * The same for the writes of this command. Returns the fields to add to the data: unconfirmed writes stay queued.
   * Throws the server's reason for rejecting them.
   */
  async settle(): Promise<{ durable?: false }> {
    this.#place.session?.resend()
    await this.#stored().catch((error) => {
      if (!isAway(error)) throw error
      this.offline = error
    })
    if (this.offline === null) return {}
    const until = this.#call.host.link === null ? 'for the next command' : 'until it is back'
    this.#call.notes.push(`${this.offline.message}; saved here, queued ${until}`)
    return { durable: false }
  }
}

/**
 * Resolves when there is something to show to the server; to why not where that is away. Throws where it refuses, and where it is
 * away and nothing of it is here: a replica is made of a server that has answered only.
 */
export const mayEnter = async (call: Call, fallsBack: boolean): Promise<ClawError | null> => {
  try {
    await call.access.ready()
    return null
  } catch (error) {
    if (!fallsBack || !isAway(error) || !existsSync(call.at.dir)) throw error
    return error
  }
}

/** Resolves once the server's state is here. Joins again if the server no longer knows this profile. */
const connected = async (call: Call, place: WorkspaceHandle): Promise<void> => {
  const fresh = () => place.connect(presenceOf(call.profile.state)).fresh(SYNC_TIMEOUT_MS)
  try {
    await fresh()
  } catch (error) {
    if (!(await call.access.renew(error))) throw error
    await fresh()
  }
}

/** The replica of a call's workspace, for as long as the call lasts. */
export const openReplica = async (call: Call): Promise<Replica> => (await call.place()).replica

/**
 * Tells commands under the same given key apart. A command's own key belongs to one command, so its
 * digest is empty.
 */
const digestOf = (call: Call, kind: KeyKind, payload: Json): string =>
  kind === 'own'
    ? ''
    : createHash('sha256')
        .update(JSON.stringify([call.verb, payload]))
        .digest('hex')

/**
 * The earlier answer under the call's key: the given one, or its own if a link that then ended had
 * begun it; null: none. Throws `key_reused` if the key was used for another command.
 */
export const answeredBefore = async (
  call: Call,
  replica: Replica,
  payload: Json,
): Promise<Outcome | null> => {
  const { key, kind } = call.idempotencyKey()
  const known = await replica.answered(key)
  return answerOf(key, digestOf(call, kind, payload), known) as unknown as Outcome | null
}

/** Stages the answer that the call's key gives from now on. */
export const rememberAnswer = (
  call: Call,
  replica: Replica,
  payload: Json,
  outcome: Outcome,
): void => {
  const { key, kind } = call.idempotencyKey()
  const answer = outcome as unknown as Json
  replica.remember(key, { digest: digestOf(call, kind, payload), answer }, kind)
}

const onlyReads = (role: Role | null): ClawError =>
  new ClawError(
    'not_allowed',
    role === 'suggest'
      ? 'you joined with a link to suggest: file-suggest'
      : 'you joined with a read-only link',
    'ask the host for a link with the role write, then: clawlink-agent join -',
  )

/** Throws `not_allowed` for a profile that writes nothing, and has none of the roles of an action. */
export const checkWrites = (call: Call, roles: readonly Role[] = []): void => {
  const { role } = call.access
  if (call.access.readsOnly() && (role === null || !roles.includes(role))) throw onlyReads(role)
}

/**
 * A write that merges: carried out on the replica, then made durable on the server or, with that away, queued. The
 * change, what `action` stages with it and the answer under the call's key reach the disk together. Throws `not_allowed`.
 */
export const mergingWrite = async (
  call: Call,
  payload: Json,
  action: (team: WorkspaceSession) => Outcome,
  team?: WorkspaceSession,
): Promise<Outcome> => {
  checkWrites(call)
  team ??= await WorkspaceSession.open(call, true)
  let outcome = await answeredBefore(call, team.replica, payload)
  if (outcome === null) {
    const open = team
    outcome = team.doc.transact(() => action(open))
    rememberAnswer(call, team.replica, payload, outcome)
  }
  return settled(team, outcome)
}

/** The outcome of a write once it is durable or queued, with the conflicts that were found meanwhile. */
export const settled = async (team: WorkspaceSession, outcome: Outcome): Promise<Outcome> => {
  const queued = await team.settle()
  const data = { ...outcome.data, ...queued }
  if (queued.durable === false) return { ...outcome, data }
  const { conflicts: late, together: close } = await team.overlaps()
  if (late.length + close.length === 0) return { ...outcome, data }
  const { conflicts, together } = data as { [field: string]: readonly unknown[] | undefined }
  return {
    ...outcome,
    data: {
      ...data,
      ...(late.length > 0 && { conflicts: [...(conflicts ?? []), ...late] }),
      ...(close.length > 0 && { together: [...(together ?? []), ...close] }),
    },
    notes: [
      ...(outcome.notes ?? []),
      ...close.map((pair) =>
        togetherText(path(pair.file_key), { ...pair, by: who(team.doc, pair.by) }),
      ),
      ...late.map(
        (one) =>
          `conflict in ${path(one.file_key)}, ${linesText(one)}: ${one.by} changed them at the same moment; file-get and settle it`,
      ),
    ],
  }
}
