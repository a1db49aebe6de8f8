import type { Role } from '../../protocol/roles.ts'

/**
 * The identity of a connection or request: the owner of the server, who may act for any agent, or
 * one agent in one workspace.
 */
export type Principal =
  | { readonly kind: 'owner' }
  | {
      readonly kind: 'agent'
      readonly agent: string
      readonly workspace: string
      readonly role: Role
    }

/**
 * A token for plain HTTP clients that may be several agents: each request names the agent it acts
 * for.
 */
export interface TokenHolder {
  readonly kind: 'token'
  readonly id: string
  readonly workspace: string
  readonly role: Role
}

/** The identity that a credential proves. */
export type Caller = Principal | TokenHolder

/** The name under which the log credits the owner of the server; no agent can have it. */
export const OWNER_NAME = 'owner'

export const OWNER: Principal = { kind: 'owner' }

/** The agent that the caller may act for; null for any agent. */
export const agentOf = (speaker: Principal): string | null =>
  speaker.kind === 'owner' ? null : speaker.agent

export const nameOf = (one: Caller): string => {
  if (one.kind === 'owner') return 'the owner'
  return `${one.kind === 'token' ? `token ${one.id}` : one.agent} of ${one.workspace}`
}

/** The workspace of a caller; '' for none. */
export const workspaceOf = (one: Caller): string => (one.kind === 'owner' ? '' : one.workspace)
