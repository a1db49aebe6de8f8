import type { Context, Hono } from 'hono'
import { z } from 'zod'
import { ROLES } from '../../workspace/access.ts'
import { ClawError } from '../../workspace/errors.ts'
import { isWorkspaceName } from '../../workspace/schema.ts'
import { limited, parse, parseJson } from '../request.ts'
import { bearerIn, checkWorkspace, speakerOf } from './guard.ts'
import type { Invite } from './records.ts'
import type { Speaker } from './speaker.ts'
import type { AccessStore } from './store.ts'

const DAY_MS = 24 * 60 * 60_000
const workspace = z.string().refine(isWorkspaceName, 'not a workspace name').optional()
const text = z.string().min(1).max(200)

const JoinBody = z.strictObject({
  invite: text,
  agent_id: text,
  workspace,
  credential: text.optional(),
  name: z.string().max(200).optional(),
  kind: z.enum(['agent', 'person']).optional(),
})
export const InviteBody = z.strictObject({
  workspace,
  role: z.enum(ROLES as ['read', 'write', 'admin']).default('write'),
  /** null: any number. */
  uses: z.number().int().min(1).max(1_000_000).nullable().default(1),
  /** Milliseconds; null: never. */
  expires_in: z
    .number()
    .int()
    .min(1_000)
    .max(3_660 * DAY_MS)
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
    .max(30 * DAY_MS),
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
  ...{ by: invite.by, created_at: new Date(invite.createdAt).toISOString() },
})

/** What an admin can do; for those of one workspace in that one. The subcommands of clawlink-sync do the same. */
export const adminActions = (store: AccessStore, now: () => number) => {
  /** The workspace that is meant; null: all. Throws `not_allowed`. */
  const within = (by: Speaker, wanted: string | undefined): string | null => {
    if (wanted !== undefined) checkWorkspace(by, wanted)
    return by.kind === 'owner' ? (wanted ?? null) : by.workspace
  }
  return {
    invite: async (by: Speaker, body: z.infer<typeof InviteBody>) => {
      const { role, uses, expires_in } = body
      const expiresAt = expires_in === null ? null : now() + expires_in
      const name = within(by, body.workspace) ?? 'default'
      const made = await store.invite({ workspace: name, role, uses, expiresAt }, by)
      return { ...showInvite(made.invite), secret: made.secret }
    },
    invites: async (by: Speaker, { workspace }: { workspace?: string | undefined }) => ({
      invites: store.invites(within(by, workspace)).map(showInvite),
    }),
    agents: async (by: Speaker, { workspace }: { workspace?: string | undefined }) => ({
      agents: store.members(within(by, workspace)),
    }),
    revoke: async (by: Speaker, body: z.infer<typeof WhichBody>) => {
      await store.revoke(body.which, within(by, body.workspace), by)
      return { revoked: body.which }
    },
    rotate: async (by: Speaker, body: z.infer<typeof RotateBody>) => {
      const expiresAt = now() + 7 * DAY_MS
      const made = await store.rotate(body.which, within(by, body.workspace), by, expiresAt)
      return { ...showInvite(made.invite), secret: made.secret }
    },
    audit: async (by: Speaker, query: { workspace?: string | undefined; limit: number }) => ({
      entries: store.audit(within(by, query.workspace), query.limit).map(({ at, ...entry }) => ({
        at: new Date(at).toISOString(),
        ...entry,
      })),
    }),
    recover: async (by: Speaker, body: z.infer<typeof RecoverBody>) => {
      if (by.kind !== 'owner') throw new ClawError('not_allowed', 'this is for the owner only')
      return { recovering_until: await store.recover(body.for, by) }
    },
  }
}
export type AdminActions = ReturnType<typeof adminActions>

/** Joining, tickets, and administration. */
export const addAccessRoutes = (app: Hono, store: AccessStore, now: () => number): void => {
  const actions = adminActions(store, now)
  const body = async <T>(c: Context, schema: z.ZodType<T>): Promise<T> =>
    parse(schema, parseJson(await c.req.text()))

  app.post('/api/join', limited, async (c) => {
    const { agent_id: agent, ...request } = await body(c, JoinBody)
    const old = bearerIn(c.req.header('authorization')) ?? undefined
    return c.json({ ok: true, data: await store.join({ ...request, agent, old }) })
  })

  app.post('/api/ticket', (c) => {
    speakerOf(c)
    return c.json({ ok: true, data: store.ticket(bearerIn(c.req.header('authorization'))!) })
  })

  const post = <T>(
    name: string,
    schema: z.ZodType<T>,
    act: (by: Speaker, b: T) => Promise<object>,
  ) =>
    app.post(`/api/admin/${name}`, limited, async (c) => {
      const wanted = await body(c, schema)
      return c.json({ ok: true, data: await act(speakerOf(c), wanted) })
    })
  post('invite', InviteBody, actions.invite)
  post('revoke', WhichBody, actions.revoke)
  post('rotate', RotateBody, actions.rotate)
  post('recover', RecoverBody, actions.recover)
  for (const name of ['invites', 'agents', 'audit'] as const) {
    app.get(`/api/admin/${name}`, async (c) => {
      const query = parse(ListQuery, c.req.query())
      return c.json({ ok: true, data: await actions[name](speakerOf(c), query) })
    })
  }
}
