import type { Look, NodeRow } from '../storage/postgres/node-store.ts'
import type { NodeAddress } from './holdings.ts'
import { Suspicion } from './suspicion.ts'

/** The nodes of the cluster, as one of them saw them last. */
export class Peers {
  readonly suspicion = new Suspicion()
  readonly #self: string
  #rows: readonly NodeRow[] = []
  /** Nodes that were fenced, with their beats then. */
  readonly #fenced = new Map<string, string>()

  constructor(self: string) {
    this.#self = self
  }

  /** Notes a look, which came at that time of this node's monotonic clock (milliseconds). */
  look({ nodes }: Look, at: number): void {
    this.#rows = nodes
    this.suspicion.look(
      at,
      nodes.map(({ id, n }) => [id, n]),
    )
  }

  /** The others that should give signs of life, and have given none for too long: they are to be fenced, once. */
  silent(at: number): NodeRow[] {
    return this.#rows.filter(
      (row) =>
        row.is_up &&
        row.id !== this.#self &&
        !this.#isFenced(row) &&
        this.suspicion.isSilent(row.id, at),
    )
  }

  /** The others that may take a workspace: they gave a sign of life just now. */
  ready(at: number): NodeAddress[] {
    return this.#rows.filter(
      (row) =>
        row.is_up &&
        row.id !== this.#self &&
        !this.#isFenced(row) &&
        !this.suspicion.isStale(row.id, at),
    )
  }

  /** Call when this node fences another one. */
  noteFenced(id: string): void {
    const row = this.#rows.find((one) => one.id === id)
    if (row !== undefined) this.#fenced.set(id, row.n)
  }

  /** Call if it did not succeed: it is tried again. */
  notFenced(id: string): void {
    this.#fenced.delete(id)
  }

  #isFenced({ id, n }: NodeRow): boolean {
    return this.#fenced.get(id) === n
  }
}
