import * as z from 'zod'
import { ClawError } from '../../protocol/errors.ts'
import { random } from '../../protocol/fresh-ids.ts'
import { newAgentId } from '../../protocol/ids.ts'
import { ROLES } from '../../protocol/roles.ts'
import { derivedBytes, derivedSecret } from '../auth/stored/secrets.ts'
import { callerOf } from '../http/caller.ts'
import type { HttpContext } from '../http/context.ts'
import { checkOrigin, keepInBrowser } from '../http/page-cookie.ts'
import { type Route, route } from '../http/route.ts'
import { text, workspace } from './admin-actions.ts'
import type { AppEnv } from './env.ts'

const SessionBody = z.strictObject({
  invite: text,
  workspace,
  name: z.string().max(200).optional(),
  /** Random, and of one browser's joining: the same request made again gets the same answer. */
  attempt: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
})
const Session = z.object({
  ...{ workspace: z.string(), agent_id: z.string(), role: z.enum(ROLES) },
})

/** The web page, and the credentials of browsers. */
export const pageRoutes = (env: AppEnv): Route[] => [
  ...['/app/:file', '/sw.js'].map((path) =>
    route({
      ...{ method: 'GET', path, needs: 'anyone', bytes: true, statuses: { 200: 'The file' } },
      summary: 'A file of the web page',
      run: ({ c }) => fileOf(env, c, c.req.param('file') ?? 'sw.js'),
    }),
  ),
  route({
    ...{
      method: 'POST',
      path: '/api/session',
      needs: 'anyone',
      body: SessionBody,
      answer: Session,
    },
    summary: 'Trades an invite for a credential that only the browser knows, as a cookie',
    run: async ({ c, body: { attempt, ...body } }) => {
      checkOrigin(c)
      const identity =
        attempt === undefined ? { agent: newAgentId(random) } : identityOf(body.invite, attempt)
      const joined = await env.access.members.join({ ...body, ...identity, kind: 'person' })
      keepInBrowser(c, joined.workspace, joined.credential, env.isSecure(c))
      const { workspace, role, agent_id } = joined
      return { workspace, role, agent_id }
    },
  }),
  route({
    ...{ method: 'GET', path: '/api/session', needs: 'read', answer: Session },
    summary: 'Whose credential this is',
    run: ({ c }) => sessionOf(c),
  }),
  route({
    ...{ method: 'POST', path: '/api/session/end', needs: 'read', answer: z.object({}) },
    summary: 'Has the browser forget its credential',
    run: ({ c }) => {
      const { workspace } = sessionOf(c)
      keepInBrowser(c, workspace, null, env.isSecure(c))
      return {}
    },
  }),
]

/** Agent and credential follow from the invite and the attempt, so a repeated request finds them. Both are secrets. */
const identityOf = (invite: string, attempt: string) => {
  const agent = newAgentId((bytes) => {
    bytes.set(derivedBytes(invite, `agent ${attempt}`).subarray(0, bytes.length))
    return bytes
  })
  return { agent, credential: derivedSecret('credential', invite, attempt) }
}

const fileOf = ({ pages }: AppEnv, c: HttpContext, name: string): Response => {
  const found = name === 'index.html' ? null : pages.answer(c, name)
  if (found !== null) return found
  throw new ClawError('unknown_route', `the page has no file ${name.slice(0, 80)}`, 'reload it')
}

const sessionOf = (c: HttpContext): z.infer<typeof Session> => {
  const by = callerOf(c)
  if (by?.kind !== 'agent') {
    throw new ClawError('not_allowed', 'this is not the credential of an agent or a person')
  }
  return { workspace: by.workspace, agent_id: by.agent, role: by.role }
}
