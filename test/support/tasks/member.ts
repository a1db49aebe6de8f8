import * as Y from 'yjs'
import { ClawError } from '../../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import type { StateVector } from '../../../workspace/inbox/inbox.ts'
import {
  type InboxPosition,
  type Mailbox,
  receive,
  welcome,
} from '../../../workspace/inbox/mailbox.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import { concerns, readArchivedTask } from '../../../workspace/tasks/task-archive.ts'
import type { TaskWorld } from './world.ts'

/** Entries of a page of the archive (count): few, so that there are several pages. */
const PAGE = 3

/** The part of a replica that an inbox needs, in memory. */
export class Inbox implements Mailbox {
  readonly doc: Y.Doc
  readonly messages: Message[] = []
  #position: InboxPosition | null = null

  constructor(doc: Y.Doc) {
    this.doc = doc
  }

  cursor(): StateVector | null {
    return this.#position?.vector ?? null
  }

  archivePosition(): Omit<InboxPosition, 'vector'> {
    return this.#position ?? { archived: 0, archivedTasks: 0 }
  }

  receive(_agent: string, messages: readonly Message[], to?: InboxPosition): void {
    const vector = Y.decodeStateVector(Y.encodeStateVector(this.doc))
    this.#position = to ?? { ...this.archivePosition(), vector }
    this.messages.push(...messages)
  }
}

/** An agent: its replica, its connection, what came into its inbox, and the grants that it knows of. */
export class Member {
  readonly id: AgentId
  readonly doc = new Y.Doc()
  readonly grants = new Map<TaskId, number>()
  readonly #inbox = new Inbox(this.doc)
  readonly #world: TaskWorld
  /** On their way to it, late, and in order as on a socket: a replica never has a gap. */
  readonly #coming: Uint8Array[] = []
  /** Arrived; may arrive again. */
  readonly #heard: Uint8Array[] = []
  /** On their way to the server, in order. */
  readonly #going: Uint8Array[] = []
  #connected = false
  #silent = false

  constructor(world: TaskWorld, id: AgentId, clientId: number) {
    this.#world = world
    this.id = id
    this.doc.clientID = clientId
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== world && this.#connected) this.#going.push(update)
    })
  }

  get connected(): boolean {
    return this.#connected
  }

  get isAtWork(): boolean {
    return this.#connected && !this.#silent
  }

  get messages(): readonly Message[] {
    return this.#inbox.messages
  }

  get isWelcome(): boolean {
    return this.#inbox.cursor() !== null
  }

  hear(update: Uint8Array): void {
    if (this.#connected) this.#coming.push(update)
  }

  /** Each side then lacks what the other had meanwhile, and is sent that. */
  connect(): void {
    if (this.#connected) return
    const { doc } = this.#world
    this.#connected = true
    this.#silent = false
    this.#coming.push(Y.encodeStateAsUpdate(doc, Y.encodeStateVector(this.doc)))
    this.#going.push(Y.encodeStateAsUpdate(this.doc, Y.encodeStateVector(doc)))
    this.#world.seen(this, false, true)
  }

  /** What is under way is lost. */
  cut(): void {
    this.#connected = false
    this.#coming.length = 0
    this.#going.length = 0
  }

  disconnect(): void {
    if (!this.#connected) return
    const was = this.isAtWork
    this.cut()
    this.#world.seen(this, was, false)
  }

  /** Its link is there; whether it is at work, too. */
  setSilent(silent: boolean): void {
    if (!this.#connected || silent === this.#silent) return
    this.#silent = silent
    this.#world.seen(this, silent, !silent)
  }

  /** The next update under way to it arrives, or one that it has arrives again. */
  takeOne(): void {
    const isOld = this.#heard.length > 0 && this.#world.below(4) === 0
    const update = isOld ? this.#world.pick(this.#heard) : this.#coming.shift()
    if (update === undefined) return
    Y.applyUpdate(this.doc, update, this.#world)
    if (!isOld) this.#heard.push(update)
  }

  /** The next of its own updates reaches the server. */
  sendOne(): void {
    const [update] = this.#going
    if (update === undefined) return
    if (this.#world.below(4) > 0) this.#going.shift()
    this.#world.accept(update, this)
  }

  /** Everything under way arrives, in both directions. */
  exchange(): void {
    while (this.#going.length > 0) this.#world.accept(this.#going.shift()!, this)
    while (this.#coming.length > 0) Y.applyUpdate(this.doc, this.#coming.shift()!, this.#world)
  }

  register(capabilities: readonly string[]): void {
    const { id, doc } = this
    const { now } = this.#world
    doc.transact(() => {
      registerAgent(doc, { id, name: id, capabilities, machine: '', description: '', now })
      welcome(this.#inbox, id, now)
    })
  }

  /** Looks into its inbox; `during` is what happens while it waits for the archive. */
  async poll(during: () => void = () => {}): Promise<void> {
    if (!this.isWelcome) return
    const here = { present: new Set<AgentId>(), now: this.#world.now }
    await receive(this.#inbox, this.id, here, {
      broadcasts: async (after) => ({ entries: [], next: after }),
      tasks: async (after) => {
        if (!this.#connected) throw new ClawError('unreachable', 'no connection')
        during()
        const page = this.#world.archive.slice(after, after + PAGE)
        const entries = page.flatMap(({ value }, i) => {
          const task = readArchivedTask(value)
          return task !== null && concerns(task, this.id) ? [{ seq: after + i + 1, task }] : []
        })
        return { entries, next: after + page.length }
      },
    })
  }
}
