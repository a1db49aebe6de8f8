import * as z from 'zod'
import type { Action } from '../../workspace/actions/action.ts'
import {
  approve,
  cancel,
  claim,
  decline,
  release,
  respond,
} from '../../workspace/actions/change-task.ts'
import { type Fields, text, withDefault } from '../../workspace/actions/inputs/field.ts'
import type { Route } from '../http/route.ts'
import { Task } from '../http/shapes.ts'
import type { HttpActor } from '../http-agents/http-actor.ts'
import { servingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'
import { taskReadRoutes } from './task-reads.ts'

const Changed = z.object({ task: Task })
const Granted = z.object({ task: Task, lease_seconds: z.number() })
/** Accepted with each command on a task; a claim and an approval do not keep it. */
const message = withDefault(text(), '')
const { task, caps } = claim.input

/** Commands on tasks, of which the server is the only writer, and tasks to read. */
export const taskRoutes = (env: AppEnv): Route[] => {
  const serving = servingIn(env)
  const onTask = <F extends Fields & { task: Fields[string] }, R extends object>(
    name: string,
    summary: string,
    action: Action<F, R, HttpActor>,
    fields: Fields = action.input,
    answer: z.ZodType = Changed,
  ): Route =>
    serving({
      ...{ method: 'POST', rest: `tasks/:task/${name}`, summary, action, fields, answer },
      ...{ isCommand: true, inPath: { task: 'task' } as never },
    })
  return [
    serving({
      ...{ method: 'POST', rest: 'tasks/next', action: claim, fields: { caps }, answer: Granted },
      ...{ summary: 'Grants the most urgent task that the caller can take', isCommand: true },
    }),
    onTask('status', 'Progress, a question, a result or a failure', respond),
    onTask(
      ...(['claim', 'Grants a task to the caller, who alone may then work on it', claim] as const),
      ...([{ task, message }, Granted] as const),
    ),
    onTask('release', 'Releases a task, for others to take', release),
    onTask('decline', 'Declines a task, or a result that waits for approval', decline),
    onTask('approve', 'Approves a result', approve, { ...approve.input, message }),
    onTask('cancel', 'Cancels a task', cancel),
    ...taskReadRoutes(env),
  ]
}
