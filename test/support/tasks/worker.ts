import * as Y from 'yjs'
import {
  getTaskArchive,
  postNext,
  postTask,
  type TaskAnswer,
  type TaskRequest,
} from '../../../client/http/api.ts'
import { isAway } from '../../../client/session/outbox.ts'
import { Session } from '../../../client/session/session.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { PRIORITIES } from '../../../workspace/document/schema.ts'
import { receive, welcome } from '../../../workspace/inbox/mailbox.ts'
import { addNote, addTask, entries, type Task } from '../../../workspace/tasks/tasks.ts'
import { targetOf } from '../server.ts'
import { Inbox } from './member.ts'

/** For a server that is killed again and again (milliseconds). */
const PATIENCE_MS = 30_000
/** A command is asked for again so often while the server is away (count). */
const TRIES = 200

/** Where the workers work. */
export interface Place {
  url: string
  workspace: string
  below: (n: number) => number
  /** Resolves when there is a server. */
  up: () => Promise<unknown>
  /** The server has answered a command: a good moment for a kill. */
  onAnswer: () => void
}

/** What the server has answered 200 to. */
export interface Done {
  by: AgentId
  key: string
  task: Task
}

/** An agent with a session that reconnects, and commands that are asked for until they are answered. */
export class Worker {
  readonly id: AgentId
  readonly doc = new Y.Doc()
  readonly inbox = new Inbox(this.doc)
  readonly done: Done[] = []
  readonly handedIn: TaskId[] = []
  readonly notes: string[] = []
  readonly #mine = new Map<string, number>()
  readonly #place: Place
  readonly #session: Session
  #serial = 0

  constructor(place: Place, name: string) {
    this.#place = place
    this.id = `a-${name}` as AgentId
    const source = { doc: this.doc, commit: async () => {} }
    const agent = { id: this.id, name, kind: 'agent' } as const
    this.#session = new Session(targetOf(place.url), place.workspace, source, { agent })
  }

  get messages() {
    return this.inbox.messages
  }

  async join(): Promise<void> {
    const { id, doc } = this
    await this.fresh()
    const now = Date.now()
    doc.transact(() => {
      registerAgent(doc, { id, name: id, capabilities: ['x'], machine: '', description: '', now })
      welcome(this.inbox, id, now)
    })
    await this.fresh()
  }

  /** Resolves when what it wrote is on the server's disk, and what the server had is here. */
  async fresh(): Promise<void> {
    await this.#until(() => this.#session.fresh(PATIENCE_MS))
  }

  close(): void {
    this.#session.close()
    this.doc.destroy()
  }

  async step(): Promise<void> {
    const dice = this.#place.below(100)
    if (dice < 30) this.#delegate()
    else if (dice < 35) this.#note()
    else if (dice < 60) await this.next()
    else if (dice < 90) await this.#goOn()
    else await this.poll()
  }

  #delegate(): void {
    const { below } = this.#place
    const id = `t-${this.id}-${++this.#serial}` as TaskId
    const known = [...entries(this.doc)].map((entry) => entry.id)
    const after = known.length > 0 && below(4) === 0 ? [known[below(known.length)]!] : []
    const requires = below(3) === 0 ? ['x'] : []
    addTask(this.doc, {
      ...{ id, description: id, context: null, from: this.id, to: null, after, requires },
      ...{ priority: PRIORITIES[below(4)]!, afterFailed: 'run', maxAttempts: 9, now: Date.now() },
    })
    this.handedIn.push(id)
  }

  #note(): void {
    const known = [...entries(this.doc)]
    if (known.length === 0) return
    const text = `${this.id} says ${++this.#serial}`
    addNote(this.doc, known[this.#place.below(known.length)]!.id, this.id, text, Date.now())
    this.notes.push(text)
  }

  /** Whether there was one. */
  async next(): Promise<boolean> {
    const command = { by: this.id, key: this.#key() }
    const { url, workspace } = this.#place
    const answer = await this.#command(command.key, () =>
      postNext(targetOf(url), workspace, command),
    )
    if (answer !== null) this.#mine.set(answer.task_id, answer.token)
    return answer !== null
  }

  async #goOn(): Promise<void> {
    const [task] = this.#mine.keys()
    if (task === undefined) return
    const dice = this.#place.below(10)
    if (dice < 6) await this.#tell(task, { name: 'status', state: 'completed' })
    else if (dice < 8) await this.#tell(task, { name: 'status', state: 'working' })
    else await this.#tell(task, { name: 'release' })
  }

  /** Ends all that it has. */
  async finish(): Promise<void> {
    for (const task of [...this.#mine.keys()]) {
      await this.#tell(task, { name: 'status', state: 'completed' })
    }
  }

  async #tell(task: string, what: Pick<TaskRequest, 'name' | 'state'>): Promise<void> {
    const { url, workspace } = this.#place
    const key = this.#key()
    const token = what.name === 'status' ? { token: this.#mine.get(task) } : {}
    const request = { ...what, ...token, by: this.id, key, message: key }
    const answer = await this.#command(key, () => postTask(targetOf(url), workspace, task, request))
    if (answer === null) throw new Error(`${this.id} owns ${task}, and ${what.name} was refused`)
    if (what.state !== 'working') this.#mine.delete(task)
  }

  async poll(): Promise<void> {
    const { url, workspace } = this.#place
    const here = { present: new Set<AgentId>(), now: Date.now() }
    await receive(this.inbox, this.id, here, {
      broadcasts: async (after) => ({ entries: [], next: after }),
      tasks: (after) => getTaskArchive(targetOf(url), workspace, after, this.id),
    })
  }

  #key(): string {
    return `${this.id}-k${++this.#serial}`
  }

  /** Asks for a command until it is answered; null: it is refused, as there is nothing to claim. */
  async #command(key: string, ask: () => Promise<TaskAnswer>): Promise<Task | null> {
    try {
      const { task } = await this.#until(ask)
      this.done.push({ by: this.id, key, task })
      return task
    } catch (error) {
      if (error instanceof ClawError && error.code === 'nothing_to_claim') return null
      throw error
    } finally {
      this.#place.onAnswer()
    }
  }

  async #until<T>(ask: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      await this.#place.up()
      this.#session.wake()
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof ClawError) || !isAway(error) || tries === TRIES) throw error
      }
    }
  }
}
