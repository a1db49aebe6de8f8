import type { z } from 'zod'
import { callerIn } from '../auth/authorize.ts'
import { type Asked, type Route, route } from '../http/route.ts'
import type { ActionContext } from '../http-agents/actions.ts'
import { actAs } from './agent-request.ts'
import type { AppEnv } from './env.ts'

export const at = (rest: string): string => `/api/workspaces/:workspace/${rest}`

/** Makes routes of what an agent does. */
export const doingIn =
  (env: AppEnv) =>
  <B extends z.ZodType<{ by?: string | undefined }>>(
    method: 'POST' | 'PUT',
    rest: string,
    summary: string,
    body: B,
    answer: z.ZodType,
    run: (act: ActionContext, body: z.infer<B>, asked: Asked) => Promise<object> | object,
    more: { maxBytes?: number } = {},
  ): Route =>
    route({
      ...{ method, path: at(rest), needs: 'write', summary, body, answer, ...more },
      run: (asked) =>
        actAs(env, asked, callerIn(asked.c, asked.body.by), async (act) =>
          run(act, asked.body, asked),
        ),
    })
