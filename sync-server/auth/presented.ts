import { ClawError } from '../../protocol/errors.ts'
import { isSecret } from '../../protocol/roles.ts'
import { unknownCredential } from './stored/refusals.ts'

/** The secret in an `Authorization: Bearer` header; null: there is none. */
export const bearerIn = (header: string | undefined): string | null =>
  /^Bearer +(\S{1,200})$/i.exec(header ?? '')?.[1] ?? null

/**
 * The token in `Authorization: Basic`, as its password: ClawLink 1.0's clients set no other header. Requests of
 * browsers are rejected, because a browser repeats a password on its own, also for pages of other sites. Null: none
 * was sent. Throws `unauthorized` for another kind of secret, `not_allowed`.
 */
export const basicIn = (headers: {
  authorization?: string | undefined
  origin?: string | undefined
  'sec-fetch-site'?: string | string[] | undefined
}): string | null => {
  const token = passwordIn(headers.authorization)
  if (token === null) return null
  if (headers.origin === undefined && headers['sec-fetch-site'] === undefined) return tokenIn(token)
  throw new ClawError(
    'not_allowed',
    'a browser cannot show its token as a password',
    'send it as Authorization: Bearer TOKEN',
  )
}

/** The password in an `Authorization: Basic` header; null: there is none. */
export const passwordIn = (header: string | undefined): string | null => {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,400})$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return null
  const [, password = ''] = /:(.*)$/s.exec(Buffer.from(encoded, 'base64').toString()) ?? []
  return password === '' ? null : password
}

/** An HTTP token, which may also be in a URL: some clients can send it in no other way. Throws `unauthorized` for another secret. */
export const tokenIn = (token: string | null | undefined): string | null => {
  if (token === null || token === undefined || isSecret('http', token)) return token ?? null
  throw unknownCredential()
}
