import * as Y from 'yjs'
import { seeded } from '../../bench/stats.ts'
import { type Here, registerAgent } from '../../workspace/agents.ts'
import { ClawError } from '../../workspace/errors.ts'
import type { AgentId, TaskId } from '../../workspace/ids.ts'
import type { Message, StateVector } from '../../workspace/inbox.ts'
import { MAX_ATTEMPTS } from '../../workspace/limits.ts'
import { receive } from '../../workspace/link/inbox.ts'
import type { InboxPosition, Replica } from '../../workspace/link/replica.ts'
import {
  initWorkspace,
  intakeOf,
  PRIORITIES,
  SERVER_ID,
  type TaskState,
  type TaskStatus,
} from '../../workspace/schema.ts'
import { type ArchivedTask, readArchivedTask } from '../../workspace/task-archive.ts'
import {
  approveTask,
  cancelTask,
  claimTask,
  declineTask,
  moveTask,
  releaseTask,
} from '../../workspace/task-commands.ts'
import { claimNext } from '../../workspace/task-next.ts'
import { isAddressee, isTakeable } from '../../workspace/task-routing.ts'
import { Settler, type World } from '../../workspace/task-settle.ts'
import { isTerminal, TRANSITIONS } from '../../workspace/task-states.ts'
import { offersOf } from '../../workspace/task-write.ts'
import {
  addNote,
  addTask,
  entries,
  findEntry,
  historyOf,
  type TaskEntry,
} from '../../workspace/tasks.ts'

/**
 * Random histories of a team and its tasks, against what must hold whatever happens: agents hand in, claim, answer, come,
 * go and lag behind, time passes, the server is killed and starts again with what it had stored. After every step the
 * rules are checked; at the end everybody comes back and works, and then every task that somebody can do has ended, and
 * every inbox has been told everything exactly once.
 */

const CAPS = ['web', 'pdf', 'mac']
const STATES = Object.keys(TRANSITIONS) as TaskState[]
const LEASE_MS = 10_000
const SERVER_CLIENT = 1

/** One agent: a replica of its own that lags behind, and an inbox over it. */
class Member {
  readonly id: AgentId
  readonly doc = new Y.Doc()
  /** Updates that have not reached the server yet, in order. */
  readonly out: Uint8Array[] = []
  readonly told: Message[] = []
  #cursor: StateVector = new Map()
  #position: Omit<InboxPosition, 'vector'> = { archived: 0, archivedTasks: 0 }
  readonly #archive: Archive

  constructor(id: AgentId, client: number, archive: Archive) {
    this.id = id
    this.doc.clientID = client
    this.#archive = archive
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'server') this.out.push(update)
    })
  }

  /** Looks into its inbox as a link does, with the server's archive at hand. */
  async look(here: Here): Promise<void> {
    const replica = {
      doc: this.doc,
      cursor: () => this.#cursor,
      archivePosition: () => this.#position,
      receive: (_me: AgentId, messages: Message[], to: InboxPosition) => {
        this.told.push(...messages)
        this.#cursor = Y.decodeStateVector(to.vector)
        this.#position = to
      },
    } as unknown as Replica
    await receive(replica, this.id, here, {
      broadcasts: async (after) => ({ entries: [], next: after }),
      tasks: async (after) => this.#archive.after(after),
    })
  }
}

/** What the server has archived, in order. */
class Archive {
  readonly entries: ArchivedTask[] = []
  readonly byId = new Map<TaskId, ArchivedTask>()

  add(value: Uint8Array): void {
    const task = readArchivedTask(value)!
    this.entries.push(task)
    this.byId.set(task.id, task)
  }

  /** A page of three: pages matter. */
  after(after: number) {
    const page = this.entries.slice(after, after + 3)
    const entries = page.map((task, i) => ({ seq: after + i + 1, task }))
    return { entries, next: after + page.length }
  }
}

export interface Counts {
  steps: number
  tasks: number
  grants: number
  lost: number
  archived: number
  restarts: number
  refused: number
  completed: number
}

class Broken extends Error {}
const must = (is: boolean, what: string): void => {
  if (!is) throw new Broken(what)
}

class Model {
  readonly counts: Counts = {
    ...{
      steps: 0,
      tasks: 0,
      grants: 0,
      lost: 0,
      archived: 0,
      restarts: 0,
      refused: 0,
      completed: 0,
    },
  }
  readonly #random: () => number
  readonly #archive = new Archive()
  readonly #members: Member[] = []
  readonly #handedIn = new Set<TaskId>()
  readonly #notes = new Map<TaskId, number>()
  readonly #lastSeen = new Map<AgentId, number>()
  readonly #present = new Set<AgentId>()
  readonly #looked = new Map<TaskId, ArchivedTask | null>()
  readonly #before = new Map<TaskId, TaskStatus>()
  #now = 1_000
  #since = 1_000
  #doc = new Y.Doc()
  #settler: Settler
  #keys = 0

  constructor(seed: number) {
    this.#random = seeded(seed)
    this.#doc.clientID = SERVER_CLIENT
    initWorkspace(this.#doc, 'w', 0)
    this.#settler = new Settler(this.#doc)
    for (let i = 0; i < 5; i++) {
      const member = new Member(`a-${i}` as AgentId, 10 + i, this.#archive)
      this.#members.push(member)
      this.#pull(member)
      this.#register(member)
      this.#push(member)
      this.#present.add(member.id)
    }
    this.#settle()
    for (const member of this.#members) this.#pull(member)
  }

  // ── The server ─────────────────────────────────────────────────────────────────────────────────────────────

  get #here(): Here {
    return { present: this.#present, now: this.#now }
  }

  #world(): World {
    return {
      ...{ now: this.#now, leaseMs: LEASE_MS, offerMs: 3_000, archiveAfterMs: 60_000 },
      here: this.#here,
      lastSeen: (id) =>
        this.#present.has(id) ? this.#now : (this.#lastSeen.get(id) ?? this.#since),
      archived: this.#looked,
    }
  }

  #settle(): void {
    for (let round = 0; ; round++) {
      must(round < 50, 'settling does not end')
      const { unknown } = this.#doc.transact(() =>
        this.#settler.settle(this.#world(), ({ value }) => this.#archive.add(value)),
      )
      if (unknown.size === 0) break
      for (const id of unknown) this.#looked.set(id, this.#archive.byId.get(id) ?? null)
    }
    for (const [id, task] of this.#looked) if (task === null) this.#looked.delete(id)
    this.#check()
  }

  /** kill -9, and a start with what is stored. */
  #restart(): void {
    this.counts.restarts++
    const stored = Y.encodeStateAsUpdate(this.#doc)
    this.#settler.close()
    this.#doc = new Y.Doc()
    Y.applyUpdate(this.#doc, stored)
    this.#doc.clientID = SERVER_CLIENT
    this.#settler = new Settler(this.#doc)
    this.#looked.clear()
    this.#lastSeen.clear()
    this.#since = this.#now
    this.#settle()
  }

  #command(run: () => unknown): void {
    this.#settle()
    try {
      this.#doc.transact(run)
    } catch (error) {
      if (!(error instanceof ClawError)) throw error
      must(error.code !== 'bug', error.message)
      this.counts.refused++
    }
    this.#check()
    this.#settle()
  }

  // ── What must hold ─────────────────────────────────────────────────────────────────────────────────────────

  #check(): void {
    for (const entry of entries(this.#doc)) if (entry.record !== null) this.#checkOne(entry)
  }

  #checkOne(entry: TaskEntry): void {
    const { id, facts, status } = entry
    const before = this.#before.get(id)
    if (before?.revision === status.revision) return
    this.#before.set(id, status)
    const history = historyOf(entry)
    const last = history.at(-1)
    must(!this.#archive.byId.has(id), `${id} is live and archived`)
    must((last?.revision ?? 0) === status.revision, `${id}: history is at another revision`)
    must(last === undefined || last.state === status.state, `${id}: history has another state`)
    const owned = status.state === 'working' || status.state === 'input-required'
    must(!owned || status.owner !== null, `${id} is ${status.state} and nobody's`)
    must(status.state !== 'submitted' || status.owner === null, `${id} is free and owned`)
    must((status.ended ?? 0) <= (facts.maxAttempts ?? MAX_ATTEMPTS), `${id}: too many attempts`)
    if (before === undefined) return
    must(!isTerminal(before.state), `${id} has left ${before.state}`)
    must(status.revision > before.revision, `${id}: its revision fell`)
    must(status.token >= before.token, `${id}: its token fell`)
    if (status.owner !== null && status.owner !== before.owner) {
      this.counts.grants++
      must(before.owner === null, `${id} went from one owner to another`)
      must(status.token === before.token + 1, `${id} was granted under an old token`)
      must(isAddressee(this.#doc, facts, status.owner), `${id} was granted to one who does not fit`)
      must(facts.approver !== status.owner, `${id} was granted to its approver`)
      for (const other of facts.after ?? []) {
        const state =
          findEntry(this.#doc, other)?.status.state ?? this.#archive.byId.get(other)?.status.state
        must(state !== undefined && isTerminal(state), `${id} was granted before ${other} ended`)
        must(
          state === 'completed' || facts.afterFailed === 'run',
          `${id} ran after ${other} failed`,
        )
      }
    }
    if (last?.event === 'lease-lost') {
      this.counts.lost++
      must(!this.#present.has(last.was!), `${id} was taken from one who is at work`)
    }
    if (status.state === 'completed') {
      this.counts.completed++
      must(facts.approver === undefined || last?.by === facts.approver, `${id} was not approved`)
    }
  }

  // ── Steps ──────────────────────────────────────────────────────────────────────────────────────────────────

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  #chance(p: number): boolean {
    return this.#random() < p
  }

  #register({ id, doc }: Member): void {
    const capabilities = CAPS.filter(() => this.#chance(0.6))
    registerAgent(doc, { id, name: id, capabilities, machine: '', description: '', now: this.#now })
  }

  #push(member: Member, most = Number.POSITIVE_INFINITY): void {
    for (const update of member.out.splice(0, most)) {
      Y.applyUpdate(this.#doc, update, member.id)
      // Now and then a second time: a client that did not hear sends again.
      if (this.#chance(0.1)) Y.applyUpdate(this.#doc, update, member.id)
    }
    this.#settler.touchOpen()
    this.#settle()
  }

  #pull({ doc }: Member): void {
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(this.#doc, Y.encodeStateVector(doc)), 'server')
  }

  #delegate({ id: from, doc }: Member): void {
    const known = [...entries(doc)].map(({ id }) => id)
    const id = `t-${this.counts.tasks++}` as TaskId
    const way = this.#random()
    const approver = this.#chance(0.15) ? this.#pick(this.#members).id : undefined
    const to = way < 0.4 ? this.#pick(this.#members).id : null
    if (approver !== undefined && approver === to) return
    const after = known.length > 0 && this.#chance(0.3) ? [this.#pick(known)] : []
    addTask(doc, {
      ...{ id, from, to, description: id, context: null, now: this.#now, after },
      priority: this.#pick(PRIORITIES),
      ...(way > 0.7 && { requires: [this.#pick(CAPS)] }),
      ...(this.#chance(0.3) && { afterFailed: 'run' as const }),
      ...(this.#chance(0.15) && { deadline: this.#now + this.#random() * 60_000 }),
      ...(this.#chance(0.3) && { maxAttempts: 1 + Math.floor(this.#random() * 3) }),
      ...(approver !== undefined && { approver }),
    })
    this.#handedIn.add(id)
  }

  #note({ id: by, doc }: Member): void {
    const known = [...entries(doc)]
    if (known.length === 0) return
    const { id } = this.#pick(known)
    addNote(doc, id, by, `note ${this.#keys++}`, this.#now)
    this.#notes.set(id, (this.#notes.get(id) ?? 0) + 1)
  }

  /** Any command on any task, by anybody: most are refused. */
  #anyCommand(): void {
    const ids = [...this.#settler.index.all].map(({ id }) => id)
    if (ids.length === 0) return
    const entry = this.#settler.index.get(this.#pick(ids))!
    const { owner, token } = entry.status
    const people = [owner, entry.facts.to, entry.facts.from, entry.facts.approver]
    const by = this.#chance(0.7) ? this.#pick(people) : this.#pick(this.#members).id
    if (by === null || by === undefined || !this.#present.has(by)) return
    const doc = this.#doc
    const command = {
      ...{ task: entry.id, by, key: `k${this.#keys++}`, now: this.#now },
      message: `said ${this.#keys}`,
    }
    const stale = this.#chance(0.1) ? { token: Math.max(0, token - 1) } : {}
    const way = this.#random()
    this.#command(() => {
      if (way < 0.45) moveTask(doc, { ...command, ...stale, state: this.#pick(STATES) })
      else if (way < 0.6) claimTask(doc, command)
      else if (way < 0.7) releaseTask(doc, command)
      else if (way < 0.8) declineTask(doc, command)
      else if (way < 0.9) approveTask(doc, command)
      else cancelTask(doc, { ...command, force: this.#chance(0.3) })
    })
  }

  async step(): Promise<void> {
    this.counts.steps++
    const member = this.#pick(this.#members)
    const way = this.#random()
    if (way < 0.16) this.#delegate(member)
    else if (way < 0.22) this.#note(member)
    else if (way < 0.24) this.#register(member)
    else if (way < 0.36) this.#push(member, 1 + Math.floor(this.#random() * 4))
    else if (way < 0.46) this.#pull(member)
    else if (way < 0.52) await member.look(this.#here)
    else if (way < 0.74) this.#anyCommand()
    else if (way < 0.82) this.#claimNext(member)
    else if (way < 0.88) this.#comeOrGo(member.id)
    else if (way < 0.98) this.#pass(this.#random() * (this.#chance(0.1) ? 90_000 : 4_000))
    else this.#restart()
  }

  #claimNext({ id: by }: Member): void {
    if (!this.#present.has(by)) return
    const key = `k${this.#keys++}`
    this.#command(() => claimNext(this.#doc, this.#settler.index, { by, key, now: this.#now }))
  }

  #comeOrGo(id: AgentId): void {
    if (this.#present.delete(id)) this.#lastSeen.set(id, this.#now)
    else this.#present.add(id)
    this.#settler.touch(id)
    this.#settle()
  }

  #pass(ms: number): void {
    this.#now += Math.ceil(ms)
    this.#settle()
  }

  // ── The end ────────────────────────────────────────────────────────────────────────────────────────────────

  /** Everybody comes back and works until nothing is left to do. */
  async heal(): Promise<void> {
    for (const { id } of this.#members) if (!this.#present.has(id)) this.#comeOrGo(id)
    for (const member of this.#members) this.#push(member)
    const rounds = 20 + 4 * this.#handedIn.size
    for (let round = 0; this.#work(); round++) must(round < rounds, 'the work does not end')
    this.#pass(1)
    must(intakeOf(this.#doc).length === 0, 'something is not filed')
    for (const entry of this.#settler.index.open) this.#mustBeStuck(entry)
    await this.#everybodyIsTold()
  }

  /** One round of honest work; whether there was any. */
  #work(): boolean {
    const doc = this.#doc
    let worked = false
    for (const { id, facts, status } of [...this.#settler.index.open]) {
      const as = (by: AgentId) => ({
        task: id,
        by,
        key: `k${this.#keys++}`,
        now: this.#now,
        message: 'w',
      })
      const { owner } = status
      if (status.pending) this.#command(() => approveTask(doc, as(facts.approver!)))
      else if (owner !== null)
        this.#command(() => moveTask(doc, { ...as(owner), state: 'completed' }))
      else {
        const able = this.#members.find((one) => this.#canTake(id, one.id))
        if (able === undefined) continue
        this.#command(() => claimTask(doc, as(able.id)))
      }
      worked = true
    }
    this.#pass(1_000)
    return worked
  }

  #canTake(id: TaskId, agent: AgentId): boolean {
    const entry = this.#settler.index.get(id)
    return (
      entry !== undefined &&
      isTakeable(this.#doc, entry, agent, (id) => this.#settler.index.get(id))
    )
  }

  /** Nobody can take it, or what it waits for is stuck. */
  #mustBeStuck({ id, facts, status }: TaskEntry): void {
    must(status.state === 'submitted', `${id} is still ${status.state}`)
    const waits = (facts.after ?? []).some((other) => {
      const entry = this.#settler.index.get(other)
      return entry !== undefined && !isTerminal(entry.status.state)
    })
    const able = this.#members.some((one) => this.#canTake(id, one.id))
    must(waits || !able, `${id} could be taken and was not`)
  }

  async #everybodyIsTold(): Promise<void> {
    for (const member of this.#members) {
      this.#pull(member)
      await member.look(this.#here)
      // What it says of that goes to the server, and comes back.
      this.#push(member)
    }
    for (const id of this.#handedIn) {
      const live = findEntry(this.#doc, id)
      const shelved = this.#archive.byId.get(id)
      must(
        (live === undefined) !== (shelved === undefined),
        `${id} is ${live ? 'twice there' : 'gone'}`,
      )
      const history = live ? historyOf(live) : shelved!.history.map(({ value }) => value)
      const offers = live ? offersOf(live.record!) : shelved!.offers.map(({ value }) => value)
      const { facts } = live ?? shelved!
      const count = (me: AgentId, type: Message['type']) =>
        this.#members
          .find((one) => one.id === me)!
          .told.filter((message) => message.type === type && message.message_id === id).length
      const steps = history.filter(({ by }) => by !== facts.from).length
      const told = count(facts.from, 'task_response')
      must(told === steps, `${facts.from} was told ${told} of ${steps} steps of ${id}`)
      for (const { id: me } of this.#members) {
        const asked = offers.filter(({ to }) => to === me).length
        const heard = count(me, 'task_delegation')
        must(heard === asked, `${me} was asked ${asked} times to take ${id}, and heard ${heard}`)
      }
      const { length } = live
        ? ((live.record!.get('notes') as Y.Array<unknown> | undefined)?.toArray() ?? [])
        : shelved!.notes
      // And what came under a lease that was over.
      must(length >= (this.#notes.get(id) ?? 0), `a note on ${id} is gone`)
    }
    must(history_is_by_known(this.#doc), 'somebody unknown has moved a task')
    this.counts.archived = this.#archive.entries.length
  }
}

const history_is_by_known = (doc: Y.Doc): boolean =>
  [...entries(doc)].every((entry) =>
    historyOf(entry).every(({ by }) => by === SERVER_ID || by.startsWith('a-')),
  )

/** One history. Throws, naming the seed and the step, where a rule does not hold. */
export const runHistory = async (seed: number, steps: number): Promise<Counts> => {
  const model = new Model(seed)
  try {
    for (let i = 0; i < steps; i++) await model.step()
    await model.heal()
  } catch (cause) {
    const { message } = cause as Error
    throw new Error(`seed ${seed}, step ${model.counts.steps} of ${steps}: ${message}`, { cause })
  }
  return model.counts
}
