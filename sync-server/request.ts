import type { Context } from 'hono'
import { z } from 'zod'
import { ClawError } from '../workspace/errors.ts'
import type { Json } from '../workspace/schema.ts'
import { checkWorkspaceName } from '../workspace/validate.ts'
import { Fault } from './faults.ts'
import type { Room } from './room.ts'

/** The workspace that a request's path names. Throws `bad_name`. */
export const workspaceOf = (c: Context): string =>
  checkWorkspaceName(c.req.param('workspace') ?? '')

/** Resolves when the room can be asked. Rejects with Fault. */
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

/** Throws `bad_json`. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ClawError('bad_json', `the body is not JSON: ${(error as Error).message}`)
  }
}

/** Levels of arrays and objects within each other: what goes through such a value recurses. */
const MAX_JSON_DEPTH = 100

const isShallow = (value: unknown): boolean => {
  let level = [value]
  for (let depth = 0; depth <= MAX_JSON_DEPTH; depth++) {
    if (level.length === 0) return true
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    )
  }
  return false
}

/** Whatever JSON can hold, within reason: what comes here was parsed from it. */
export const anyJson = z.custom<Json>(
  (value) => value !== undefined && isShallow(value),
  `it is missing, or more than ${MAX_JSON_DEPTH} levels deep`,
)
