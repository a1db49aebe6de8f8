import * as Y from 'yjs'
import type { AgentId, BroadcastId, TaskId } from '../../../protocol/ids.ts'
import type { Archive } from '../../../workspace/tasks/reconcile/filing.ts'
import { TaskReconciler } from '../../../workspace/tasks/reconcile/reconciler.ts'
import type { TaskWorld } from '../../../workspace/tasks/reconcile/world.ts'
import { type Move, moveTask } from '../../../workspace/tasks/task-commands.ts'
import type { Task } from '../../../workspace/tasks/tasks.ts'

export const agentId = (name: string) => `a-${name}` as AgentId
export const taskId = (name: string) => `t-${name}` as TaskId
export const broadcastId = (name: string) => `m-${name}` as BroadcastId

/** A replica with a fixed client id: which of two concurrent writes wins depends on it. */
export const replica = (clientID: number): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = clientID
  return doc
}

/** Gives `to` all that `from` has. */
export const send = (from: Y.Doc, to: Y.Doc): void => {
  Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)))
}

export const sync = (...docs: Y.Doc[]): void => {
  for (let round = 0; round < 2; round++) {
    for (const from of docs) for (const to of docs) if (from !== to) send(from, to)
  }
}

export const cursor = (doc: Y.Doc): Map<number, number> =>
  Y.decodeStateVector(Y.encodeStateVector(doc))

/** What a call throws, as its stable code; undefined where it returns. */
export const codeOf = (call: () => unknown): string | undefined => {
  try {
    call()
    return undefined
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** A world in which everybody is at work, and nothing is due. */
export const worldAt = (now: number, more: Partial<TaskWorld> = {}): TaskWorld => ({
  now,
  leaseMs: 600_000,
  offerMs: 60_000,
  archiveAfterMs: Number.POSITIVE_INFINITY,
  here: { present: new Set(), now },
  lastSeen: () => now,
  archived: new Map(),
  ...more,
})

const settlers = new WeakMap<Y.Doc, TaskReconciler>()
export const settlerOf = (doc: Y.Doc): TaskReconciler => {
  const settler = settlers.get(doc) ?? new TaskReconciler(doc)
  settlers.set(doc, settler)
  return settler
}

/** Does with the tasks of `doc` what the server does by itself. */
export const settle = (
  doc: Y.Doc,
  world: TaskWorld = worldAt(1),
  archive: Archive = () => {},
): ReturnType<TaskReconciler['reconcile']> => {
  for (;;) {
    const settled = doc.transact(() => settlerOf(doc).reconcile(world, archive))
    if (!settled.more) return settled
  }
}

/** Moves a task as the server does, everything before it settled. */
export const move = (doc: Y.Doc, command: Move): Task => {
  settle(doc, worldAt(command.now))
  const { task, refused } = moveTask(doc, command)
  if (refused !== undefined) throw refused
  settle(doc, worldAt(command.now))
  return task
}
