import type { z } from 'zod'
import { lowestOf, type Role } from '../../protocol/roles.ts'
import type { Action } from '../../workspace/actions/action.ts'
import type { Fields, InputOf } from '../../workspace/actions/inputs/field.ts'
import { type BodyOf, bodyOf } from '../http/body.ts'
import { callerIn } from '../http/caller.ts'
import { type Asked, type Route, route } from '../http/route.ts'
import type { ActionContext } from '../http-agents/context.ts'
import { act, type HttpActor } from '../http-agents/http-actor.ts'
import { actAs } from './agent-request.ts'
import type { AppEnv } from './env.ts'

export const at = (rest: string): string => `/api/workspaces/:workspace/${rest}`

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
}

/** Makes routes of actions. */
export const servingIn =
  (env: AppEnv) =>
  <F extends Fields, R extends object>(served: Served<F, R>): Route => {
    const { method, rest, summary, action, answer, inPath = {}, maxBytes } = served
    const { fields = action.input } = served
    const params = Object.entries(inPath) as [keyof F & string, string][]
    return route({
      ...{ method, path: at(rest), needs: lowestOf(action.roles), summary, answer },
      body: bodyOf(
        fields,
        params.map(([field]) => field),
      ),
      ...(maxBytes !== undefined && { maxBytes }),
      run: (asked) => {
        const { by, ...given } = asked.body as BodyOf<Fields>
        const named = params.map(([field, param]) => [field, asked.c.req.param(param)])
        const input = { ...given, ...Object.fromEntries(named) } as InputOf<F>
        const agent = callerIn(asked.c, by)
        return actAs(env, asked, agent, async (context) => act(context, action, input))
      },
    })
  }

/** Makes the routes of the agents' actions. `roles`: those of the action. */
export const doingIn =
  (env: AppEnv) =>
  <B extends z.ZodType<{ by?: string | undefined }>>(
    method: 'POST' | 'PUT',
    rest: string,
    summary: string,
    body: B,
    answer: z.ZodType,
    run: (act: ActionContext, body: z.infer<B>, asked: Asked) => Promise<object> | object,
    { roles = ['write'], ...more }: { roles?: readonly Role[]; maxBytes?: number } = {},
  ): Route =>
    route({
      ...{ method, path: at(rest), needs: lowestOf(roles), summary, body, answer, ...more },
      run: (asked) =>
        actAs(env, asked, callerIn(asked.c, asked.body.by), async (act) =>
          run(act, asked.body, asked),
        ),
    })
