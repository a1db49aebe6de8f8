import { randomInt } from 'node:crypto'
import * as Y from 'yjs'
import { Mutex } from '../../lib/mutex.ts'
import type { AgentId } from '../../protocol/ids.ts'
import type { Here } from '../../workspace/agents/agents.ts'
import { byPriority, byTime } from '../../workspace/inbox/inbox.ts'
import {
  type Archives,
  acknowledge,
  archivedSince,
  type InboxView,
  presentOf,
  take,
  viewInbox,
  welcome,
} from '../../workspace/inbox/mailbox.ts'
import { isMoot } from '../../workspace/inbox/unread.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { markDelivered } from '../../workspace/tasks/receipts.ts'
import { MAX_WAITING_MESSAGES } from '../config/limits.ts'
import { timed } from '../limits/timed.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import type { FactLog } from '../storage/update-log.ts'
import type { Turn } from '../sync/commands.ts'
import { checkRoom, checkShare } from '../sync/full.ts'
import type { Caller } from '../sync/principal.ts'
import type { Room } from '../sync/room.ts'
import type { Change } from '../sync/room-env.ts'
import { KeptAnswers, type Keyed } from './kept-answers.ts'
import { type Base, del, KeySpace, NEW_STATE, numberOf, put, type State } from './records.ts'
import { UnitOfWork } from './unit-of-work.ts'

export interface HttpAgentEnv {
  facts: FactLog
  now: () => number
  /** The agents that are connected. */
  here: () => Here
  archives: Archives
  /** Wakes the waiting requests. */
  wake: () => void
  /** Charges work to a caller, in milliseconds. */
  spent: (by: Caller, ms: number) => void
}

/** A message that waits to be acknowledged. */
export interface Waiting {
  key: string
  message: Message
}

/** A write that may come again: under its key it is done once. */
export interface Once extends Keyed {
  /** True for a write that makes room: a full document accepts it, too. */
  frees?: (doc: Y.Doc) => boolean
  /** True for a write that adds a message or a task; those of one agent may fill only a share of the document. */
  isEntry?: boolean
}

/** Messages staged before their turn at once (count). */
const AHEAD_AT_ONCE = 50

/** Stages the most urgent messages that the cursor does not cover yet. */
const takeAhead = (
  desk: UnitOfWork,
  me: AgentId,
  here: Here,
  isUrgent: (message: Message) => boolean,
): void => {
  const found = (viewInbox(desk, me, here)?.live ?? [])
    .filter(({ at, message }) => at !== null && !desk.isAhead(at) && isUrgent(message))
    .sort((a, b) => byTime(a.message, b.message))
  const first = byPriority(found).slice(0, AHEAD_AT_ONCE)
  if (first.length === 0) return
  desk.receiveAhead(first)
  const messages = first.map(({ message }) => message)
  markDelivered(desk.doc, me, messages, here.now)
}

/**
 * An agent without a replica. It writes to the server's own document under its own Yjs client id.
 * Its commands run one after the other; the change of the document and the agent's records are on
 * disk together before the answer.
 */
export class HttpAgent {
  readonly room: Room
  readonly agent: AgentId
  readonly drawer: KeySpace
  readonly answers: KeptAnswers
  /** The caller that acts for it and is charged for its work. */
  by: Caller
  readonly #env: HttpAgentEnv
  #state: State | null = null
  #isStored = false
  #waiting = new Map<number, Message>()
  /** Numbers of messages under delivery: no other request gets them. */
  readonly #held = new Set<number>()
  /** Numbers of messages that were delivered, to be acknowledged by id. */
  readonly #shown = new Set<number>()
  readonly #mutex = new Mutex()
  #ended = new AbortController()

  constructor(room: Room, agent: AgentId, env: HttpAgentEnv) {
    this.room = room
    this.agent = agent
    this.drawer = new KeySpace(room.name, agent)
    this.answers = new KeptAnswers(env.facts, this.drawer, env.now)
    this.by = { kind: 'agent', agent, workspace: room.name, role: 'write' }
    this.#env = env
  }

  /** Aborts when its credential ends. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** Its credential ended: ends its waiting requests. */
  end(): void {
    this.#ended.abort()
    this.#ended = new AbortController()
  }

  /** Runs `work` after the earlier ones. */
  readonly turn = <T>(work: () => Promise<T>): Promise<T> => this.#mutex.run(work)

  async #load(): Promise<State> {
    if (this.#state !== null) return this.#state
    const { facts } = this.#env
    const stored = (await facts.get(this.drawer.state())) as State | null
    const messages = await facts.entries(this.drawer.messages)
    this.#waiting = new Map(messages.map(({ key, json }) => [numberOf(key), json as Message]))
    // Deliveries are not stored. Of several messages with one id the oldest was delivered first.
    const ids = new Set<string>()
    for (const [number, { message_id: id }] of this.#waiting) {
      if (!ids.has(id)) this.#shown.add(number)
      ids.add(id)
    }
    this.#isStored = stored?.client !== undefined && stored.client !== null
    const client = stored?.client ?? randomInt(1, 2 ** 32)
    this.#state = { ...(stored ?? NEW_STATE), client }
    return this.#state
  }

  /**
   * Changes the document in this agent's name, and then, in the same commit, with `more` in the server's, which must not
   * throw. `credit`: as of a command. Call it within a turn. Throws what `change` throws.
   */
  async change<T>(
    change: (desk: UnitOfWork) => T,
    more?: (doc: Y.Doc, changed: T, keep: (fact: Op) => void) => void,
    credit: Partial<Pick<Turn, 'via' | 'task'>> = {},
  ): Promise<T> {
    const state = await this.#load()
    const as = { client: state.client!, owner: this.agent as string }
    let changed: { desk: UnitOfWork; value: T } | null = null
    const run: Change<{ desk: UnitOfWork; value: T }> = (doc, _archive, keep) => {
      const desk = new UnitOfWork(doc, this.drawer, state, this.#waiting)
      const value = change(desk)
      if (desk.hasChanged || !this.#isStored) keep(put(this.drawer.state(), desk.state))
      for (const op of desk.ops) keep(op)
      changed = { desk, value }
      return changed
    }
    const by = this.agent
    const made = this.room.command(
      timed((ms) => this.spent(ms), run),
      as,
      { by, ...credit },
    )
    const then: Change<void> = (doc, _archive, keep) => {
      if (changed !== null) more?.(doc, changed.value, keep)
    }
    // Both are queued before either runs: nothing comes in between.
    const done = more === undefined ? null : this.room.command(then, undefined, { by, joins: true })
    const [{ desk, value }] = await Promise.all([made, done])
    this.#state = desk.state
    this.#isStored = true
    for (const [number, message] of desk.received) this.#waiting.set(number, message)
    for (const number of desk.acknowledged) {
      this.#waiting.delete(number)
      this.#held.delete(number)
      this.#shown.delete(number)
    }
    return value
  }

  /**
   * Removes all records of the agent, durably: its id now belongs to another agent, whose inbox
   * begins at the present. The Yjs client id stays.
   */
  empty(): Promise<void> {
    return this.turn(async () => {
      const kept = await this.#env.facts.entries(this.drawer.all)
      await this.change((desk) => {
        for (const { key } of kept) if (key !== this.drawer.state()) desk.ops.push(del(key))
        desk.state = { ...desk.state, records: {} }
        desk.receive(this.agent, [], presentOf(desk.doc))
        desk.hasChanged = true
      })
      this.#waiting.clear()
      this.#held.clear()
      this.#shown.clear()
    })
  }

  /** Milliseconds since the epoch, by the server's clock. */
  now(): number {
    return this.#env.now()
  }

  /** Charges work for it, in milliseconds. */
  spent(ms: number): void {
    this.#env.spent(this.by, ms)
  }

  /** Changes the document once per key. Throws `key_reused`, `quota`, and the errors of `change`. */
  write<T extends object>(once: Once, change: (desk: UnitOfWork) => T): Promise<T> {
    return this.turn(() => this.writeNow(once, change))
  }

  /** As `write`, from within a turn. */
  async writeNow<T extends object>(once: Once, change: (desk: UnitOfWork) => T): Promise<T> {
    const { payload, frees, isEntry = false } = once
    const bounded = (desk: UnitOfWork): T => {
      // In a full one only: to find out takes as long as to do it.
      if (this.room.isFull && !frees?.(desk.doc)) checkRoom(this.room)
      if (isEntry) checkShare(this.room, this.agent, JSON.stringify(payload).length)
      return change(desk)
    }
    const { before, stage } = await this.answers.find(once)
    if (before !== null) return before as T
    return this.change((desk) => {
      const answer = bounded(desk)
      desk.ops.push(...stage(answer))
      return answer
    })
  }

  /** Its base of a file; null: none. */
  async base(path: string): Promise<Base | null> {
    return (await this.#env.facts.get(this.drawer.base(path))) as Base | null
  }

  /**
   * Stages the new messages of the agent; on the first call those that a new inbox begins with. If
   * the inbox is full, stages only the messages that are `isUrgent`, before their turn.
   */
  receive(isUrgent: (message: Message) => boolean): Promise<void> {
    return this.turn(() => this.#receive(isUrgent))
  }

  async #receive(isUrgent: (message: Message) => boolean): Promise<void> {
    await this.#load()
    const { agent } = this
    const moot = this.#free(true)
    if (moot.length > 0) {
      await this.change((desk) => desk.acknowledge(moot.map(({ key }) => key)))
    }
    const here = this.#env.here()
    // An agent that does not read gets no further messages stored; its cursor stays, so none is
    // skipped.
    if (this.#waiting.size >= MAX_WAITING_MESSAGES) {
      if ((this.#state?.ahead?.length ?? 0) >= MAX_WAITING_MESSAGES) return
      return this.change((desk) => takeAhead(desk, agent, here, isUrgent))
    }
    const look = await this.change((desk): InboxView | null => {
      const known = desk.state.cursor?.vector
      if (known === Buffer.from(Y.encodeStateVector(desk.doc)).toString('base64')) return null
      const look = viewInbox(desk, agent, here)
      if (look === null) welcome(desk, agent, here.now)
      else if (!look.lacks.broadcasts && !look.lacks.tasks) {
        take(desk, agent, look, { ...look, messages: [] }, here.now)
      } else return look
      return null
    })
    if (look === null) return
    const missed = await archivedSince(this.room.doc, look, agent, this.#env.archives)
    await this.change((desk) => take(desk, agent, look, missed, here.now))
  }

  /** Waiting messages that are not under delivery, oldest first. */
  get waiting(): Waiting[] {
    return this.#free(false)
  }

  #free(moot: boolean): Waiting[] {
    const { doc } = this.room
    return [...this.#waiting]
      .filter(([number, message]) => !this.#held.has(number) && isMoot(doc, message) === moot)
      .map(([number, message]) => ({ key: String(number), message }))
  }

  /** Messages under delivery (count). */
  get handedOut(): number {
    return this.#held.size
  }

  /** Marks messages as delivered; the agent acknowledges them by id. */
  show(handedOut: readonly Waiting[]): void {
    for (const { key } of handedOut) this.#shown.add(Number(key))
  }

  /** Keeps messages from other requests until they are acknowledged or given back. */
  hold(handedOut: readonly Waiting[]): void {
    for (const { key } of handedOut) this.#held.add(Number(key))
  }

  /** Returns messages that did not arrive, for another delivery. */
  giveBack(handedOut: readonly Waiting[]): void {
    for (const { key } of handedOut) this.#held.delete(Number(key))
    this.#env.wake()
  }

  /**
   * Acknowledges messages that arrived: they are not delivered again, and their senders get
   * receipts.
   */
  acknowledge(handedOut: readonly Waiting[]): Promise<void> {
    return this.turn(() => {
      const open = handedOut.filter(({ key }) => this.#waiting.has(Number(key)))
      return this.change((desk) => acknowledge(desk, this.agent, open, this.#env.now()))
    })
  }

  /**
   * Acknowledges messages by id; resolves to their number. An author chooses the id, and a task has
   * many messages, so an id means the messages delivered under it, not later ones.
   */
  async acknowledgeIds(ids: ReadonlySet<string>): Promise<number> {
    await this.turn(() => this.#load())
    const found = [...this.#waiting].filter(
      ([number, { message_id: id }]) => ids.has(id) && this.#shown.has(number),
    )
    await this.acknowledge(found.map(([number, message]) => ({ key: String(number), message })))
    return found.length
  }
}
