import * as Y from 'yjs'
import type { DeletedText, DeleteRun, IdRange, InsertRun } from '../../../lib/attribution/runs.ts'
import { stringIn, structsIn } from '../../../lib/yjs/internals.ts'
import type { TextHistory, UndoRecord } from '../../../workspace/authorship/undo-history.ts'

const push = <R extends IdRange | DeletedText>(to: Map<number, R[]>, one: R): void => {
  const list = to.get(one.client) ?? []
  list.push(one)
  list.sort((a, b) => a.clock - b.clock)
  to.set(one.client, list)
}

export const textIn = (doc: Y.Doc): Y.Text => doc.getText('file:a')

/** A server that notes who did what. */
export class NotingServer {
  readonly doc = new Y.Doc()
  readonly inserts = new Map<number, InsertRun[]>()
  readonly deletes = new Map<number, DeleteRun[]>()
  readonly again = new Map<number, DeleteRun[]>()
  readonly texts = new Map<number, DeletedText[]>()
  readonly undos: UndoRecord[] = []
  readonly owners = new Map<number, string>()
  /** Seconds. */
  now = 1_000
  #by: string | null = null
  #task: string | null = null

  constructor() {
    this.doc.on('afterTransaction', (transaction: Y.Transaction) => this.#note(transaction))
  }

  get text(): Y.Text {
    return textIn(this.doc)
  }

  get history(): TextHistory {
    const { inserts, deletes, again, texts, undos, owners } = this
    return {
      inserts,
      deletes,
      again,
      texts,
      undos,
      ownerOf: (client) => owners.get(client) ?? null,
    }
  }

  /** Does something in the name of an agent. */
  as<T>(by: string, client: number, work: () => T, task: string | null = null): T {
    this.#begin(by, client, task)
    this.doc.clientID = client
    return this.doc.transact(work)
  }

  /** Takes a change that an agent made. */
  take(by: string, client: number, update: Uint8Array): void {
    this.#begin(by, client, null)
    for (const [of, ranges] of Y.decodeUpdate(update).ds.clients) {
      for (const { clock, len } of ranges) this.#noteAgain(by, of, clock, clock + len)
    }
    Y.applyUpdate(this.doc, update)
  }

  #noteAgain(by: string, client: number, clock: number, end: number): void {
    const first = this.deletes.get(client) ?? []
    for (const run of first) {
      const [from, to] = [Math.max(clock, run.clock), Math.min(end, run.clock + run.length)]
      if (from >= to || run.by === by) continue
      const marks = { at: this.now * 1_000, task: null, via: null, by }
      push(this.again, { client, clock: from, length: to - from, ...marks })
    }
  }

  #begin(by: string, client: number, task: string | null): void {
    this.now++
    this.#by = by
    this.#task = task
    this.owners.set(client, by)
  }

  #note({ beforeState, afterState, deleteSet }: Y.Transaction): void {
    const marks = { at: this.now * 1_000, task: this.#task, via: null }
    for (const [client, end] of afterState) {
      const clock = beforeState.get(client) ?? 0
      if (end > clock) push(this.inserts, { client, clock, length: end - clock, ...marks })
    }
    for (const [client, ranges] of deleteSet.clients) {
      for (const { clock, len } of ranges) {
        push(this.deletes, { client, clock, length: len, ...marks, by: this.#by })
        for (const struct of structsIn(this.doc, client, clock, clock + len)) {
          const text = struct instanceof Y.Item ? stringIn(struct) : null
          if (text === null) continue
          const from = Math.max(clock, struct.id.clock)
          const to = Math.min(clock + len, struct.id.clock + struct.length)
          const part = text.slice(from - struct.id.clock, to - struct.id.clock)
          push(this.texts, { root: 'file:a', client, clock: from, text: part })
        }
      }
    }
  }
}
