import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { addTask, findEntry } from '../../../workspace/tasks/tasks.ts'
import { frame, liveDoc, OwnSocket, RawClient } from '../client.ts'
import { fetch } from '../server.ts'

/** Time to open a connection, and for an acknowledgement, before a client tries again elsewhere (milliseconds). */
const OPEN_MS = 2_500
const ACK_MS = 20_000
/** A writer that waits pings after this long, and tries elsewhere after as long without an answer, as a link does (milliseconds). */
const PATIENCE_MS = 2_000
/** Attempts to prepare a workspace (count), and the time between two of them (milliseconds). */
const PREPARE_TRIES = 50
const PREPARE_MS = 500
const ROOT = 'load'
/** Tasks per workspace (count). */
const TASKS = 300
const taskId = (n: number): TaskId => `t-load${n}` as TaskId

const pause = (ms: number): Promise<void> => new Promise((next) => setTimeout(next, ms))
const within = <T>(work: Promise<T>, ms: number): Promise<T> => {
  let timer: NodeJS.Timeout
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('late')), ms)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** A grant of a task, as its claimer saw it. */
export interface Grant {
  task: string
  by: string
  token: number
  from: number
  /** When its release was sent, if it was. */
  until: number
}

/** What clients were told and shown; it is looked for in the log afterwards. */
export interface Seen {
  /** Ids that were acknowledged, by workspace, with the time of each acknowledgement (milliseconds). */
  acked: Map<string, Map<string, number>>
  /** Ids that readers saw, by workspace. */
  shown: Map<string, Set<string>>
  grants: Grant[]
  /** Close codes and errors, counted. */
  troubles: Map<string, number>
}

export interface LoadOptions {
  url: string
  workspaces: readonly string[]
  /** Writers per workspace (count), and the pause between two writes of one (milliseconds). */
  writers: number
  pauseMs: number
  /** Also stock clients, which give back what a server lost; and tasks. */
  hasStock: boolean
}

/** Clients of a cluster that write, read and claim until they are stopped. */
export class Load {
  readonly seen: Seen = { acked: new Map(), shown: new Map(), grants: [], troubles: new Map() }
  readonly #options: LoadOptions
  readonly #working: Promise<void>[] = []
  readonly #closing: (() => void)[] = []
  #isOver = false

  constructor(options: LoadOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { workspaces, writers, hasStock } = this.#options
    for (const workspace of workspaces) {
      this.seen.acked.set(workspace, new Map())
      this.seen.shown.set(workspace, new Set())
      await this.#prepare(workspace)
      for (let k = 0; k < writers; k++) this.#working.push(this.#write(workspace, k))
      this.#working.push(this.#read(workspace))
      for (let k = 0; k < 2; k++) this.#working.push(this.#claim(workspace, `a-${k}`))
      if (hasStock) this.#stock(workspace)
    }
  }

  /** Stops; what is under way ends first. */
  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#working)
    for (const close of this.#closing) close()
  }

  /** The longest time without an acknowledgement per workspace from a moment on (milliseconds, both). */
  silence(since: number, until = performance.now()): Map<string, number> {
    const longest = new Map<string, number>()
    for (const [workspace, acked] of this.seen.acked) {
      let [last, most] = [since, 0]
      for (const at of acked.values()) {
        if (at < since || at > until) continue
        most = Math.max(most, at - last)
        last = at
      }
      longest.set(workspace, Math.round(Math.max(most, until - last)))
    }
    return longest
  }

  #trouble(what: string): void {
    this.seen.troubles.set(what, (this.seen.troubles.get(what) ?? 0) + 1)
  }

  /** Adds agents and tasks; a connection that ends before all is stored is followed by another one. */
  async #prepare(workspace: string): Promise<void> {
    const doc = new Y.Doc()
    for (let tries = 1; ; tries++) {
      try {
        const { client } = await liveDoc(`${this.#sync}/${workspace}`, doc)
        addWork(doc, workspace)
        const outcome = await Promise.race([client.barrier(), client.closed])
        if (outcome !== undefined) throw new Error(`the connection ended with ${outcome}`)
        await client.close()
        return
      } catch (error) {
        if (tries === PREPARE_TRIES) throw error
        await pause(PREPARE_MS)
      }
    }
  }

  get #sync(): string {
    return `${this.#options.url.replace(/^http/, 'ws')}/sync`
  }

  async #open(workspace: string): Promise<RawClient | null> {
    const client = new RawClient(`${this.#sync}/${workspace}`)
    const opened = new Promise<void>((resolve, reject) => {
      client.ws.once('open', resolve)
      client.ws.once('unexpected-response', (_, { statusCode }) => {
        this.#trouble(`HTTP ${statusCode}`)
        reject(new Error('refused'))
      })
      client.ws.once('error', reject)
    })
    try {
      await within(opened, OPEN_MS)
      return client
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      this.#trouble(`not opened: ${code ?? message}`)
      client.ws.terminate()
      await pause(50)
      return null
    }
  }

  /** Each write is an update of its own, sent again until it is acknowledged; nothing is kept that could give it back later. */
  async #write(workspace: string, k: number): Promise<void> {
    const acked = this.seen.acked.get(workspace)!
    let client: RawClient | null = null
    for (let n = 0; !this.#isOver; n++) {
      const id = `${k}.${n}`
      const doc = new Y.Doc()
      doc.getArray(ROOT).push([id])
      const update = Y.encodeStateAsUpdate(doc)
      for (;;) {
        client ??= await this.#open(workspace)
        if (client === null) {
          if (this.#isOver) return
          continue
        }
        client.update(update)
        const stopAsking = endIfSilent(client)
        const outcome = await within(
          Promise.race([client.barrier().then(() => 'acked' as const), client.closed]),
          ACK_MS,
        )
          .catch(() => 'late' as const)
          .finally(stopAsking)
        if (outcome === 'acked') break
        this.#trouble(`closed ${outcome}`)
        client.ws.terminate()
        client = null
        if (this.#isOver) return
        await pause(20 + Math.random() * 80)
      }
      acked.set(id, performance.now())
      await pause(this.#options.pauseMs)
    }
    client?.ws.terminate()
  }

  /** Reads only, and keeps nothing: it never gives back what a server lost. */
  async #read(workspace: string): Promise<void> {
    const shown = this.seen.shown.get(workspace)!
    while (!this.#isOver) {
      const client = await this.#open(workspace)
      if (client === null) continue
      client.onUpdate = (update) => {
        for (const id of idsIn(update)) shown.add(id)
      }
      client.send(frame(0, 0, new Uint8Array([0])))
      const isOver = new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          if (!this.#isOver) return
          clearInterval(timer)
          resolve()
        }, 50)
        void client.closed.then(() => {
          clearInterval(timer)
          resolve()
        })
      })
      await isOver
      client.ws.terminate()
    }
  }

  #stock(workspace: string): void {
    const doc = new Y.Doc()
    const provider = new WebsocketProvider(this.#sync, workspace, doc, {
      ...{ disableBc: true, maxBackoffTime: 200, WebSocketPolyfill: OwnSocket as never },
    })
    let n = 0
    const timer = setInterval(() => doc.getArray('stock').push([`s.${n++}`]), 200)
    this.#closing.push(() => {
      clearInterval(timer)
      provider.destroy()
      provider.awareness.destroy()
    })
  }

  async #post(path: string, body: object): Promise<{ status: number; data: unknown } | null> {
    try {
      const signal = AbortSignal.timeout(ACK_MS)
      const init = { method: 'POST', body: JSON.stringify(body), signal }
      const answer = await fetch(`${this.#options.url}${path}`, init)
      const json = (await answer.json()) as { data?: unknown }
      return { status: answer.status, data: json.data }
    } catch {
      return null
    }
  }

  /** Claims one task after the other, and gives each back: the server lets a task be given back a few times. */
  async #claim(workspace: string, by: string): Promise<void> {
    const base = `/api/workspaces/${workspace}/tasks`
    for (let n = 0; n < 3 * TASKS && !this.#isOver; n++) {
      await pause(this.#options.pauseMs * 2)
      const id = taskId(Math.floor(n / 3))
      const claimed = await this.#post(`${base}/${id}/claim`, { by })
      if (claimed?.status !== 200) continue
      const { token } = (claimed.data as { task: { token: number } }).task
      const task = `${workspace}/${id}`
      const grant = { task, by, token, from: performance.now(), until: Number.NaN }
      this.seen.grants.push(grant)
      grant.until = performance.now()
      await this.#post(`${base}/${id}/release`, { by })
    }
  }
}

/** Adds three agents, and tasks for anybody; nothing if they are there. */
const addWork = (doc: Y.Doc, workspace: string): void => {
  if (findEntry(doc, taskId(0)) !== undefined) return
  for (const id of ['a-0', 'a-1', 'a-boss']) {
    registerAgent(doc, {
      ...{ id: id as AgentId, name: `${id}-${workspace}`, capabilities: [], machine: '' },
      ...{ description: '', now: 1 },
    })
  }
  const facts = { description: 'x', context: null, priority: 'normal' } as const
  for (let n = 0; n < TASKS; n++) {
    addTask(doc, { ...facts, id: taskId(n), from: 'a-boss' as AgentId, to: null, now: 1 })
  }
}

/** Ends a connection that does not answer a ping. Returns a function that ends the watch. */
const endIfSilent = ({ ws }: RawClient): (() => void) => {
  let isAsked = false
  const hear = (): void => {
    isAsked = false
  }
  ws.on('pong', hear)
  const timer = setInterval(() => {
    if (isAsked) ws.terminate()
    isAsked = true
    if (ws.readyState === ws.OPEN) ws.ping()
  }, PATIENCE_MS)
  return () => {
    clearInterval(timer)
    ws.off('pong', hear)
  }
}

/** The ids that an update adds to the root. */
const idsIn = (update: Uint8Array): string[] => {
  const { structs } = Y.decodeUpdate(update)
  return structs.flatMap((struct) => {
    const content = (struct as Y.Item).content
    return content instanceof Y.ContentAny ? content.arr.filter(isOwn) : []
  })
}
const isOwn = (value: unknown): value is string =>
  typeof value === 'string' && /^\d+\.\d+$/.test(value)

/** What is wrong in the end; empty: nothing was lost or is there twice, and tasks had one owner at a time. */
export const problemsOf = (
  seen: Seen,
  stored: ReadonlyMap<string, readonly string[]>,
): { lost: number; lostShown: number; twice: number; grants: string[] } => {
  let [lost, lostShown, twice] = [0, 0, 0]
  for (const [workspace, ids] of stored) {
    const all = new Set(ids)
    twice += ids.length - all.size
    for (const id of seen.acked.get(workspace)?.keys() ?? []) if (!all.has(id)) lost++
    for (const id of seen.shown.get(workspace) ?? []) if (!all.has(id)) lostShown++
  }
  return { lost, lostShown, twice, grants: wrongGrants(seen.grants) }
}

/** Grants of one task that overlap, or whose tokens do not grow. */
const wrongGrants = (grants: readonly Grant[]): string[] => {
  const wrong: string[] = []
  const last = new Map<string, Grant>()
  for (const grant of grants) {
    const before = last.get(grant.task)
    last.set(grant.task, grant)
    if (before === undefined) continue
    if (grant.token <= before.token && !(grant.token === before.token && grant.by === before.by)) {
      wrong.push(`${grant.task}: token ${grant.token} after ${before.token}`)
    }
    if (!(before.until <= grant.from) && before.by !== grant.by) {
      wrong.push(`${grant.task}: ${grant.by} while ${before.by} has it`)
    }
  }
  return wrong
}

/** The ids in a workspace, by a client that reads it from a server. */
export const storedIn = async (url: string, workspace: string): Promise<string[]> => {
  const { client, doc } = await liveDoc(`${url.replace(/^http/, 'ws')}/sync/${workspace}`)
  await client.close()
  return doc.getArray<string>(ROOT).toArray()
}
