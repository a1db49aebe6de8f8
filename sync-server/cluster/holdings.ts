/** A node of the cluster, and its address for the others. */
export interface NodeAddress {
  id: string
  url: string
}

/** A node as the others see it. */
export interface NodeState extends NodeAddress {
  /** Raised with each registration, and by whoever fences the node (decimal). */
  epoch: string
  /** `up`: it gives signs of life. `silent`: none for too long; `stopped`: it has ended. */
  state: 'up' | 'silent' | 'stopped'
  /** Milliseconds since its last sign of life, by the clock of the node that is asked; null: none was seen. */
  silentMs: number | null
  version: string
  /** Host and process, for people. */
  about: string
  /** Workspaces that it owns (count). */
  workspaces: number
}

/**
 * Which node serves a workspace. One node owns a workspace at a time; only the owner reads it into memory, writes it and
 * answers for it.
 */
export interface Holdings {
  /**
   * Resolves to `here` once this node owns the workspace and its members are loaded, else to its owner's address. Claims
   * it if nobody alive owns it, unless another node should: then that one's address, if `mayDefer` (absent: true). A workspace
   * that does not exist is claimed by nobody: `here`, so that this node says so. Rejects with Unavailable while this node
   * cannot tell: retry later.
   */
  find: (workspace: string, mayDefer?: boolean) => Promise<'here' | NodeAddress>
  /** Like `find`, from memory only: true if this node owns it now, and its lease is valid. */
  owns: (workspace: string) => boolean
  /**
   * The workspace of a secret, by its SHA-256 (hex) or the beginning of that; null: it is nobody's. Rejects with Unavailable.
   */
  workspaceOf: (secretHash: string) => Promise<string | null>
  /** Gives a workspace up: what came is stored, its connections are closed with 4307, then others may claim it. */
  release: (workspace: string) => Promise<void>
  /** All nodes, this one included. Rejects with Unavailable. */
  nodes: () => Promise<readonly NodeState[]>
  /** Called when this node lost all workspaces, or these. */
  onLost: (workspaces: 'all' | readonly string[]) => void
}
