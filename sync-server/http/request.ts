import * as z from 'zod'
import { ClawError } from '../../protocol/errors.ts'
import { readJsonText } from '../../workspace/document/json.ts'
import type { Json } from '../../workspace/document/schema.ts'
import { checkWorkspaceName } from '../../workspace/document/validate.ts'
import { jsonProblem, MAX_VALUE_DEPTH } from '../../workspace/document/values.ts'
import { Fault } from '../storage/faults.ts'
import type { Room } from '../sync/room.ts'
import type { HttpContext } from './context.ts'

/** The workspace that a request's path names. Throws `bad_name`. */
export const workspaceOf = (c: HttpContext): string =>
  checkWorkspaceName(c.req.param('workspace') ?? '')

/** Resolves when the room is loaded. Rejects with Fault. */
export const ready = (room: Room): Promise<void> =>
  room.loaded.catch((error) => {
    throw new Fault(room.name, error)
  })

/** A request's body or query by its schema. Throws `usage`. */
export const parse = <T>(schema: z.ZodType<T>, what: unknown): T => {
  const parsed = schema.safeParse(what)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue?.path.join('.') || 'request'
  throw new ClawError('usage', `${where}: ${issue?.message ?? 'invalid'}`, 'see docs/PROTOCOL.md')
}

/** Deepest nesting in a body (levels of arrays and objects). */
const MAX_BODY_DEPTH = MAX_VALUE_DEPTH + 4

/** Throws `bad_json`. */
export const parseJson = (text: string): unknown =>
  readJsonText(text, 'the body', { depth: MAX_BODY_DEPTH })

/** Any JSON value of at most as many levels as the document allows. */
export const anyJson = z.custom<Json>(
  (value) => value !== undefined && jsonProblem(value, Number.POSITIVE_INFINITY) === null,
  `it is missing, or nested deeper than ${MAX_VALUE_DEPTH} levels`,
)
