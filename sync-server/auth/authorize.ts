import { ClawError } from '../../protocol/errors.ts'
import { includes, type Role } from '../../protocol/roles.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import type { Caller, Principal } from '../sync/principal.ts'
import { unknownCredential } from './stored/refusals.ts'
import type { Workspaces } from './stored/workspaces.ts'

/** The role that a route needs; `anyone`: none, though a caller with a credential may be told more. */
export type Needs = 'anyone' | Role | 'owner'

/** A request, a WebSocket and a frame of one are each authorized by what they need. */
export interface Need {
  role: Needs
  /** Absent: it is about no single workspace. */
  workspace?: string | undefined
  /** It belongs to ClawLink 1.x's protocol, so HTTP tokens are accepted. */
  plain?: boolean | undefined
}

/** Throws `unauthorized` for no caller; `not_allowed`, `unknown_workspace` for one without permission. */
export const authorize = (
  caller: Caller | null,
  { role, workspace, plain }: Need,
  workspaces: Workspaces,
): void => {
  if (role === 'anyone') return
  if (caller === null) throw noCredential()
  if (caller.kind === 'token' && !plain) throw onlyPlain()
  if (workspace !== undefined) checkWorkspace(caller, workspace, workspaces)
  if (caller.kind === 'owner') return
  if (role === 'owner') {
    throw new ClawError(
      'not_allowed',
      'only the owner of the server may do this',
      'the owner token is in owner.json in the data folder; clawlink-sync uses it on its own',
    )
  }
  if (includes(caller.role, role)) return
  throw new ClawError(
    'not_allowed',
    `this needs a credential with the role ${role}; yours has the role ${caller.role}`,
    'ask the operator of the server for another invite',
  )
}

/** True for a caller with this role or a wider one, and for the owner of the server. */
export const hasRole = (caller: Caller, role: Role): boolean =>
  caller.kind === 'owner' || includes(caller.role, role)

/** The role `write` may remove checkpoints of its own agent only. Throws `not_allowed`. `me`: the caller's agent. */
export const authorizeRemoval = (
  caller: Caller,
  me: string,
  checkpoint: { name: string; by: string },
): void => {
  if (checkpoint.by === me || hasRole(caller, 'admin')) return
  throw new ClawError(
    'not_allowed',
    `checkpoint ${checkpoint.name} was made by ${checkpoint.by}`,
    'ask that agent, or an admin of the workspace, to remove it',
  )
}

/**
 * The role `write` may undo changes of its own agent only, `admin` and the owner of the server those of all. Throws
 * `not_allowed`. `me`: the agent in whose name the caller undoes. `authors`: whose changes; null: unknown.
 */
export const authorizeUndo = (
  caller: Caller,
  me: string,
  authors: readonly (string | null)[],
): void => {
  const others = authors.filter((one) => one !== me)
  if (others.length === 0 || hasRole(caller, 'admin')) return
  const names = others.slice(0, SHOWN_AGENTS).map((one) => one ?? 'somebody')
  throw new ClawError(
    'not_allowed',
    `this would undo work of ${names.join(', ')}${others.length > names.length ? ', …' : ''}`,
    'only the role admin may: ask an admin, or undo your own work only (agent)',
  )
}

/** Agents that an error names (count). */
const SHOWN_AGENTS = 5

/** The caller as one agent or the owner. Throws `unauthorized` for null, `not_allowed` for an HTTP token. */
export const asPrincipal = (caller: Caller | null): Principal => {
  if (caller === null) throw unknownCredential()
  if (caller.kind === 'token') throw onlyPlain()
  return caller
}

/** A credential opens one workspace. Throws `not_allowed`; `unknown_workspace` to the owner, who may know the names. */
export const checkWorkspace = (caller: Caller, workspace: string, workspaces: Workspaces): void => {
  if (caller.kind === 'owner' && isWorkspaceName(workspace)) workspaces.check(workspace)
  if (caller.kind === 'owner' || caller.workspace === workspace) return
  throw new ClawError(
    'not_allowed',
    `this credential is for the workspace ${caller.workspace} only`,
    caller.kind === 'token'
      ? `its routes are below /w/${caller.workspace}`
      : 'each workspace needs its own invite',
  )
}

const onlyPlain = (): ClawError =>
  new ClawError(
    'not_allowed',
    'a token opens only the routes of ClawLink 1.x',
    'see docs/PROTOCOL.md; for the others join with a link: POST /api/join',
  )

const noCredential = (): ClawError =>
  new ClawError(
    'unauthorized',
    'this needs a credential',
    'join with a link from the operator of the server: clawlink-agent join -',
  )
