import type * as z from 'zod'
import { MAX_KEY_BYTES } from '../../protocol/limits.ts'
import { lowestOf, type Role } from '../../protocol/roles.ts'
import type { Action } from '../../workspace/actions/action.ts'
import {
  type Field,
  type Fields,
  type InputOf,
  optional,
} from '../../workspace/actions/inputs/field.ts'
import { hasRole } from '../auth/authorize.ts'
import { type BodyOf, bodyOf } from '../http/body.ts'
import { callerIn } from '../http/caller.ts'
import { type Asked, type Route, route } from '../http/route.ts'
import type { ActionContext } from '../http-agents/context.ts'
import { act, type HttpActor, runNow } from '../http-agents/http-actor.ts'
import { actAs, asking, checkAgentId, inRoom, keyIn } from './agent-request.ts'
import type { AppEnv } from './env.ts'

export const at = (rest: string): string => `/api/workspaces/:workspace/${rest}`

/** The idempotency key of a command; absent: the header Idempotency-Key. */
const inBody: Field<string> = { shape: { kind: 'name', least: 1, most: MAX_KEY_BYTES } }

/** A route of an action: its body is the action's input. */
interface Served<F extends Fields, R extends object> {
  method: 'POST' | 'PUT'
  /** The end of its path. */
  rest: string
  summary: string
  action: Action<F, R, HttpActor>
  answer: z.ZodType
  /** The fields of the body, where it has not all of the input. */
  fields?: Fields
  /** The fields of the input that are in the path, by the names that they have there. */
  inPath?: Partial<Record<keyof F & string, string>>
  maxBytes?: number
  /**
   * A command on a task. A replica sends its commands by the same routes: they do not make the agent present, and the body
   * may have the idempotency key.
   */
  isCommand?: true
  /** A command whose idempotency key is in the header alone: `key` of its body is a file's. */
  isKeyedByHeader?: true
}

/** Makes routes of actions. */
export const servingIn =
  (env: AppEnv) =>
  <F extends Fields, R extends object>(served: Served<F, R>): Route => {
    const { method, rest, summary, action, answer, inPath = {}, maxBytes } = served
    const { isKeyedByHeader, isCommand = isKeyedByHeader } = served
    const { fields = action.input } = served
    const params = Object.entries(inPath) as [keyof F & string, string][]
    return route({
      ...{ method, path: at(rest), needs: lowestOf(action.roles), summary, answer },
      body: bodyOf(
        isCommand && !isKeyedByHeader ? { ...fields, key: optional(inBody) } : fields,
        params.map(([field]) => field),
      ),
      ...(maxBytes !== undefined && { maxBytes }),
      run: (asked) => {
        const { by, ...given } = asked.body as BodyOf<Fields>
        const named = params.map(([field, param]) => [field, asked.c.req.param(param)])
        const input = { ...given, ...Object.fromEntries(named) } as InputOf<F>
        const agent = callerIn(asked.c, by)
        return isCommand
          ? commandAs(
              env,
              asked,
              agent,
              isKeyedByHeader ? keyIn(asked.c) : keyOf(asked),
              async (context) => runNow(context, action, input),
            )
          : actAs(env, asked, agent, async (context) => act(context, action, input))
      },
    })
  }

const keyOf = ({ c, body }: Asked<unknown, { key?: string }>): string | null => body.key ?? keyIn(c)

/** Has an agent command, which does not make it present. */
const commandAs = <T>(
  env: AppEnv,
  { c, workspace }: Asked,
  agent: string,
  key: string | null,
  work: (context: ActionContext) => Promise<T>,
): Promise<T> => {
  const id = checkAgentId(agent)
  const caller = asking(c)
  const mayWrite = hasRole(caller, 'write')
  return inRoom(env, workspace, (room) =>
    work({ env, httpAgent: env.httpAgents.httpAgent(room, id), key, mayWrite }),
  )
}

/**
 * Makes the routes of the agents' actions. `roles`: those of the action. `isCommand`: replicas use the route, too, so it does
 * not make the agent present.
 */
export const doingIn =
  (env: AppEnv) =>
  <B extends z.ZodType<{ by?: string | undefined }>>(
    method: 'POST' | 'PUT',
    rest: string,
    summary: string,
    body: B,
    answer: z.ZodType,
    run: (act: ActionContext, body: z.infer<B>, asked: Asked) => Promise<object> | object,
    {
      roles = ['write'],
      isCommand,
      ...more
    }: { roles?: readonly Role[]; maxBytes?: number; isCommand?: true } = {},
  ): Route =>
    route({
      ...{ method, path: at(rest), needs: lowestOf(roles), summary, body, answer, ...more },
      run: (asked) => {
        const agent = callerIn(asked.c, asked.body.by)
        const work = async (act: ActionContext): Promise<object> => run(act, asked.body, asked)
        return isCommand
          ? commandAs(env, asked, agent, keyIn(asked.c), work)
          : actAs(env, asked, agent, work)
      },
    })
