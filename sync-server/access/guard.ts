import type { Context, Hono } from 'hono'
import { includes, type Role } from '../../workspace/access.ts'
import { ClawError } from '../../workspace/errors.ts'
import { agentOf, type Speaker } from './speaker.ts'
import { type AccessStore, unknownCredential } from './store.ts'

/** Routes that answer anybody; `/` tells more to those who show a credential. */
const OPEN = new Set(['GET /', 'HEAD /', 'GET /health', 'HEAD /health', 'POST /api/join'])

/** The secret in a request's `Authorization: Bearer`; null: there is none. */
export const bearerIn = (header: string | undefined): string | null =>
  /^Bearer +(\S{1,200})$/i.exec(header ?? '')?.[1] ?? null

/** What a request takes. What is not named here changes something, so that a new route is shut at first. */
const neededFor = (method: string, path: string): Role => {
  if (path === '/metrics' || path.startsWith('/api/admin/')) return 'admin'
  if (path === '/api/ticket') return 'read'
  return method === 'GET' || method === 'HEAD' ? 'read' : 'write'
}

/** Lets through who may: every route is behind this. Throws `unauthorized`, `revoked`, `not_allowed`. */
export const addGuard = (app: Hono, store: AccessStore): void => {
  app.use('*', async (c, next) => {
    const { method, path } = c.req
    const secret = bearerIn(c.req.header('authorization'))
    const isOpen = OPEN.has(`${method} ${path}`)
    if (secret !== null && path !== '/api/join') remember(c, store.authenticate(secret))
    else if (!isOpen) throw noCredential()
    const speaker = askedBy(c)
    if (speaker?.kind === 'agent' && !isOpen) {
      const [, workspace] = /^\/api\/workspaces\/([^/]*)/.exec(path) ?? []
      if (workspace !== undefined) checkWorkspace(speaker, workspace)
      checkRole(speaker.role, neededFor(method, path))
    }
    await next()
  })
}

export const noCredential = (): ClawError =>
  new ClawError(
    'unauthorized',
    'this takes a credential',
    'join with a link from who runs the server: clawlink-agent join -',
  )

/** Throws `not_allowed`: workspaces are walls. */
export const checkWorkspace = (speaker: Speaker, workspace: string): void => {
  if (speaker.kind === 'owner' || speaker.workspace === workspace) return
  throw new ClawError(
    'not_allowed',
    `this credential is for the workspace ${speaker.workspace} only`,
    'each workspace takes an invite of its own',
  )
}

const checkRole = (role: Role, needed: Role): void => {
  if (includes(role, needed)) return
  throw new ClawError(
    'not_allowed',
    `this takes a credential with the role ${needed}, and this one has ${role}`,
    'ask who runs the server for another invite',
  )
}

const remember = (c: Context, speaker: Speaker): void => c.set('speaker', speaker)

/** Whose request it is; null on an open route that shows no credential. */
export const askedBy = (c: Context): Speaker | null =>
  (c.get('speaker') as Speaker | undefined) ?? null

/** Whose request it is. Throws `unauthorized`. */
export const speakerOf = (c: Context): Speaker => {
  const speaker = askedBy(c)
  if (speaker === null) throw unknownCredential()
  return speaker
}

/** Throws `forged` where a request speaks as somebody else. */
export const checkName = (c: Context, name: string | undefined): void => {
  const agent = agentOf(speakerOf(c))
  if (agent === null || name === undefined || name === agent) return
  throw new ClawError(
    'forged',
    `this credential is ${agent}'s, and speaks for nobody else`,
    'each agent joins by itself',
  )
}
