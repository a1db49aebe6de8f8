import type { ClawError } from '../../protocol/errors.ts'
import { httpWords } from '../http/http-words.ts'
import { error1x, reasonOf } from '../http-agents/v1-shapes.ts'

/**
 * The JSON of an error that answers a request to this path, and the reason in its status line (null: the usual one). Below
 * `/api/` it has the CLI's shape, elsewhere that of ClawLink 1.x. `hasVerbs`: the request is the agent CLI's.
 */
export const errorAnswer = (
  path: string,
  hasVerbs: boolean,
  error: ClawError,
): { json: object; reason: string | null } => {
  const body = error.toBody()
  if (hasVerbs) return { json: { ok: false, error: body }, reason: null }
  const is1x = !path.startsWith('/api/')
  body.hint = httpWords(body.hint, is1x)
  if (!is1x) return { json: { ok: false, error: body }, reason: null }
  const json = error1x(body)
  return { json, reason: reasonOf(json.error) }
}
