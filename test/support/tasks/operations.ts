import { deepStrictEqual, ok } from 'node:assert'
import { ClawError } from '../../../protocol/errors.ts'
import type { TaskId } from '../../../protocol/ids.ts'
import { PRIORITIES, type TaskState } from '../../../workspace/document/schema.ts'
import {
  approveTask,
  cancelTask,
  claimTask,
  declineTask,
  type MoveOutcome,
  moveTask,
  releaseTask,
} from '../../../workspace/tasks/task-commands.ts'
import { claimNext } from '../../../workspace/tasks/task-next.ts'
import type { TaskCommand } from '../../../workspace/tasks/task-replay.ts'
import { byUrgency, isTakeable, lacks } from '../../../workspace/tasks/task-routing.ts'
import {
  addNote,
  addTask,
  entries,
  type Task,
  type TaskEntry,
} from '../../../workspace/tasks/tasks.ts'
import type { Member } from './member.ts'
import { ARCHIVE_AFTER_MS, LEASE_MS, OFFER_MS, type TaskWorld } from './world.ts'

const CAPABILITIES = ['js', 'py', 'review']
const STATES: TaskState[] = [
  ...(['working', 'working', 'input-required', 'completed', 'completed'] as const),
  ...(['failed', 'canceled', 'rejected'] as const),
]

/** What was handed in, granted, refused and so on: that something happened, and that nothing of it is lost. */
export class Run {
  readonly world: TaskWorld
  readonly tasks = new Set<TaskId>()
  /** Text → task. */
  readonly notes = new Map<string, TaskId>()
  readonly counts: Record<string, number> = {}
  #serial = 0
  /** Commands that were carried out, to come again. */
  readonly #done: { name: string; again: () => unknown; task: TaskId }[] = []

  constructor(world: TaskWorld) {
    this.world = world
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  get #text(): string {
    return `x${++this.#serial}`
  }

  /** One operation of `member`, chosen at random; what it was. */
  async step(member: Member): Promise<string> {
    const { world } = this
    const dice = world.below(100)
    if (dice < 14) return this.#delegate(member)
    if (dice < 40) return this.#command(member)
    if (dice < 48) return this.#next(member)
    if (dice < 51) return this.#again()
    if (dice < 55) return this.#note(member)
    if (dice < 78) return this.#network(member)
    if (dice < 85) {
      // The server is not standing still while somebody waits for its archive.
      await member.poll(() => world.below(3) === 0 && world.pass(world.below(ARCHIVE_AFTER_MS)))
      return 'poll'
    }
    if (dice < 95) {
      const ms = 1 + world.below(world.pick([1_000, 30_000, OFFER_MS, LEASE_MS, LEASE_MS]))
      world.pass(ms)
      return `${ms} ms pass`
    }
    if (dice < 97) {
      world.pass(ARCHIVE_AFTER_MS)
      return 'the time to archive passes'
    }
    ok(!world.leftUndone(), 'who looks at every task anew has nothing to do')
    world.restart()
    this.count('restarts')
    return 'the server is killed and starts again'
  }

  join(member: Member): string {
    const capabilities = CAPABILITIES.filter(() => this.world.below(2) === 0)
    member.register(capabilities)
    return `registers with ${capabilities.join()}`
  }

  #network(member: Member): string {
    const dice = this.world.below(20)
    if (dice < 6) {
      member.sendOne()
      return 'sends'
    }
    if (dice < 12) {
      member.takeOne()
      return 'hears'
    }
    if (dice < 15) {
      if (member.connected) member.exchange()
      return 'is up to date'
    }
    if (dice < 17) {
      member.connect()
      return 'connects'
    }
    if (dice < 18) {
      member.disconnect()
      return 'disconnects'
    }
    if (dice < 19) {
      const silent = this.world.below(2) === 0
      member.setSilent(silent)
      return silent ? 'is silent' : 'is heard of'
    }
    return this.join(member)
  }

  // ── Handing in ─────────────────────────────────────────────────────────────────────────────────────────────

  #delegate(from: Member): string {
    const { world } = this
    const known = [...entries(from.doc)].map(({ id }) => id)
    const id = `t-${++this.#serial}` as TaskId
    const maybe = (chance: number) => world.below(100) < chance
    const kind = world.below(3)
    const after = known.length > 0 && maybe(40) ? [world.pick(known), world.pick(known)] : []
    // Two who name each other's tasks, apart, make a circle; a task that is not there never comes.
    if (maybe(4)) after.push(`t-${this.#serial + 1 + world.below(30)}` as TaskId)
    const approver = maybe(20) ? world.pick(world.members).id : undefined
    const facts = {
      ...{ description: id, context: null, priority: world.pick(PRIORITIES), from: from.id, after },
      to: kind === 0 ? world.pick(world.members).id : null,
      requires: kind === 1 ? [world.pick(CAPABILITIES)] : [],
      ...(maybe(50) && { afterFailed: 'run' as const }),
      ...(maybe(20) && { deadline: world.now + 1 + world.below(3 * LEASE_MS) }),
      ...(maybe(30) && { maxAttempts: 1 + world.below(3) }),
    }
    const isOwn = approver === undefined || approver === facts.to
    try {
      addTask(from.doc, { ...facts, ...(!isOwn && { approver }), id, now: world.now })
    } catch (error) {
      if (!(error instanceof ClawError) || error.code !== 'task_cycle') throw error
      this.count(error.code)
      return `would delegate ${id} after ${after}: ${error.code}`
    }
    this.tasks.add(id)
    this.count('tasks')
    if (maybe(60) && from.connected) from.exchange()
    return `delegates ${id} to ${facts.to ?? facts.requires} after ${after}`
  }

  #note(by: Member): string {
    const known = [...entries(by.doc)]
    if (known.length === 0) return 'has nothing to note'
    const { id } = this.world.pick(known)
    const text = this.#text
    addNote(by.doc, id, by.id, text, this.world.now)
    this.notes.set(text, id)
    this.count('notes')
    return `notes ${text} on ${id}`
  }

  // ── Commands ───────────────────────────────────────────────────────────────────────────────────────────────

  #command(member: Member): string {
    const { world } = this
    const open = world.index.open
    const all = open.length > 0 && world.below(8) > 0 ? open : [...world.index.all]
    if (all.length === 0) return 'has nothing to command'
    const entry = world.pick(all)
    if (world.below(3) === 0) return this.#carryOut(member, entry, world.pick(NAMES))
    // Mostly it is for them to do.
    const { owner, pending, state } = entry.status
    const { from, to, approver } = entry.facts
    const [who, names] =
      world.below(6) === 0
        ? ([from, ['cancel']] as const)
        : pending
          ? ([approver, ['approve', 'decline']] as const)
          : state === 'input-required'
            ? ([from, ['status']] as const)
            : owner === null
              ? ([to, ['claim', 'claim', 'status', 'decline']] as const)
              : ([owner, ['status', 'status', 'status', 'release']] as const)
    const by = world.members.find(({ id }) => id === who) ?? member
    return this.#carryOut(by, entry, world.pick<keyof typeof COMMANDS>(names))
  }

  #carryOut(by: Member, entry: TaskEntry, name: keyof typeof COMMANDS): string {
    const { world } = this
    const { id } = entry
    const text = name === 'claim' ? '' : this.#text
    const state = world.pick(STATES)
    const token = world.pick([by.grants.get(id), by.grants.get(id), undefined])
    const force = world.below(3) === 0
    const command = { task: id, by: by.id, key: `k${++this.#serial}`, message: text }
    const said = `${by.id} ${name} ${id} ${state} ${token ?? ''}${force ? ' force' : ''} (${text})`
    const run = () =>
      world.command((doc) => {
        const whole = { ...command, now: world.now, state, force, token }
        return COMMANDS[name](doc, whole)
      })
    world.settle()
    const before = this.#statuses()
    try {
      const { task, refused } = run()
      if (refused !== undefined) throw refused
      if (name === 'claim') by.grants.set(id, task.token)
      this.count(name)
      if (task.revision > entry.status.revision)
        this.#done.push({ name: said, again: run, task: id })
      return said
    } catch (error) {
      if (!(error instanceof ClawError)) throw error
      deepStrictEqual(this.#statuses(), before, `${said}, refused with ${error.code}`)
      ok(error.message !== '' && error.code !== 'bug', said)
      this.count(error.code)
      if (error.message.endsWith('kept as a note')) this.notes.set(text, id)
      return `${said}: ${error.code}`
    }
  }

  #next(member: Member): string {
    const { world } = this
    world.settle()
    const key = `k${++this.#serial}`
    const find = (id: TaskId) => world.index.get(id)
    const could = world.index.open.filter(
      (entry) =>
        isTakeable(world.doc, entry, member.id, find) &&
        !entry.status.declined?.includes(member.id),
    )
    const best = [...could].sort(byUrgency)[0]
    try {
      const { task_id, token } = world.command((doc, index) =>
        claimNext(doc, index, { by: member.id, key, now: world.now }),
      )
      const { facts } = world.index.get(task_id)!
      deepStrictEqual(task_id, best?.id, 'the most urgent one')
      ok(facts.to === member.id || (facts.to === null && !isUnfit()), 'is for it')
      member.grants.set(task_id, token)
      this.count('next')
      return `${member.id} claims the next, ${task_id}`
      function isUnfit() {
        return lacks(world.doc, facts, member.id).length > 0 || facts.approver === member.id
      }
    } catch (error) {
      if (!(error instanceof ClawError)) throw error
      deepStrictEqual([error.code, best?.id], ['nothing_to_claim', undefined])
      this.count(error.code)
      return `${member.id} claims the next: ${error.code}`
    }
  }

  /** A command comes again, as if its answer had been lost: that changes nothing. */
  #again(): string {
    const done = this.#done.filter(({ task }) => this.world.index.get(task) !== undefined)
    if (done.length === 0) return 'has nothing to ask again'
    const last = this.world.pick(done)
    this.world.settle()
    const before = this.#statuses()
    last.again()
    deepStrictEqual(this.#statuses(), before, `${last.name}, once more`)
    this.count('again')
    return `${last.name}, once more`
  }

  #statuses() {
    return new Map([...this.world.index.all].map(({ id, status }) => [id, status]))
  }
}

type Doc = Parameters<typeof claimTask>[0]
type Whole = TaskCommand & { state: TaskState; force: boolean; token: number | undefined }
const NAMES = ['status', 'claim', 'release', 'decline', 'approve', 'cancel'] as const

const only =
  (command: (doc: Doc, what: TaskCommand) => Task) =>
  (doc: Doc, { task, by, key, now, message }: Whole): MoveOutcome => ({
    task: command(doc, { task, by, key, now, message }),
  })

const COMMANDS = {
  status: (doc: Doc, { force: _, ...move }: Whole): MoveOutcome => moveTask(doc, move),
  claim: only(claimTask),
  release: only(releaseTask),
  decline: only(declineTask),
  approve: only(approveTask),
  cancel: (doc: Doc, { state: _, token: __, ...whole }: Whole): MoveOutcome => ({
    task: cancelTask(doc, whole),
  }),
}
