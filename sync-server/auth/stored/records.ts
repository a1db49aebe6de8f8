import { ClawError } from '../../../protocol/errors.ts'
import { isAgentId, isSecret, type Role } from '../../../protocol/roles.ts'

/** A credential as stored. Times are milliseconds since the epoch, by the server's clock. */
export interface Credential {
  agent: string
  workspace: string
  role: Role
  /** SHA-256 of the secret, hex; empty: the token `invite` speaks for this agent. */
  hash: string
  /** Id of the invite that it was traded for; 'local': the same user's, on this machine. */
  invite: string
  name: string
  kind: 'agent' | 'person'
  joinedAt: number
  /** Absent: it is good. */
  revokedAt?: number
  /** When it was last used; stored now and then. Absent: not since servers note it. */
  seenAt?: number
  /** SHA-256 of the secrets that this agent had before, hex, the newest last. */
  replaced?: string[]
}

/** An invite as stored. Its secret is stored nowhere. */
export interface Invite {
  /** Its name in commands and the audit log, made from the hash; reveals nothing. */
  id: string
  hash: string
  /** null: any. */
  workspace: string | null
  role: Role
  /** Joins left; null: any number. */
  uses: number | null
  /** null: never. */
  expiresAt: number | null
  /** The only agent that may join with it, in place of its present credential. */
  agent?: string
  /** Present for a token, with which agents that speak plain HTTP register: its name. */
  http?: string
  by: string
  createdAt: number
}

/** An entry for the operator to look up. */
export interface AuditEntry {
  at: number
  what:
    | 'invited'
    | 'joined'
    | 'registered'
    | 'forgotten'
    | 'revoked'
    | 'rotating'
    | 'refused'
    | 'recovering'
    | 'created'
    | 'removed'
    | 'purged'
    | 'restored'
    | 'renamed'
    | 'role'
    | 'rejected'
    | 'locked'
  workspace: string | null
  /** The agent that did it, or the owner. */
  by: string
  /** Details, without secrets. */
  note: string
}

/** A request to join. */
export interface JoinRequest {
  invite: string
  agent: string
  /** Absent: the workspace of the invite, else `default`. */
  workspace?: string | undefined
  /** The agent's future secret, made by the agent; absent: the server makes one. */
  credential?: string | undefined
  /** The credential that it replaces. */
  old?: string | undefined
  name?: string | undefined
  kind?: 'agent' | 'person' | undefined
  /** Make the workspace if it does not exist. An invite opens one that exists. */
  create?: boolean | undefined
}

/** Most agents of one token (count), gone ones included; the ids of gone agents are reused long before. */
export const MAX_TOKEN_AGENTS = 5_000

/** Throws `bad_name`, `usage`. */
export const checkRequest = ({ agent, credential }: JoinRequest): void => {
  if (!isAgentId(agent)) {
    throw new ClawError('bad_name', 'agent_id is not an id', 'like a-4k2j9x0q7m1z')
  }
  if (credential !== undefined && !isSecret('credential', credential)) {
    throw new ClawError('usage', 'credential is not one', 'clc_ and 32 random bytes, base64url')
  }
}

export interface Joined {
  credential: string
  workspace: string
  role: Role
  agent_id: string
}

/** A credential as admins see it. */
export interface Member {
  agent_id: string
  name: string
  kind: 'agent' | 'person'
  workspace: string
  role: Role
  invite: string
  joined_at: string
  revoked_at: string | null
  /** When its credential was last used; null: unknown. */
  last_seen: string | null
}

/** `seenAt`: the newest that is known, in milliseconds. */
export const memberOf = (one: Credential, seenAt = one.seenAt): Member => ({
  ...{ agent_id: one.agent, name: one.name, kind: one.kind, workspace: one.workspace },
  ...{ role: one.role, invite: one.invite, joined_at: new Date(one.joinedAt).toISOString() },
  revoked_at: one.revokedAt === undefined ? null : new Date(one.revokedAt).toISOString(),
  last_seen: seenAt === undefined ? null : new Date(seenAt).toISOString(),
})
