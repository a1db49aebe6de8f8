import { getCookie, setCookie } from 'hono/cookie'
import { ClawError } from '../../protocol/errors.ts'
import { PAGE_HEADER } from '../../protocol/page.ts'
import { isSecret } from '../../protocol/roles.ts'
import { checkWorkspaceName } from '../../workspace/document/validate.ts'
import type { HttpContext } from './context.ts'

/** As long as browsers keep a cookie (seconds). */
const MAX_AGE = 400 * 24 * 3_600

/**
 * A browser keeps `__Host-` cookies only if they came over TLS, for exactly this host. It sends them to all ports of the
 * host: two servers on one machine have two names.
 */
const nameOf = (c: HttpContext, workspace: string, isSecure: boolean): string => {
  const port = /:(\d+)$/.exec(c.req.header('host') ?? '')?.[1]
  const parts = ['clawlink', ...(port === undefined ? [] : [port]), encodeURIComponent(workspace)]
  return `${isSecure ? '__Host-' : ''}${parts.join('-')}`
}

/**
 * The credential of a page's request, from the cookie of the workspace that the request names in PAGE_HEADER. Null: the
 * request comes from no page, or the browser has none. Throws `not_allowed` for a page of another site, `bad_name`.
 */
export const pageSecretIn = (c: HttpContext): string | null => {
  const named = c.req.header(PAGE_HEADER)
  if (named === undefined) return null
  checkOrigin(c)
  const workspace = checkWorkspaceName(named)
  const cookies = getCookie(c)
  const secret = cookies[nameOf(c, workspace, true)] ?? cookies[nameOf(c, workspace, false)]
  return secret !== undefined && isSecret('credential', secret) ? secret : null
}

/** Throws `not_allowed`: scripts of other sites, and of other ports of this machine, may not use the cookie. */
export const checkOrigin = (c: HttpContext): void => {
  const site = c.req.header('sec-fetch-site')
  const origin = c.req.header('origin')
  const isOwn = site === undefined || site === 'same-origin' || site === 'none'
  if (isOwn && (origin === undefined || hostOf(origin) === c.req.header('host'))) return
  throw new ClawError(
    'not_allowed',
    'pages of other sites may not use the credential of this one',
    'open the page of this server',
  )
}

const hostOf = (origin: string): string | null => {
  try {
    return new URL(origin).host
  } catch {
    return null
  }
}

/** Keeps a credential in the browser, where no script reads it; `secret` null: forgets it. */
export const keepInBrowser = (
  c: HttpContext,
  workspace: string,
  secret: string | null,
  isSecure: boolean,
): void =>
  setCookie(c, nameOf(c, workspace, isSecure), secret ?? '', {
    ...{ path: '/', httpOnly: true, sameSite: 'Strict', secure: isSecure },
    maxAge: secret === null ? 0 : MAX_AGE,
  })
