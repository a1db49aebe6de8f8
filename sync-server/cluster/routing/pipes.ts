import type { Socket } from 'node:net'
import { CLOSE_MS } from '../../config/limits.ts'

/** The open connections of one node's clients to other nodes, by the id of the node. */
export class Pipes {
  readonly #cuts = new Map<string, Set<() => void>>()

  /** Connections to other nodes (count). */
  get size(): number {
    let size = 0
    for (const { size: more } of this.#cuts.values()) size += more
    return size
  }

  /** Ids of the nodes that clients are connected to. */
  get nodes(): string[] {
    return [...this.#cuts.keys()]
  }

  /** Calls `cut` when the node is gone. Returns a function that ends that. */
  add(node: string, cut: () => void): () => void {
    const cuts = this.#cuts.get(node) ?? new Set()
    this.#cuts.set(node, cuts)
    cuts.add(cut)
    return () => {
      cuts.delete(cut)
      if (cuts.size === 0 && this.#cuts.get(node) === cuts) this.#cuts.delete(node)
    }
  }

  /** Ends the connections to a node. Returns their count. */
  cut(node: string): number {
    const cuts = [...(this.#cuts.get(node) ?? [])]
    for (const cut of cuts) cut()
    return cuts.length
  }

  cutAll(): void {
    for (const node of this.nodes) this.cut(node)
  }
}

/**
 * Joins two sockets: each gets what the other receives, no faster than it reads. When one ends, the other gets what is on
 * its way and ends soon; when one breaks, both break.
 */
export const join = (client: Socket, node: Socket): void => {
  for (const [from, to] of [
    [client, node],
    [node, client],
  ] as const) {
    from.setNoDelay(true)
    from.pipe(to)
    from.once('error', () => to.resetAndDestroy())
    from.once('end', () => setTimeout(() => to.destroy(), CLOSE_MS).unref())
    from.once('close', () => {
      if (!to.writableEnded) to.end()
      setTimeout(() => to.destroy(), CLOSE_MS).unref()
    })
  }
}
