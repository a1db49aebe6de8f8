import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { ClawError, type ErrorBody, VERBS_HEADER } from '../../workspace/errors.ts'
import type { OwnerFile } from '../access/owner.ts'

/** A server answers within this long (milliseconds), unless it has to work for it. */
export const ANSWER_MS = 15_000

/**
 * Asks the running server, as its owner; `ms`: so long is waited for its answer, null: for ever. Throws what it refuses
 * with, and `unreachable`.
 */
export const askServer = <T>(
  owner: OwnerFile,
  path: string,
  body?: object,
  ms: number | null = ANSWER_MS,
): Promise<T> =>
  new Promise<T>((resolve, reject) => {
    const base = owner.url ?? ''
    const lost = (what: string) =>
      reject(
        new ClawError(
          'unreachable',
          `the server at ${base} does not answer: ${what}`,
          'if none is running, something else has the data folder open; "clawlink-sync doctor" says what it finds',
        ),
      )
    if (!URL.canParse(base)) return lost('it is not known where it is')
    const url = new URL(path, base)
    const headers = {
      authorization: `Bearer ${owner.token}`,
      [VERBS_HEADER]: '1',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    }
    const method = body === undefined ? 'GET' : 'POST'
    // It is this machine's own server, whatever name its certificate has; the token is only for who has the folder.
    const options = { method, headers, rejectUnauthorized: false }
    const asked = (url.protocol === 'https:' ? requestTls : request)(url, options, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk) => {
        text += chunk
      })
      answer.on('error', (error) => lost(error.message))
      answer.on('end', () => {
        try {
          const { data, error } = JSON.parse(text) as { data?: T; error?: ErrorBody }
          if (error !== undefined) reject(ClawError.fromBody(error))
          else resolve((data ?? JSON.parse(text)) as T)
        } catch {
          lost(`it is no clawlink-sync (HTTP ${answer.statusCode})`)
        }
      })
    })
    const hangs = () => asked.destroy(new Error(`nothing came in ${ms! / 1_000} s; it may hang`))
    const timer = ms === null ? undefined : setTimeout(hangs, ms)
    asked.on('close', () => clearTimeout(timer))
    asked.on('error', (error) => lost(error.message))
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
