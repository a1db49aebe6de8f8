import * as Y from 'yjs'
import type { AgentId, BroadcastId, TaskId } from '../../workspace/ids.ts'

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
