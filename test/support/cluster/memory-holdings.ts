import type { Holdings, NodeAddress, NodeState } from '../../../sync-server/cluster/holdings.ts'

/** What the nodes of a cluster in one process share. */
export class MemoryCluster {
  /** The owner's id, by workspace. */
  readonly owners = new Map<string, string>()
  /** The workspace of a secret, by its SHA-256 (hex). */
  readonly secrets = new Map<string, string>()
  readonly #nodes = new Map<string, MemoryHoldings>()

  /** A node, which claims what nobody owns. */
  join(id: string, url: string): MemoryHoldings {
    const node = new MemoryHoldings(this, { id, url })
    this.#nodes.set(id, node)
    return node
  }

  address(id: string): NodeAddress | null {
    return this.#nodes.get(id)?.address ?? null
  }

  /** The node is gone: the others may claim what it owned. */
  fence(id: string): void {
    const node = this.#nodes.get(id)
    this.#nodes.delete(id)
    for (const [workspace, owner] of this.owners) if (owner === id) this.owners.delete(workspace)
    node?.onLost('all')
  }

  states(): NodeState[] {
    return [...this.#nodes.values()].map(({ address }) => ({
      ...{ ...address, epoch: '1', state: 'up', silentMs: 0, version: '', about: '' },
      workspaces: [...this.owners.values()].filter((owner) => owner === address.id).length,
    }))
  }
}

/** Holdings without a database, for tests of what uses them. */
export class MemoryHoldings implements Holdings {
  onLost: (workspaces: 'all' | readonly string[]) => void = () => {}
  readonly address: NodeAddress
  readonly #cluster: MemoryCluster

  constructor(cluster: MemoryCluster, address: NodeAddress) {
    this.#cluster = cluster
    this.address = address
  }

  async find(workspace: string): Promise<'here' | NodeAddress> {
    const { owners } = this.#cluster
    const owner = this.#cluster.address(owners.get(workspace) ?? '')
    if (owner !== null && owner.id !== this.address.id) return owner
    owners.set(workspace, this.address.id)
    return 'here'
  }

  owns(workspace: string): boolean {
    return this.#cluster.owners.get(workspace) === this.address.id
  }

  async workspaceOf(secretHash: string): Promise<string | null> {
    for (const [hash, workspace] of this.#cluster.secrets) {
      if (hash.startsWith(secretHash)) return workspace
    }
    return null
  }

  async release(workspace: string): Promise<void> {
    if (this.owns(workspace)) this.#cluster.owners.delete(workspace)
  }

  async nodes(): Promise<readonly NodeState[]> {
    return this.#cluster.states()
  }
}
