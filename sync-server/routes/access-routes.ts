import { z } from 'zod'
import { ClawError } from '../../protocol/errors.ts'
import { MAX_INVITE_DAYS, ROLES } from '../../protocol/roles.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import { checkWorkspace } from '../auth/authorize.ts'
import type { Identity } from '../auth/identity.ts'
import { bearerIn } from '../auth/presented.ts'
import type { Invite } from '../auth/records.ts'
import type { AccessStore } from '../auth/store.ts'
import { MAX_RECOVERY_DAYS } from '../config/limits.ts'
import { principalOf } from '../http/caller.ts'
import { type Route, route } from '../http/route.ts'
import { nameOf, type Principal } from '../sync/principal.ts'

const DAY_MS = 24 * 60 * 60_000
/** Of a token (characters). */
export const MAX_NAME = 64
const workspace = z.string().refine(isWorkspaceName, 'not a workspace name').optional()
const text = z.string().min(1).max(200)

const JoinBody = z.strictObject({
  invite: text,
  agent_id: text,
  workspace,
  credential: text.optional(),
  name: z.string().max(200).optional(),
  kind: z.enum(['agent', 'person']).optional(),
  /** By the invite of the same user only: makes the workspace where there is none. */
  create: z.boolean().optional(),
})
export const WorkspaceBody = z.strictObject({ workspace: z.string() })
export const InviteBody = z.strictObject({
  workspace,
  /** By the owner: makes the workspace where there is none. */
  create: z.boolean().optional(),
  role: z.enum(ROLES).default('write'),
  /** Makes it a token for agents that speak plain HTTP: what people call it; `uses` does not count. */
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
const RecoverBody = z.strictObject({
  for: z
    .number()
    .int()
    .min(1_000)
    .max(MAX_RECOVERY_DAYS * DAY_MS),
})
const ListQuery = z.strictObject({
  workspace,
  limit: z.coerce.number().int().min(1).max(10_000).default(200),
})

/** What is shown of an invite: not the secret, which is nowhere, nor its hash. */
export const showInvite = (invite: Invite) => ({
  ...{ invite: invite.id, workspace: invite.workspace, role: invite.role, uses: invite.uses },
  expires_at: invite.expiresAt === null ? null : new Date(invite.expiresAt).toISOString(),
  ...(invite.agent !== undefined && { agent_id: invite.agent }),
  ...(invite.http !== undefined && { http: invite.http }),
  ...{ by: invite.by, created_at: new Date(invite.createdAt).toISOString() },
})

/** What an admin can do; for those of one workspace in that one. The subcommands of clawlink-sync do the same. */
export const adminActions = (store: AccessStore, now: () => number) => {
  /** The workspace that is meant; null: all. Throws `not_allowed`. */
  const within = (by: Principal, wanted: string | undefined): string | null => {
    if (wanted !== undefined) checkWorkspace(by, wanted, store.workspaces)
    return by.kind === 'owner' ? (wanted ?? null) : by.workspace
  }
  return {
    invite: async (by: Principal, body: z.infer<typeof InviteBody>) => {
      const { role, uses, expires_in, http } = body
      const expiresAt = expires_in === null ? null : now() + expires_in
      if (body.create === true && body.workspace !== undefined && by.kind === 'owner') {
        await store.admin.create(body.workspace, nameOf(by))
      }
      const name = within(by, body.workspace) ?? 'default'
      if (http !== undefined && role === 'admin') {
        throw new ClawError('usage', 'a token is no admin', 'role: write, or read')
      }
      const wanted = { workspace: name, role, uses, expiresAt }
      const made = await store.admin.invite(
        http === undefined ? wanted : { ...wanted, http, uses: null },
        by,
      )
      return { ...showInvite(made.invite), secret: made.secret }
    },
    invites: async (by: Principal, { workspace }: { workspace?: string | undefined }) => ({
      invites: store.admin.invites(within(by, workspace)).map(showInvite),
    }),
    agents: async (by: Principal, { workspace }: { workspace?: string | undefined }) => ({
      agents: store.members.list(within(by, workspace)),
    }),
    revoke: async (by: Principal, body: z.infer<typeof WhichBody>) => {
      await store.admin.revoke(body.which, within(by, body.workspace), by)
      return { revoked: body.which }
    },
    rotate: async (by: Principal, body: z.infer<typeof RotateBody>) => {
      const expiresAt = now() + 7 * DAY_MS
      const made = await store.admin.rotate(body.which, within(by, body.workspace), by, expiresAt)
      return { ...showInvite(made.invite), secret: made.secret }
    },
    audit: async (by: Principal, query: { workspace?: string | undefined; limit: number }) => ({
      entries: store.admin
        .audit(within(by, query.workspace), query.limit)
        .map(({ at, ...entry }) => ({
          at: new Date(at).toISOString(),
          ...entry,
        })),
    }),
    /** Each with how many have joined. */
    workspaces: async (by: Principal, { workspace }: { workspace?: string | undefined }) => {
      const only = within(by, workspace)
      const members = store.members.list(only).filter(({ revoked_at }) => revoked_at === null)
      const names = only === null ? store.workspaces.names : [only]
      const agents = (name: string) => members.filter((one) => one.workspace === name).length
      return { workspaces: names.map((name) => ({ workspace: name, agents: agents(name) })) }
    },
    add: async (by: Principal, { workspace }: z.infer<typeof WorkspaceBody>) => {
      const isNew = !store.workspaces.has(workspace)
      await store.admin.create(workspace, nameOf(by))
      return { workspace, created: isNew }
    },
    recover: async (by: Principal, body: z.infer<typeof RecoverBody>) => {
      return { recovering_until: await store.admin.recover(body.for, by) }
    },
  }
}
export type AdminActions = ReturnType<typeof adminActions>

const ProveQuery = z.strictObject({
  /** The first 16 hex digits of the secret's SHA-256. */
  id: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  /** Random, and of this request alone; base64url. */
  nonce: z.string().regex(/^[\w-]{22,88}$/),
})
const Proof = z.object({
  proof: z.string().optional(),
  server: z.object({ id: z.string(), key: z.string(), signature: z.string() }),
})
const Joined = z.object({
  ...{ credential: z.string(), workspace: z.string(), agent_id: z.string() },
  role: z.enum(ROLES),
})
const Ticket = z.object({ ticket: z.string(), expires_in: z.number() })
const Invited = z.object({ invite: z.string(), workspace: z.string().nullable(), role: z.string() })
const WithSecret = Invited.extend({ secret: z.string() })

/** Joining, tickets, and administration. */
export const accessRoutes = (
  store: AccessStore,
  now: () => number,
  identity: Identity,
): Route[] => {
  const actions = adminActions(store, now)
  const admin = <B extends z.ZodType>(
    name: string,
    summary: string,
    body: B,
    answer: z.ZodType,
    act: (by: Principal, b: z.infer<B>) => Promise<object>,
    needs: 'admin' | 'owner' = 'admin',
  ) =>
    route({
      ...{ method: 'POST', path: `/api/admin/${name}`, needs, summary, body, answer },
      run: ({ c, body }) => act(principalOf(c), body),
    })
  type List = 'invites' | 'agents' | 'audit' | 'workspaces'
  const list = (name: List, summary: string, field: string) =>
    route({
      ...{ method: 'GET', path: `/api/admin/${name}`, needs: 'admin', summary, query: ListQuery },
      answer: z.object({ [field]: z.array(z.looseObject({})) }),
      run: ({ c, query }) => actions[name](principalOf(c), query),
    })
  return [
    route({
      ...{ method: 'POST', path: '/api/join', needs: 'anyone', body: JoinBody, answer: Joined },
      summary: 'Trades an invite for a credential',
      run: ({ c, body: { agent_id: agent, ...request } }) => {
        const old = bearerIn(c.req.header('authorization')) ?? undefined
        return store.members.join({ ...request, agent, old })
      },
    }),
    route({
      ...{ method: 'GET', path: '/api/prove', needs: 'anyone', query: ProveQuery, answer: Proof },
      summary:
        'Proves which server this is, and that it knows a secret, before that is shown to it',
      run: ({ query: { id, nonce } }) => ({
        ...(id !== undefined && { proof: store.authenticator.prove(id, nonce) }),
        server: identity(nonce),
      }),
    }),
    route({
      ...{ method: 'POST', path: '/api/ticket', needs: 'read', answer: Ticket },
      summary: 'A short-lived stand-in for a credential, for the URL of a WebSocket',
      run: ({ c }) => {
        principalOf(c)
        return store.authenticator.ticket(bearerIn(c.req.header('authorization'))!)
      },
    }),
    admin('invite', 'Makes an invite, or a token', InviteBody, WithSecret, actions.invite),
    admin(
      'revoke',
      'Ends a credential, an invite or a token',
      WhichBody,
      z.object({ revoked: z.string() }),
      actions.revoke,
    ),
    admin('rotate', 'An invite in place of a credential', RotateBody, WithSecret, actions.rotate),
    admin(
      'recover',
      'Takes back what a restored backup lacks',
      RecoverBody,
      z.object({ recovering_until: z.string() }),
      actions.recover,
      'owner',
    ),
    admin(
      'add',
      'Makes a workspace',
      WorkspaceBody,
      z.object({ workspace: z.string(), created: z.boolean() }),
      actions.add,
      'owner',
    ),
    list('workspaces', 'The workspaces there are, and how many have joined each', 'workspaces'),
    list('invites', 'Invites by which somebody can still join, and tokens', 'invites'),
    list('agents', 'Who has joined', 'agents'),
    list('audit', 'Who was invited, joined, revoked, and what was refused', 'entries'),
  ]
}
