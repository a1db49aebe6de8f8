import type { NodeRow } from '../storage/postgres/cluster-rows.ts'
import type { Look } from '../storage/postgres/node-store.ts'
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

  /** The others that give signs of life. */
  up(at: number): NodeRow[] {
    return this.#rows.filter(
      (row) =>
        row.is_up &&
        row.id !== this.#self &&
        !this.#isFenced(row) &&
        !this.suspicion.isSilent(row.id, at),
    )
  }

  /** Those of them that may be asked to claim a workspace: they gave one just now. */
  ready(at: number): NodeRow[] {
    return this.up(at).filter(({ id }) => !this.suspicion.isStale(id, at))
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
