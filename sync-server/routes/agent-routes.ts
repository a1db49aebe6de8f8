import { z } from 'zod'
import type { TaskId } from '../../protocol/ids.ts'
import {
  MAX_DESCRIPTION_BYTES,
  MAX_LIST_LENGTH,
  MAX_NAME_BYTES,
  MAX_NOTE_BYTES,
} from '../../protocol/limits.ts'
import { getAgent, listAgents, pausedBy } from '../../workspace/agents/agents.ts'
import { PRIORITIES } from '../../workspace/document/schema.ts'
import { sentMessages } from '../../workspace/inbox/sent.ts'
import { selectTasks, TASK_SORTS, type TaskSort } from '../../workspace/tasks/task-list.ts'
import { parseState } from '../../workspace/tasks/task-states.ts'
import { callerIn, stillIs } from '../auth/authorize.ts'
import { INBOX_PAGE_BYTES, PAGE_MESSAGES } from '../config/limits.ts'
import { inHttpWords } from '../http/http-words.ts'
import { anyJson } from '../http/request.ts'
import { type Route, route } from '../http/route.ts'
import { Agent, Message, Task } from '../http/shapes.ts'
import {
  delegate,
  firstOf,
  inbox,
  type NewDelegation,
  note,
  pause,
  register,
  registered,
  respond,
  tell,
} from '../http-agents/actions.ts'
import type { Waiting } from '../http-agents/http-agent.ts'
import { actAs, look, waitSignal } from './agent-request.ts'
import { at, doingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'

const name = z.string().min(1).max(MAX_NAME_BYTES)
/** Left out: whose credential it is; the owner has to say it. */
const by = name.optional()
const names = z.array(z.string()).max(MAX_LIST_LENGTH)
const flag = z.stringbool().default(false)
const list = z
  .string()
  .transform((text) => text.split(',').filter((part) => part !== ''))
  .optional()
const atMost = (most: number) => z.coerce.number().int().min(1).max(most)
const count = (most: number, otherwise: number) => atMost(most).default(otherwise)

const RegisterBody = z.strictObject({
  by,
  /** Left out: as it was, or as one has joined. */
  kind: z.enum(['agent', 'person']).optional(),
  name,
  capabilities: names.optional(),
  topics: names.optional(),
  machine: z.string().max(MAX_NAME_BYTES).optional(),
  description: z.string().max(MAX_DESCRIPTION_BYTES).optional(),
})
const HeartbeatBody = z.strictObject({
  by,
  /** What it is doing, for the others to see. */
  note: z.string().max(MAX_NOTE_BYTES).optional(),
  task: name.optional(),
})
const TaskBody = z.strictObject({
  by,
  task: z.string().min(1),
  /** An agent, by id or name; left out: whoever has what it `requires`. */
  to: name.optional(),
  requires: names.optional(),
  context: anyJson.default(null),
  priority: z.enum(PRIORITIES).default('normal'),
  after: z.array(name).max(MAX_LIST_LENGTH).optional(),
  after_failed: z.enum(['fail', 'run']).default('fail'),
  deadline: z.iso.datetime({ offset: true }).optional(),
  parent: name.optional(),
  ref: name.optional(),
  max_attempts: z.number().int().min(1).max(99).optional(),
  approve_by: name.optional(),
  reset_trace: z.boolean().default(false),
})
const TextBody = z.strictObject({ by, text: z.string().min(1) })
const SayBody = z.strictObject({
  by,
  content: z.string().min(1),
  topic: z.string().max(MAX_NAME_BYTES).default(''),
  tags: names.default([]),
  reply_to: name.optional(),
  reset_trace: z.boolean().default(false),
})
const SendBody = SayBody.omit({ tags: true }).extend({ to: name })
const PauseBody = z.strictObject({ by, note: z.string().max(MAX_NOTE_BYTES).default('') })
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
 * What the verbs of clawlink-agent do, for agents that have no replica: all but editing as one types. Who may is decided by
 * the credential; `by` is for the owner, who is nobody.
 */
export const apiRoutes = (env: AppEnv): Route[] => {
  const doing = doingIn(env)
  return [
    doing(
      ...(['POST', 'register', 'Says who one is, at first and whenever that changes'] as const),
      ...([RegisterBody, OneAgent] as const),
      async (act, { by: _, ...given }) => ({ agent: await register(act, given) }),
    ),
    route({
      ...{ method: 'GET', path: at('agents'), needs: 'read', summary: 'Who is here' },
      answer: z.object({ agents: z.array(Agent), count: z.number() }),
      run: (asked) =>
        look(env, asked, (room) => {
          const agents = listAgents(room.doc, env.guests.here(room))
          return { agents, count: agents.length }
        }),
    }),
    doing(
      ...(['POST', 'heartbeat', 'Says that one is here, and what one does'] as const),
      ...([HeartbeatBody, OneAgent] as const),
      ({ guest }, { note, task }) => {
        registered(guest)
        const activity = { ...(note && { note }), ...(task !== undefined && { task }) }
        env.guests.seen(guest, note === undefined && task === undefined ? undefined : activity)
        return { agent: getAgent(guest.room.doc, guest.agent, env.guests.here(guest.room)) }
      },
    ),
    ...(['pause', 'resume'] as const).map((verb) =>
      doing(
        ...(['POST', `agents/:agent/${verb}`] as const),
        verb === 'pause' ? 'Asks an agent to take up no work' : 'Lets a paused agent go on',
        ...([PauseBody, OneAgent] as const),
        (act, { note }, { c }) => pause(act, c.req.param('agent')!, verb === 'pause' ? note : null),
      ),
    ),

    doing(
      ...(['POST', 'tasks', 'Hands over a task'] as const),
      ...([TaskBody, OneTask] as const),
      async (act, { by: _, reset_trace, task, to, approve_by, after_failed, ...given }) => {
        const { max_attempts, deadline, requires, after, parent, ref, context, priority } = given
        const delegation: NewDelegation = {
          ...{ description: task, to: to ?? null, context, priority },
          ...(requires !== undefined && { requires }),
          ...(after !== undefined && { after: after as TaskId[] }),
          ...(after_failed === 'run' && { afterFailed: 'run' as const }),
          ...(deadline !== undefined && { deadline: Date.parse(deadline) }),
          ...(parent !== undefined && { parent: parent as TaskId }),
          ...(ref !== undefined && { ref: ref as TaskId }),
          ...(max_attempts !== undefined && { maxAttempts: max_attempts }),
          ...(approve_by !== undefined && { approver: approve_by }),
        }
        return { task: (await delegate(act, delegation, reset_trace)).task }
      },
    ),
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
    doing(
      ...(['POST', 'tasks/:task/note', 'Adds a note to a task'] as const),
      ...([TextBody, OneTask] as const),
      (act, { text }, { c }) => note(act, c.req.param('task')!, text),
    ),
    doing(
      ...(['POST', 'tasks/:task/answer', 'Answers what the owner of a task has asked'] as const),
      ...([TextBody, OneTask] as const),
      async (act, { text: message }, { c }) => {
        const move = { task: c.req.param('task')!, state: 'working', message } as const
        return { task: await respond(act, move) }
      },
    ),

    doing(
      ...(['POST', 'broadcasts', 'Tells everybody something'] as const),
      ...([SayBody, z.object({ message: Message, recipients: z.number() })] as const),
      (act, { content, topic, tags, reply_to: replyTo, reset_trace }) =>
        tell(act, { content, topic, tags, replyTo }, reset_trace),
    ),
    doing(
      ...(['POST', 'messages', 'Tells one agent something'] as const),
      ...([SendBody, z.object({ message: Message })] as const),
      async (act, { to, content, topic, reply_to: replyTo, reset_trace }) => {
        const said = await tell(act, { to, content, topic, tags: [], replyTo }, reset_trace)
        return { message: said.message }
      },
    ),
    route({
      ...{ method: 'GET', path: at('inbox'), needs: 'write', query: InboxQuery },
      summary: 'What waits to be read; it stays until it is acknowledged',
      answer: z.looseObject({
        ...{ ...Messages, remaining: z.number() },
        /** By a poll or WebSocket of 1.x, right now (count): these are not among the messages. */
        handed_out: z.number(),
      }),
      run: (asked) => {
        const { by, wait, limit, ...wanted } = asked.query
        return actAs(env, asked, callerIn(asked.c, by), async (act) => {
          const leave = env.guests.enter(act.guest)
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
          stillIs(asked.c, env.access)
          const paused = pausedBy(act.guest.room.doc, act.guest.agent)
          const messages = inHttpWords(lot.map(({ message }) => message))
          const more = paused === null ? {} : { paused }
          const under = { handed_out: act.guest.handedOut }
          return { messages, count: messages.length, remaining, ...under, ...more }
        })
      },
    }),
    doing(
      ...(['POST', 'inbox/ack', 'Messages, by message_id, that were read'] as const),
      ...([AckBody, z.object({ acknowledged: z.number() })] as const),
      async ({ guest }, { ids }) => {
        registered(guest)
        return { acknowledged: await guest.acknowledgeIds(new Set(ids)) }
      },
    ),
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
