import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { trusted } from './trust.ts'

/** Node's `request` for a URL and its options; that for TLS is loaded where it is needed. */
type Requester = (
  url: URL,
  options: RequestOptions,
  onAnswer: (answer: IncomingMessage) => void,
) => ClientRequest

/** Throws `usage` if CLAWLINK_CA does not name a certificate. */
export const requesterOf = async (url: URL): Promise<Requester> => {
  if (url.protocol !== 'https:') return httpRequest
  const { request } = await import('node:https')
  const more = trusted()
  return (to, options, onAnswer) => request(to, { ...options, ...more }, onAnswer)
}
