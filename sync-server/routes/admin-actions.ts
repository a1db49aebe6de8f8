import * as z from 'zod'
import { ClawError } from '../../protocol/errors.ts'
import { MAX_INVITE_DAYS, ROLES } from '../../protocol/roles.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import { checkWorkspace } from '../auth/authorize.ts'
import type { AccessStore } from '../auth/store.ts'
import type { AuditEntry, Invite } from '../auth/stored/records.ts'
import { MAX_RECOVERY_DAYS } from '../config/limits.ts'
import { nameOf, type Principal } from '../sync/principal.ts'

const DAY_MS = 24 * 60 * 60_000
/** Longest name of a token (characters). */
export const MAX_NAME = 64
export const workspace = z.string().refine(isWorkspaceName, 'not a workspace name').optional()
export const text = z.string().min(1).max(200)

export const WorkspaceBody = z.strictObject({ workspace: z.string() })
export const InviteBody = z.strictObject({
  workspace,
  /** For the owner only: makes the workspace if it does not exist. */
  create: z.boolean().optional(),
  role: z.enum(ROLES).default('write'),
  /** Makes a token for agents that speak plain HTTP, of this name; `uses` does not apply. */
  http: z.string().max(MAX_NAME).optional(),
  /** null: any number. */
  uses: z.number().int().min(1).max(1_000_000).nullable().default(1),
  /** Milliseconds; null: never. */
  expires_in: z
    .number()
    .int()
    .min(1_000)
    .max(MAX_INVITE_DAYS * DAY_MS)
    .nullable()
    .default(7 * DAY_MS),
})
export const WhichBody = z.strictObject({ which: text, workspace })
export const RotateBody = z.strictObject({ which: text, workspace })
export const RoleBody = z.strictObject({ which: text, workspace, role: z.enum(ROLES) })
export const RenameBody = z.strictObject({ workspace: z.string(), called: z.string() })
export const RecoverBody = z.strictObject({
  for: z
    .number()
    .int()
    .min(1_000)
    .max(MAX_RECOVERY_DAYS * DAY_MS),
})
/** An invite in answers, without its hash. */
export const showInvite = (invite: Invite) => ({
  ...{ invite: invite.id, workspace: invite.workspace, role: invite.role, uses: invite.uses },
  expires_at: invite.expiresAt === null ? null : new Date(invite.expiresAt).toISOString(),
  ...(invite.agent !== undefined && { agent_id: invite.agent }),
  ...(invite.http !== undefined && { http: invite.http }),
  ...{ by: invite.by, created_at: new Date(invite.createdAt).toISOString() },
})

const showEntry = ({ at, ...entry }: AuditEntry) => ({ at: new Date(at).toISOString(), ...entry })

interface Within {
  workspace?: string | undefined
}

/** The workspace that an action is limited to; null: all of them. Throws `not_allowed`, `unknown_workspace`. */
const within = (store: AccessStore, by: Principal, text: string | undefined): string | null => {
  const wanted = text !== undefined && by.kind === 'owner' ? store.workspaces.named(text) : text
  if (wanted !== undefined) checkWorkspace(by, wanted, store.workspaces)
  return by.kind === 'owner' ? (wanted ?? null) : by.workspace
}

/** The members and invites of one workspace, or of all: a node of a cluster reads those of others, too. */
const over = (store: AccessStore, workspace: string | null): Promise<AccessStore> =>
  workspace === null ? store.overAll() : Promise.resolve(store)

const makeInvite = async (
  store: AccessStore,
  now: number,
  by: Principal,
  body: z.infer<typeof InviteBody>,
) => {
  const { role, uses, expires_in, http } = body
  if (body.create === true && body.workspace !== undefined && by.kind === 'owner') {
    await store.admin.create(body.workspace, nameOf(by))
  }
  const name = within(store, by, body.workspace) ?? 'default'
  if (http !== undefined && role === 'admin') {
    throw new ClawError('usage', 'a token cannot have the role admin', 'role: write, or read')
  }
  const expiresAt = expires_in === null ? null : now + expires_in
  const wanted = { workspace: name, role, uses, expiresAt }
  const made = await store.admin.invite(
    http === undefined ? wanted : { ...wanted, http, uses: null },
    by,
  )
  return { ...showInvite(made.invite), secret: made.secret }
}

/** Workspaces with the number of agents that have joined each and were not revoked. */
const countsOf = (store: AccessStore, only: string | null) => {
  const members = store.members.list(only).filter(({ revoked_at }) => revoked_at === null)
  const names = only === null ? store.workspaces.names : [only]
  const agents = (name: string) => members.filter((one) => one.workspace === name).length
  return names.map((name) => {
    const called = store.workspaces.calledOf(name)
    return { workspace: name, ...(called !== name && { called }), agents: agents(name) }
  })
}

/** Removed workspaces, with the time, if there is one; for the owner only. */
const removedOf = (store: AccessStore, by: Principal) => {
  const { removed } = store.workspaces
  if (by.kind !== 'owner' || removed.length === 0) return {}
  const shown = removed.map(({ name, at }) => ({ workspace: name, at: new Date(at).toISOString() }))
  return { removed: shown }
}

/** The actions of an admin, limited to its own workspace. HTTP and the commands of clawlink-sync run them. */
export const adminActions = (store: AccessStore, now: () => number) => {
  const only = (by: Principal, wanted: string | undefined) => within(store, by, wanted)
  return {
    invite: (by: Principal, body: z.infer<typeof InviteBody>) => makeInvite(store, now(), by, body),
    invites: async (by: Principal, { workspace }: Within) => {
      const name = only(by, workspace)
      return { invites: (await over(store, name)).admin.invites(name).map(showInvite) }
    },
    agents: async (by: Principal, { workspace }: Within) => {
      const name = only(by, workspace)
      return { agents: (await over(store, name)).members.list(name) }
    },
    revoke: async (by: Principal, { which, workspace }: z.infer<typeof WhichBody>) => {
      await store.admin.revoke(which, only(by, workspace), by)
      return { revoked: which }
    },
    rotate: async (by: Principal, { which, workspace }: z.infer<typeof RotateBody>) => {
      const expiresAt = now() + 7 * DAY_MS
      const made = await store.admin.rotate(which, only(by, workspace), by, expiresAt)
      return { ...showInvite(made.invite), secret: made.secret }
    },
    audit: async (by: Principal, { workspace, limit }: Within & { limit: number }) => {
      const name = only(by, workspace)
      return { entries: (await over(store, name)).admin.audit(name, limit).map(showEntry) }
    },
    workspaces: async (by: Principal, { workspace }: Within) => {
      const name = only(by, workspace)
      const all = await over(store, name)
      return { workspaces: countsOf(all, name), ...removedOf(all, by) }
    },
    rename: async (by: Principal, { workspace, called }: z.infer<typeof RenameBody>) => {
      const name = store.workspaces.named(workspace)
      await store.admin.rename(name, called, by)
      return { workspace: name, called }
    },
    remove: async (by: Principal, { workspace }: z.infer<typeof WorkspaceBody>) => {
      const name = store.workspaces.named(workspace)
      await store.admin.remove(name, by)
      return { workspace: name, removed: true }
    },
    restore: async (by: Principal, { workspace }: z.infer<typeof WorkspaceBody>) => {
      await store.admin.restore(workspace, by)
      return { workspace, restored: true }
    },
    role: async (by: Principal, { which, role, workspace }: z.infer<typeof RoleBody>) => {
      const { agent, ...one } = await store.admin.setRole(which, role, only(by, workspace), by)
      return { agent_id: agent, workspace: one.workspace, role: one.role }
    },
    add: async (by: Principal, { workspace }: z.infer<typeof WorkspaceBody>) => {
      const isNew = !store.workspaces.has(workspace)
      await store.admin.create(workspace, nameOf(by))
      return { workspace, created: isNew }
    },
    recover: async (by: Principal, body: z.infer<typeof RecoverBody>) => ({
      recovering_until: await store.admin.recover(body.for, by),
    }),
  }
}
export type AdminActions = ReturnType<typeof adminActions>
