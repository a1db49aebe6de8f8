import * as z from 'zod'
import { MAX_NAME_BYTES, MAX_NOTE_BYTES } from '../../protocol/limits.ts'
import { answer } from '../../workspace/actions/change-task.ts'
import { delegate } from '../../workspace/actions/delegate.ts'
import { note } from '../../workspace/actions/note.ts'
import { pause, resume } from '../../workspace/actions/pause.ts'
import { register } from '../../workspace/actions/register.ts'
import { broadcast, send } from '../../workspace/actions/speak.ts'
import { getAgent, listAgents, pausedBy } from '../../workspace/agents/agents.ts'
import { sentMessages } from '../../workspace/inbox/sent.ts'
import { selectTasks, TASK_SORTS, type TaskSort } from '../../workspace/tasks/task-list.ts'
import { parseState } from '../../workspace/tasks/task-states.ts'
import { INBOX_PAGE_BYTES, PAGE_MESSAGES } from '../config/limits.ts'
import { bodyOf } from '../http/body.ts'
import { authenticateAgain, callerIn } from '../http/caller.ts'
import { inHttpWords } from '../http/http-words.ts'
import { type Asked, type Route, route } from '../http/route.ts'
import { Agent, Message, Task } from '../http/shapes.ts'
import { registered } from '../http-agents/context.ts'
import type { Waiting } from '../http-agents/http-agent.ts'
import { firstOf, inbox } from '../http-agents/inbox.ts'
import { registerAs } from '../http-agents/registration.ts'
import { actAs, look, waitSignal } from './agent-request.ts'
import { at, doingIn, servingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'

const name = z.string().min(1).max(MAX_NAME_BYTES)
/** Default: the credential's agent. The owner must give it. */
const by = name.optional()
const flag = z.stringbool().default(false)
const list = z
  .string()
  .transform((text) => text.split(',').filter((part) => part !== ''))
  .optional()
const atMost = (most: number) => z.coerce.number().int().min(1).max(most)
const count = (most: number, otherwise: number) => atMost(most).default(otherwise)

const HeartbeatBody = z.strictObject({
  by,
  /** Its activity, for the others to see. */
  note: z.string().max(MAX_NOTE_BYTES).optional(),
  task: name.optional(),
})
const AckBody = z.strictObject({ by, ids: z.array(z.string().max(1_200)).min(1).max(10_000) })

const TasksQuery = z.strictObject({
  by,
  ...{ mine: flag, from_me: flag, ready: flag, state: list },
  sort: z.enum(Object.keys(TASK_SORTS) as [TaskSort, ...TaskSort[]]).default('priority'),
})
const InboxQuery = z.strictObject({
  by,
  /** Seconds to wait for something to come. */
  wait: z.coerce.number().min(0).max(60).default(0),
  ...{ types: list, topics: list, from: list, limit: atMost(1_000).optional() },
})

const OneAgent = z.object({ agent: Agent })
const OneTask = z.object({ task: Task })
const Messages = { messages: z.array(Message), count: z.number() }

/**
 * The verbs of clawlink-agent for agents without a replica. The credential's role limits an agent's
 * actions. The owner is not an agent, and names one in `by`.
 */
export const apiRoutes = (env: AppEnv): Route[] => [
  ...teamRoutes(env),
  ...taskRoutes(env),
  ...talkRoutes(env),
  ...inboxRoutes(env),
]

const teamRoutes = (env: AppEnv): Route[] => {
  const doing = doingIn(env)
  const serving = servingIn(env)
  const state = { method: 'POST', answer: OneAgent, inPath: { name: 'agent' } } as const
  return [
    doing(
      ...(['POST', 'register', 'Says who one is, at first and whenever that changes'] as const),
      ...([bodyOf(register.input), OneAgent] as const),
      async (act, { by: _, ...given }) => ({ agent: await registerAs(act, given) }),
      { roles: register.roles },
    ),
    route({
      ...{ method: 'GET', path: at('agents'), needs: 'read', summary: 'Who is here' },
      answer: z.object({ agents: z.array(Agent), count: z.number() }),
      run: (asked) =>
        look(env, asked, (room) => {
          const agents = listAgents(room.doc, env.httpAgents.here(room))
          return { agents, count: agents.length }
        }),
    }),
    doing(
      ...(['POST', 'heartbeat', 'Says that one is here, and what one does'] as const),
      ...([HeartbeatBody, OneAgent] as const),
      ({ httpAgent }, { note, task }) => {
        registered(httpAgent)
        const activity = { ...(note && { note }), ...(task !== undefined && { task }) }
        env.httpAgents.seen(
          httpAgent,
          note === undefined && task === undefined ? undefined : activity,
        )
        return {
          agent: getAgent(httpAgent.room.doc, httpAgent.agent, env.httpAgents.here(httpAgent.room)),
        }
      },
      { roles: register.roles },
    ),
    serving({
      ...{ ...state, rest: 'agents/:agent/pause', action: pause },
      summary: 'Asks an agent to take up no work',
    }),
    serving({
      ...{ ...state, rest: 'agents/:agent/resume', action: resume },
      summary: 'Lets a paused agent go on',
    }),
  ]
}

const taskRoutes = (env: AppEnv): Route[] => {
  const serving = servingIn(env)
  return [
    serving({
      ...{ method: 'POST', rest: 'tasks', action: delegate, answer: OneTask },
      summary: 'Hands over a task',
    }),
    route({
      ...{ method: 'GET', path: at('tasks'), needs: 'read', query: TasksQuery },
      summary: 'The live tasks: those that have not ended, or in some states',
      answer: z.object({ tasks: z.array(Task), count: z.number() }),
      run: (asked) => {
        const { by, mine, from_me: fromMe, ready, state, sort } = asked.query
        const me = mine || fromMe || ready ? callerIn(asked.c, by) : null
        const states = state?.map(parseState) ?? null
        return look(env, asked, ({ doc }) => {
          const tasks = selectTasks(doc, { states, me, mine, fromMe, ready, sort })
          return { tasks, count: tasks.length }
        })
      },
    }),
    serving({
      ...{ method: 'POST', rest: 'tasks/:task/note', action: note, answer: OneTask },
      ...{ summary: 'Adds a note to a task', inPath: { task: 'task' } },
    }),
    serving({
      ...{ method: 'POST', rest: 'tasks/:task/answer', action: answer, answer: OneTask },
      ...{ summary: 'Answers what the owner of a task has asked', inPath: { task: 'task' } },
    }),
  ]
}

const talkRoutes = (env: AppEnv): Route[] => {
  const serving = servingIn(env)
  return [
    serving({
      ...{ method: 'POST', rest: 'broadcasts', action: broadcast },
      summary: 'Tells everybody something',
      answer: z.object({ message: Message, recipients: z.number() }),
    }),
    serving({
      ...{ method: 'POST', rest: 'messages', action: send },
      summary: 'Tells one agent something',
      answer: z.object({ message: Message }),
    }),
    route({
      ...{ method: 'GET', path: at('sent'), needs: 'read' },
      ...{ query: z.strictObject({ by, limit: count(10_000, 20) }) },
      summary: 'How far what one sent has got',
      answer: z.object({ messages: z.array(z.looseObject({})), count: z.number() }),
      run: (asked) => {
        const me = callerIn(asked.c, asked.query.by)
        return look(env, asked, ({ doc }) => {
          const messages = sentMessages(doc, me, asked.query.limit)
          return { messages, count: messages.length }
        })
      },
    }),
  ]
}

const inboxRoutes = (env: AppEnv): Route[] => {
  const doing = doingIn(env)
  return [
    route({
      ...{ method: 'GET', path: at('inbox'), needs: 'suggest', query: InboxQuery },
      summary: 'What waits to be read; it stays until it is acknowledged',
      answer: z.looseObject({
        ...{ ...Messages, remaining: z.number() },
        /** By a poll or WebSocket of 1.x, right now (count): these are not among the messages. */
        handed_out: z.number(),
      }),
      run: (asked) => readInbox(env, asked),
    }),
    doing(
      ...(['POST', 'inbox/ack', 'Messages, by message_id, that were read'] as const),
      ...([AckBody, z.object({ acknowledged: z.number() })] as const),
      async ({ httpAgent }, { ids }) => {
        registered(httpAgent)
        return { acknowledged: await httpAgent.acknowledgeIds(new Set(ids)) }
      },
      { roles: register.roles },
    ),
  ]
}

const readInbox = (env: AppEnv, asked: Asked<z.infer<typeof InboxQuery>>): Promise<object> => {
  const { by, wait, limit, ...wanted } = asked.query
  return actAs(env, asked, callerIn(asked.c, by), async (act) => {
    const leave = env.httpAgents.enter(act.httpAgent)
    const pick = (waiting: Waiting[]) =>
      limit === undefined
        ? firstOf(waiting.slice(0, PAGE_MESSAGES), INBOX_PAGE_BYTES)
        : firstOf(waiting.slice(0, limit))
    const { lot, remaining } = await inbox(
      act,
      wanted,
      waitSignal(asked.c, wait),
      pick,
      false,
    ).finally(leave)
    authenticateAgain(asked.c, env.access)
    const paused = pausedBy(act.httpAgent.room.doc, act.httpAgent.agent)
    const messages = inHttpWords(lot.map(({ message }) => message))
    const more = paused === null ? {} : { paused }
    const under = { handed_out: act.httpAgent.handedOut }
    return { messages, count: messages.length, remaining, ...under, ...more }
  })
}
