/**
 * The identity that a connection or a request speaks for: the owner of the server, who may say anything in any name, or one agent in
 * one workspace.
 */
export type Principal =
  | { readonly kind: 'owner' }
  | {
      readonly kind: 'agent'
      readonly agent: string
      readonly workspace: string
      readonly role: 'read' | 'write' | 'admin'
    }

/**
 * A token for clients that speak plain HTTP and may be several agents: it speaks for nobody until it is said whose words
 * these are.
 */
export interface TokenHolder {
  readonly kind: 'token'
  readonly id: string
  readonly workspace: string
  readonly role: 'read' | 'write' | 'admin'
}

/** The identity that a credential proves. */
export type Caller = Principal | TokenHolder

export const OWNER: Principal = { kind: 'owner' }

/** The agent whose words it may pass on; null: anybody's. */
export const agentOf = (speaker: Principal): string | null =>
  speaker.kind === 'owner' ? null : speaker.agent

export const nameOf = (one: Caller): string => {
  if (one.kind === 'owner') return 'the owner'
  return `${one.kind === 'token' ? `token ${one.id}` : one.agent} of ${one.workspace}`
}

/** The workspace that somebody is of; '': of none. */
export const workspaceOf = (one: Caller): string => (one.kind === 'owner' ? '' : one.workspace)
