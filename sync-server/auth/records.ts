import { ClawError } from '../../protocol/errors.ts'
import { isAgentId, isSecret, type Role } from '../../protocol/roles.ts'

/** What an agent's credential is, as stored. Times are milliseconds since the epoch, by the server's clock. */
export interface Credential {
  agent: string
  workspace: string
  role: Role
  /** SHA-256 of the secret, hex; empty: it has none of its own, who shows the token `invite` speaks for it. */
  hash: string
  /** Id of the invite that it was traded for; 'local': the same user's, on this machine. */
  invite: string
  name: string
  kind: 'agent' | 'person'
  joinedAt: number
  /** Absent: it is good. */
  revokedAt?: number
  /** SHA-256 of the secrets that this agent had before, hex, the newest last. */
  replaced?: string[]
}

/** What an invite is, as stored: its secret is known to whoever was given it only. */
export interface Invite {
  /** How people and the audit log name it; from the hash, so it tells nothing. */
  id: string
  hash: string
  /** null: any. */
  workspace: string | null
  role: Role
  /** How many may still join by it; null: any number. */
  uses: number | null
  /** null: never. */
  expiresAt: number | null
  /** Whom alone it lets in, in place of the credential that agent has. */
  agent?: string
  /** It is no invite but a token, by which agents that speak plain HTTP register; what people call it. */
  http?: string
  by: string
  createdAt: number
}

/** Something that the one who runs the server may want to look up. */
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
  workspace: string | null
  /** Whose doing it was. */
  by: string
  /** What else there is to say: no secret. */
  note: string
}

/** Who wants to join, and by what. */
export interface JoinRequest {
  invite: string
  agent: string
  /** Left out: the invite's, else `default`. */
  workspace?: string | undefined
  /** The secret that the agent will show from now on, made and kept by it; left out: the server makes one. */
  credential?: string | undefined
  /** The credential that it has, to be replaced. */
  old?: string | undefined
  name?: string | undefined
  kind?: 'agent' | 'person' | undefined
  /** Whether the workspace is made where there is none; an invite is for one that exists. */
  create?: boolean | undefined
}

/** Agents of one token (count), those that are gone included: long before this many, newcomers get their ids. */
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

/** Of whom a credential is: as admins see it. */
export interface Member {
  agent_id: string
  name: string
  kind: 'agent' | 'person'
  workspace: string
  role: Role
  invite: string
  joined_at: string
  revoked_at: string | null
}

export const memberOf = (one: Credential): Member => ({
  ...{ agent_id: one.agent, name: one.name, kind: one.kind, workspace: one.workspace },
  ...{ role: one.role, invite: one.invite, joined_at: new Date(one.joinedAt).toISOString() },
  revoked_at: one.revokedAt === undefined ? null : new Date(one.revokedAt).toISOString(),
})
