import type * as Y from 'yjs'
import type { AttributionMap } from '../../../sync-server/storage/update-log.ts'

/** Each agent writes characters of its own, one for each task: so a character tells who wrote it, and for what. */
const FIRST = 0x4e00
const SLOTS = 512

export const letterOf = (agent: number, slot: number): string =>
  String.fromCharCode(FIRST + agent * SLOTS + slot)
export const readLetter = (letter: string): { agent: number; slot: number } | null => {
  const code = letter.charCodeAt(0) - FIRST
  return code < 0 || code >= 16 * SLOTS
    ? null
    : { agent: Math.floor(code / SLOTS), slot: code % SLOTS }
}

/** A mistake of the server. */
export class Wrong extends Error {}

const check = (holds: boolean, what: () => string): void => {
  if (!holds) throw new Wrong(what())
}

/**
 * What the writers on sockets did, operation by operation, noted at their side. `slot`: the task that a writer held.
 */
export class Oracle {
  readonly names: readonly string[]
  /** Tasks by slot; 0: none. */
  readonly tasks: (string | null)[] = [null]
  /** Yjs client id → its agent. */
  readonly #agents = new Map<number, number>()
  /** Yjs client id → where its task changed: clock, slot. */
  readonly #slots = new Map<number, [clock: number, slot: number][]>()
  /** Yjs client id → clock → agents that deleted it, as bits. */
  readonly #deleted = new Map<number, Map<number, number>>()
  deletions = 0

  constructor(names: readonly string[]) {
    this.names = names
  }

  /** Notes what `agent` does in `doc`; `slot` tells its task. */
  follow(doc: Y.Doc, agent: number, slot: () => number): void {
    const { clientID } = doc
    this.#agents.set(clientID, agent)
    const slots: [number, number][] = []
    this.#slots.set(clientID, slots)
    doc.on('afterTransaction', (transaction: Y.Transaction) => {
      if (!transaction.local) return
      const from = transaction.beforeState.get(clientID) ?? 0
      if (slots.at(-1)?.[1] !== slot()) slots.push([from, slot()])
      for (const [client, ranges] of transaction.deleteSet.clients) {
        const bits = this.#deleted.get(client) ?? new Map<number, number>()
        this.#deleted.set(client, bits)
        for (const { clock, len } of ranges) {
          for (let at = clock; at < clock + len; at++) {
            if (!bits.has(at)) this.deletions++
            bits.set(at, (bits.get(at) ?? 0) | (1 << agent))
          }
        }
      }
    })
  }

  /** Checks the log's attribution, operation by operation. Throws Wrong. Returns the operations checked (count). */
  check(
    { inserts, deletes }: AttributionMap,
    owners: ReadonlyMap<number, string>,
    clocks: ReadonlyMap<number, number>,
    others: ReadonlySet<string>,
  ): number {
    let checked = 0
    for (const [client, agent] of this.#agents) {
      const count = clocks.get(client) ?? 0
      if (count === 0) continue
      check(owners.get(client) === this.names[agent], () => `${client} is ${owners.get(client)}'s`)
      checked += this.#checkInserts(client, inserts.get(client) ?? [], count)
    }
    for (const [client, bits] of this.#deleted) {
      const seen = new Set<number>()
      for (const { clock, length, by } of deletes.get(client) ?? []) {
        for (let at = clock; at < clock + length; at++) {
          check(!seen.has(at), () => `${client}:${at} is deleted twice`)
          seen.add(at)
          const agent = by === null ? -1 : this.names.indexOf(by)
          const isRight = by !== null && (others.has(by) || (bits.get(at)! >> agent) & 1)
          check(Boolean(isRight), () => `${by} did not delete ${client}:${at}`)
          checked++
        }
      }
      for (const at of bits.keys())
        check(seen.has(at), () => `nobody deleted ${client}:${at}, it says`)
    }
    return checked
  }

  #checkInserts(
    client: number,
    runs: readonly { clock: number; length: number; task: string | null; via: string | null }[],
    count: number,
  ): number {
    const slots = this.#slots.get(client)!
    let [next, s] = [0, 0]
    for (const { clock, length, task, via } of runs) {
      check(clock === next, () => `${client}: a run begins at ${clock}, not at ${next}`)
      for (let at = clock; at < clock + length; at++) {
        while (slots[s + 1] !== undefined && slots[s + 1]![0] <= at) s++
        const wanted = this.tasks[slots[s]![1]] ?? null
        check(task === wanted, () => `${client}:${at} is for ${wanted}, not ${task}`)
      }
      check(via === null, () => `${client}:${clock} is via ${via}`)
      next = clock + length
    }
    check(next === count, () => `${client}: runs end at ${next}, not at ${count}`)
    return count
  }
}
