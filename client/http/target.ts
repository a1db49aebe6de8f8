import { ClawError } from '../../protocol/errors.ts'
import { isSecret, redacted } from '../../protocol/roles.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import type { Faith } from './proof.ts'

/** ClawLink's own port: where a host without one is tried. */
export const DEFAULT_PORT = 9077
export const DEFAULT_SERVER = `http://127.0.0.1:${DEFAULT_PORT}`

/** The address of a server, as typed by a person. */
export interface Target {
  /** HTTP base URL without a slash at its end. */
  base: string
  /** WebSocket URL of the sync endpoint; append `/<workspace>`. */
  sync: string
  /** The workspace that a join link names. */
  workspace: string | null
  /** The secret of a join link. */
  invite?: string
  /** The credential to show, looked up each time: it may have been replaced. */
  token?: () => string | null
  /** True if the credential only reads. */
  readsOnly?: () => boolean
  /** True if the server must prove that it knows the credential first; left out: if it can. */
  faith?: Faith
}

/** The WebSocket URL of the sync endpoint of a server. */
export const syncAt = (base: string): string => `${base.replace(/^http/, 'ws')}/sync`

/** A server to ask over HTTP, and the credentials for it. */
export type ServerAt = Pick<Target, 'base' | 'token' | 'faith'>

/** The header that shows a server who asks. */
export const authorization = ({
  token,
}: {
  token?: Target['token'] | undefined
}): { authorization?: string } => {
  const secret = token?.() ?? null
  return secret === null ? {} : { authorization: `Bearer ${secret}` }
}

/**
 * Reads `http(s)://…`, `ws(s)://…`, `HOST:PORT` or `HOST`, each with an optional path prefix, or a join link (any of
 * them with `#w=<workspace>`, and `&i=<invite>` to join by). Throws `bad_url`.
 */
export const parseTarget = (text: string): Target => {
  // As it is pasted from a mail or a chat: in quotes of any kind, or <>.
  const typed = text.trim().replace(/^["'“”‘’«»<>`]+|["'“”‘’«»<>`]+$/g, '')
  if (/\[[^\]]*%[^\]]*\]/.test(typed)) throw bad(typed, ZONE)
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed)
  const url = URL.canParse(isUrl ? typed : `http://${typed}`)
    ? new URL(isUrl ? typed : `http://${typed}`)
    : null
  if (/\s/.test(typed)) throw bad(typed, 'has a space or a line break in it')
  if (url === null) throw bad(typed, 'is not a server address')
  const scheme = /^(?:http|ws)(s?):$/.exec(url.protocol)
  if (scheme === null) throw bad(typed, `has the unknown scheme ${url.protocol}//`)
  if (url.username !== '' || url.password !== '') throw bad(typed, 'has a user name in it')
  if (url.search !== '') throw bad(typed, 'has a query in it')

  if (!isUrl && url.port === '' && !/:80(?:[/#]|$)/.test(typed)) url.port = String(DEFAULT_PORT)
  const path = /^(.*?)(?:\/sync(?:\/([^/]+))?)?\/*$/.exec(url.pathname)
  const fragment = new URLSearchParams(url.hash.slice(1))
  const workspace = fragment.get('w') ?? path?.[2] ?? null
  const invite = fragment.get('i')
  if (invite !== null && !isSecret('invite', invite)) {
    throw bad(
      typed,
      invite.length < INVITE_LENGTH ? 'is cut short' : 'has more than the invite at its end',
    )
  }
  if (workspace !== null && !isWorkspaceName(workspace)) {
    throw bad(typed, `names the workspace "${workspace}", which cannot exist`)
  }
  const place = `${scheme[1]}://${url.host}${path?.[1] ?? ''}`
  const base = `http${place}`
  const target = { base, sync: syncAt(base), workspace }
  return invite === null ? target : { ...target, invite }
}

const ZONE =
  'names a network interface after %, which no URL can: give the host by name, or by an address that is good everywhere'

/** Characters of an invite. */
const INVITE_LENGTH = 47

/** The hint for an incomplete join link. */
export const WHOLE_LINK = "copy the whole link, and put it in quotes: 'http://…/#w=…&i=…'"

/** The error of a wrong address; it repeats nothing that may be secret. */
const bad = (typed: string, what: string): ClawError => {
  const isLink = /[#?&][wi]=/.test(typed)
  const address = typed.split(/[#?]/, 1)[0]!.replace(/\/\/[^/@]*@/, '//…@')
  const where = redacted(address.length > MAX_SHOWN ? `${address.slice(0, MAX_SHOWN)}…` : address)
  return new ClawError(
    'bad_url',
    isLink ? `the join link${where === '' ? '' : ` of "${where}"`} ${what}` : `"${where}" ${what}`,
    isLink
      ? WHOLE_LINK
      : `use http://HOST:PORT, HOST:PORT, HOST (port ${DEFAULT_PORT}) or a join link`,
  )
}

/** The longest part of an address in an error (characters). */
const MAX_SHOWN = 120
