import type { ErrorBody } from '../../../protocol/errors.ts'
import type { Role } from '../../../protocol/roles.ts'
import { fetch, type Server } from '../server.ts'

/** Somebody who has joined. */
export interface Member {
  agent: string
  token: string
  headers: { authorization: string }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

interface Answer<T> {
  status: number
  data: T
  error?: ErrorBody
}

/** A JSON request; as the owner, where `headers` do not say otherwise. */
export const ask = async <T = Record<string, unknown>>(
  server: Pick<Server, 'url'>,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer<T>> => {
  const answer = await fetch(server.url + path, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers,
  })
  const { error, ...said } = (await answer.json()) as { data: T; error?: ErrorBody | string }
  if (error === undefined) return { status: answer.status, ...said }
  // In 1.x's routes it is a text, with the same fields beside it.
  const fields = typeof error === 'string' ? (said as unknown as ErrorBody) : error
  return { status: answer.status, ...said, error: fields }
}

export const invite = async (server: Pick<Server, 'url'>, wanted: object): Promise<string> =>
  (await ask<{ secret: string }>(server, '/api/admin/invite', { create: true, ...wanted })).data
    .secret

/** Joins as `agent`. */
export const member = async (
  server: Pick<Server, 'url'>,
  agent: string,
  role: Role = 'write',
  workspace = 'default',
): Promise<Member> => {
  const secret = await invite(server, { workspace, role })
  const { data, error } = await ask<{ credential: string }>(server, '/api/join', {
    ...{ invite: secret, agent_id: agent },
  })
  if (error !== undefined) throw new Error(`${agent}: ${error.message}`)
  return { agent, token: data.credential, headers: bearer(data.credential) }
}
