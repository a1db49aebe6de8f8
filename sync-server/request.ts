import type { Context, Hono, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { z } from 'zod'
import { ClawError } from '../workspace/errors.ts'
import { isWorkspaceName } from '../workspace/schema.ts'
import { MAX_BODY_BYTES } from './limits.ts'
import type { Room } from './room.ts'

/** The workspace that a request's path names. Throws `bad_name`. */
export const workspaceOf = (c: Context): string => {
  const name = c.req.param('workspace') ?? ''
  if (isWorkspaceName(name)) return name
  throw new ClawError(
    'bad_name',
    `"${name.slice(0, 80)}" is not a workspace name`,
    'lower-case letters, digits, ".", "_" and "-", at most 63, beginning with a letter or digit',
  )
}

/** Resolves when the room can be asked. Rejects with `storage_failed`. */
export const ready = (room: Room): Promise<void> =>
  room.loaded.catch((cause) => {
    const error = new ClawError(
      'storage_failed',
      'the workspace cannot be read',
      'see the server log',
    )
    error.cause = cause
    throw error
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

/** Refuses a body of more than so many bytes. */
const bodyOf = (maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: async (c) => {
      await discard(c.req.raw.body).catch(() => {}) // of one that tells no length some was read
      throw new ClawError(
        'too_large',
        `the request body is over ${maxSize} bytes`,
        'put a long result into a shared file and name the file',
      )
    },
  })

const MAX_BODY = 'maxBody'

/** From here on `limited` refuses bodies of more than so many bytes. */
export const limitBodies = (app: Hono, maxSize: number): void => {
  const limit = bodyOf(maxSize)
  app.use('*', async (c, next) => {
    c.set(MAX_BODY as never, limit as never)
    await next()
  })
}

/** Refuses a body that is too large. */
export const limited: MiddlewareHandler = (c, next) =>
  ((c.get(MAX_BODY) as MiddlewareHandler | undefined) ?? bodyOf(MAX_BODY_BYTES))(c, next)

/** Reads a refused body to its end, within reason: a client that is still sending cannot read the refusal. */
const discard = async (body: ReadableStream<Uint8Array> | null): Promise<void> => {
  let left = 64 * MAX_BODY_BYTES
  for await (const chunk of body ?? []) {
    left -= chunk.length
    if (left < 0) return
  }
}
