import * as z from 'zod'
import { ROLES } from '../../protocol/roles.ts'
import type { Identity } from '../auth/identity.ts'
import { bearerIn } from '../auth/presented.ts'
import type { AccessStore } from '../auth/store.ts'
import { principalOf } from '../http/caller.ts'
import { type Route, route } from '../http/route.ts'
import type { Principal } from '../sync/principal.ts'
import {
  type AdminActions,
  adminActions,
  InviteBody,
  RecoverBody,
  RenameBody,
  RoleBody,
  RotateBody,
  text,
  WhichBody,
  WorkspaceBody,
  workspace,
} from './admin-actions.ts'

const JoinBody = z.strictObject({
  invite: text,
  agent_id: text,
  workspace,
  credential: text.optional(),
  name: z.string().max(200).optional(),
  kind: z.enum(['agent', 'person']).optional(),
  /** For the invite of the same user only: makes the workspace if it does not exist. */
  create: z.boolean().optional(),
})
const ListQuery = z.strictObject({
  workspace,
  limit: z.coerce.number().int().min(1).max(10_000).default(200),
})

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
const Revoked = z.object({ revoked: z.string() })
const Recovering = z.object({ recovering_until: z.string() })
const HasRole = z.object({ agent_id: z.string(), workspace: z.string(), role: z.enum(ROLES) })
const Renamed = z.object({ workspace: z.string(), called: z.string() })
const Removed = z.object({ workspace: z.string(), removed: z.boolean() })
const Restored = z.object({ workspace: z.string(), restored: z.boolean() })
const Created = z.object({ workspace: z.string(), created: z.boolean() })

/** Joining, tickets, and administration. */
export const accessRoutes = (
  store: AccessStore,
  now: () => number,
  identity: Identity,
): Route[] => [...credentialRoutes(store, identity), ...adminRoutes(adminActions(store, now))]

const credentialRoutes = (store: AccessStore, identity: Identity): Route[] => [
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
    summary: 'Proves which server this is, and that it knows a secret, before that is shown to it',
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
      return store.authenticator.ticket(c.get('secret')!)
    },
  }),
]

/** A route that runs an action of an admin. */
const adminRoute = <B extends z.ZodType>(
  name: string,
  summary: string,
  body: B,
  answer: z.ZodType,
  act: (by: Principal, b: z.infer<B>) => Promise<object>,
  needs: 'admin' | 'owner' = 'admin',
): Route =>
  route({
    ...{ method: 'POST', path: `/api/admin/${name}`, needs, summary, body, answer },
    run: ({ c, body }) => act(principalOf(c), body),
  })

const adminRoutes = (actions: AdminActions): Route[] => {
  const list = (
    name: 'invites' | 'agents' | 'audit' | 'workspaces',
    summary: string,
    field: string,
  ) =>
    route({
      ...{ method: 'GET', path: `/api/admin/${name}`, needs: 'admin', summary, query: ListQuery },
      answer: z.looseObject({ [field]: z.array(z.looseObject({})) }),
      run: ({ c, query }) => actions[name](principalOf(c), query),
    })
  const [invited, rotated] = ['Makes an invite, or a token', 'An invite in place of a credential']
  return [
    adminRoute('invite', invited, InviteBody, WithSecret, actions.invite),
    adminRoute(
      'revoke',
      'Ends a credential, an invite or a token',
      WhichBody,
      Revoked,
      actions.revoke,
    ),
    adminRoute('rotate', rotated, RotateBody, WithSecret, actions.rotate),
    adminRoute(
      ...(['recover', 'Takes back what a restored backup lacks', RecoverBody] as const),
      ...([Recovering, actions.recover, 'owner'] as const),
    ),
    adminRoute('role', 'Gives an agent another role', RoleBody, HasRole, actions.role),
    adminRoute('add', 'Makes a workspace', WorkspaceBody, Created, actions.add, 'owner'),
    adminRoute(
      ...(['rename', 'Gives a workspace another name in lists', RenameBody] as const),
      ...([Renamed, actions.rename, 'owner'] as const),
    ),
    adminRoute(
      ...(['remove', 'Removes a workspace; its data stay', WorkspaceBody] as const),
      ...([Removed, actions.remove, 'owner'] as const),
    ),
    adminRoute(
      ...(['restore', 'Brings a removed workspace back', WorkspaceBody] as const),
      ...([Restored, actions.restore, 'owner'] as const),
    ),
    list('workspaces', 'The workspaces there are, and how many have joined each', 'workspaces'),
    list('invites', 'Invites that can still be used, and tokens', 'invites'),
    list('agents', 'Who has joined', 'agents'),
    list('audit', 'Who was invited, joined, revoked, and what was refused', 'entries'),
  ]
}
