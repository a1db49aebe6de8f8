import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { registerAgent } from '../../workspace/agents/agents.ts'
import { initWorkspace } from '../../workspace/document/schema.ts'
import { TaskReconciler } from '../../workspace/tasks/reconcile/reconciler.ts'
import { submit } from '../../workspace/tasks/submissions.ts'
import { moveTask } from '../../workspace/tasks/task-commands.ts'
import { addTask } from '../../workspace/tasks/tasks.ts'

/** How large a workspace is after so many tasks. */
export interface Size {
  tasks: number
  /** Bytes of the live document, encoded, and of its state vector. */
  document: number
  stateVector: number
  archived: number
  /** MiB of the heap after a collection, where that can be asked for. */
  heap: number
}

const TEAM = 5
/** Tasks that each creator hands in before the others do. */
const TURN = 20

/** Applies updates in one transaction: as many would cost most of the time of the test. */
const apply = (doc: Y.Doc, updates: readonly Uint8Array[], origin: Y.Doc): void =>
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update, origin)
  }, origin)

/** The archive as it answers about ids that are new. */
const NONE_ARCHIVED = new (class extends Map<TaskId, null> {
  override get(): null {
    return null
  }
})()

/**
 * A workspace's life: five agents, each with a replica of its own, take turns in handing in tasks for each other, say that
 * they got and read them, begin and end them; the server files, and archives what there is too much of.
 */
export const liveThrough = (marks: readonly number[], onMark: (size: Size) => void): void => {
  const server = new Y.Doc()
  server.clientID = 1
  initWorkspace(server, 'w', 0)
  const agents = Array.from({ length: TEAM }, (_, i) => `a-${i}` as AgentId)
  for (const id of agents) {
    registerAgent(server, { id, name: id, capabilities: [], machine: '', description: '', now: 0 })
  }
  const clients = agents.map((_, i) => {
    const doc = new Y.Doc()
    doc.clientID = 100 + i
    return doc
  })
  // What each side has for the other: telling it from the documents would look through all there ever was.
  const toServer: Uint8Array[][] = clients.map(() => [])
  const toClient: Uint8Array[][] = clients.map(() => [Y.encodeStateAsUpdate(server)])
  server.on('update', (update: Uint8Array) => {
    for (const queue of toClient) queue.push(update)
  })
  for (const [i, doc] of clients.entries()) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== server) toServer[i]!.push(update)
    })
  }
  let archived = 0
  let now = 1
  const settler = new TaskReconciler(server)
  const settle = (): void => {
    server.transact(() =>
      settler.reconcile(
        {
          ...{ now, leaseMs: 600_000, offerMs: 60_000, archiveAfterMs: Number.POSITIVE_INFINITY },
          here: { present: new Set(agents), now },
          lastSeen: () => now,
          archived: NONE_ARCHIVED,
        },
        () => archived++,
      ),
    )
  }
  /** What a client has handed in reaches the server, and it gets what has come. */
  const sync = (doc: Y.Doc): void => {
    const i = clients.indexOf(doc)
    apply(server, toServer[i]!.splice(0), doc)
    settle()
    apply(doc, toClient[i]!.splice(0), server)
  }
  let count = 0
  for (const mark of marks) {
    while (count < mark) {
      const turn = Math.floor(count / TURN) % TEAM
      const creator = clients[turn]!
      const to = (turn + 1 + (Math.floor(count / TURN / TEAM) % (TEAM - 1))) % TEAM
      const worker = clients[to]!
      const ids = Array.from({ length: Math.min(TURN, mark - count) }, () => {
        const id = `t-${(count++).toString(36).padStart(12, '0')}` as TaskId
        addTask(creator, {
          ...{ id, description: `task ${id}`, context: null, priority: 'normal', now },
          ...{ from: agents[turn]!, to: agents[to]! },
        })
        return id
      })
      sync(creator)
      const by = agents[to]!
      worker.transact(() => {
        for (const id of ids) submit(worker, { kind: 'receipt', id, by, delivered: now })
      })
      worker.transact(() => {
        for (const id of ids) submit(worker, { kind: 'receipt', id, by, read: now })
      })
      sync(worker)
      server.transact(() => {
        for (const id of ids) {
          for (const state of ['working', 'completed'] as const) {
            const key = `${id} ${state}`
            moveTask(server, { task: id, by, state, message: 'done', key, now })
          }
        }
      })
      now += 1_000
      settle()
    }
    // Everybody has everything: what is measured is a document at rest.
    for (const doc of clients) sync(doc)
    for (let i = 0; i < 50; i++) settle()
    ;(globalThis as { gc?: () => void }).gc?.()
    onMark({
      tasks: count,
      document: Y.encodeStateAsUpdate(server).length,
      stateVector: Y.encodeStateVector(server).length,
      archived,
      heap: Math.round(process.memoryUsage().heapUsed / 2 ** 20),
    })
  }
}
