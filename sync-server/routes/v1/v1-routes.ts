import * as z from 'zod'
import { ClawError } from '../../../protocol/errors.ts'
import { MAX_PATH_BYTES } from '../../../protocol/limits.ts'
import { lowestOf, type Role } from '../../../protocol/roles.ts'
import { respond } from '../../../workspace/actions/change-task.ts'
import { delegate } from '../../../workspace/actions/delegate.ts'
import { putText } from '../../../workspace/actions/put-text.ts'
import { register } from '../../../workspace/actions/register.ts'
import { broadcast } from '../../../workspace/actions/speak.ts'
import { listAgents } from '../../../workspace/agents/agents.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
import { eachFile, readFile } from '../../../workspace/files/file-info.ts'
import { MAX_FILE_BODY_BYTES } from '../../config/limits.ts'
import { authenticateAgain } from '../../http/caller.ts'
import { anyJson } from '../../http/request.ts'
import { type Asked, type Route, route } from '../../http/route.ts'
import { Agent, FileInfo, Message } from '../../http/shapes.ts'
import { readByToken, readShared } from '../../http-agents/bases.ts'
import { act } from '../../http-agents/http-actor.ts'
import type { Waiting } from '../../http-agents/http-agent.ts'
import { firstOf, inbox } from '../../http-agents/inbox.ts'
import {
  BroadcastBody,
  broadcastPlain,
  DelegateBody,
  delegatePlain,
  heartbeatPlain,
  name,
  optional,
} from '../../http-agents/v1-bodies.ts'
import { RespondBody, respondPlain } from '../../http-agents/v1-respond.ts'
import { file1x, here1x, isSeen1x, messages1x } from '../../http-agents/v1-shapes.ts'
import { asText } from '../../http-agents/v1-words.ts'
import { actAs, asking, handOut, inRoom, look, lookThrough, waitSignal } from '../agent-request.ts'
import type { AppEnv } from '../env.ts'
import { RegisterBody, registerPlain } from './v1-register.ts'

const FileBody = z.object({
  file_key: z.string().min(1).max(MAX_PATH_BYTES),
  content: anyJson.refine((given) => given !== null, 'it is missing').transform(asText),
  agent_id: name,
  /** Accepted and ignored: path and content decide the type. */
  file_type: optional(anyJson),
  force: optional(z.boolean()),
})
const from = { from_agent: name }
const PollQuery = z.object({ wait: z.coerce.number().min(0).max(3_600).default(0) })
const ReaderQuery = z.object({ agent_id: name.optional() })

const status = z.string()
/** As `plain-shapes` has them. */
const Agent1x = Agent.extend({
  status: z.enum(['online', 'stale', 'offline']),
  last_heartbeat: z.number(),
})
const File1x = FileInfo.extend({ file_type: z.string() })
const Message1x = Message.extend({ queued_at: z.string() })
const delivery = z.enum(['websocket', 'queued'])
const Sent = z.object({ status, delivery })

/** ClawLink 1.x's protocol, in the workspace `default` and in any other below `/w/<workspace>`. */
export const plainRoutes = (env: AppEnv): Route[] =>
  ['', '/w/:workspace'].flatMap((prefix) => {
    const methods = methodsBelow(prefix)
    return [...teamRoutes(env, methods), ...talkRoutes(env, methods), ...fileRoutes(env, methods)]
  })

/** The common parts of the routes below a prefix. */
const methodsBelow = (prefix: string) => {
  const plain = { plain: true } as const
  return {
    get: (path: string, needs: 'read' | 'write', summary: string) =>
      ({ method: 'GET', path: prefix + path, needs, summary, ...plain }) as const,
    /** `roles`: those of its action. */
    post: (path: string, summary: string, { roles }: { roles: readonly Role[] }) => {
      const needs = lowestOf(roles)
      return { method: 'POST', path: prefix + path, needs, summary, ...plain } as const
    },
  }
}
type Methods = ReturnType<typeof methodsBelow>

const teamRoutes = (env: AppEnv, { get, post }: Methods): Route[] => [
  route({
    ...post('/register', 'Says who one is, at first and whenever that changes', register),
    body: RegisterBody,
    answer: z.object({ status, agent: Agent1x, server_time: z.string() }),
    run: (asked) => registerPlain(env, asked),
  }),
  route({
    ...get('/discover', 'read', 'Who is here'),
    answer: z.object({ agents: z.array(Agent1x), count: z.number(), server_time: z.string() }),
    run: (asked) =>
      look(env, asked, (room) => {
        const here = env.httpAgents.here(room)
        const agents = here1x(listAgents(room.doc, here))
        return { agents, count: agents.length, server_time: isoTime(here.now) }
      }),
  }),
  route({
    ...post('/heartbeat', 'Says that one is here', register),
    body: z.object({ agent_id: name }),
    answer: z.looseObject({ status }),
    run: (asked) =>
      orUnknown(
        actAs(env, asked, asked.body.agent_id, async (act) => heartbeatPlain(act)),
        () => ({ status: 'unknown_agent' }),
      ),
  }),
]

const talkRoutes = (env: AppEnv, { get, post }: Methods): Route[] => [
  route({
    ...post('/delegate', 'Hands over a task', delegate),
    body: DelegateBody.extend(from),
    answer: Sent.extend({ message_id: z.string() }),
    run: (asked) =>
      actAs(env, asked, asked.body.from_agent, (act) => delegatePlain(act, asked.body)),
  }),
  route({
    ...post('/broadcast', 'Tells everybody something', broadcast),
    body: BroadcastBody.extend(from),
    answer: z.object({ status, message_id: z.string(), recipients: z.number() }),
    run: (asked) =>
      actAs(env, asked, asked.body.from_agent, (act) => broadcastPlain(act, asked.body)),
  }),
  route({
    ...get('/poll/:agent_id', 'write', 'What came in; read once it was written out whole'),
    query: PollQuery,
    answer: z.object({
      messages: z.array(Message1x),
      count: z.number(),
      remaining: z.number(),
    }),
    run: (asked) => orUnknown(poll(env, asked), () => ({ messages: [], count: 0, remaining: 0 })),
  }),
  route({
    ...post('/respond', 'Answers a task', respond),
    body: RespondBody.extend(from),
    answer: Sent,
    run: (asked) =>
      actAs(env, asked, asked.body.from_agent, (act) => respondPlain(act, asked.body)),
  }),
]

const fileRoutes = (env: AppEnv, { get, post }: Methods): Route[] => [
  route({
    ...post('/files', 'Shares a file, or merges an edit of what one was handed into it', putText),
    ...{ body: FileBody, maxBytes: MAX_FILE_BODY_BYTES },
    answer: z.looseObject({ status, version: z.number() }),
    run: (asked) => putPlain(env, asked),
  }),
  route({
    ...get('/files', 'read', 'The shared files'),
    answer: z.object({ files: z.array(File1x), count: z.number() }),
    run: async (asked) => {
      const found = await lookThrough(env, asked, ({ doc }) => eachFile(doc))
      const files = found.map(file1x)
      return { files, count: files.length }
    },
  }),
  route({
    ...get('/files/:key{.+}', 'read', 'A shared file; what was handed out is the base of a put'),
    query: ReaderQuery,
    answer: File1x.extend({ content: z.string() }),
    run: async (asked) => file1x(await getPlain(env, asked)),
  }),
]

/**
 * 1.x's server accepted any id: an unregistered agent has no messages, and gets the error from its
 * heartbeat.
 */
const orUnknown = async <T, U>(done: Promise<T>, unknown: () => U): Promise<T | U> => {
  try {
    return await done
  } catch (error) {
    const isUnknown = ['not_registered', 'bad_name'].includes(ClawError.from(error).code)
    if (isUnknown) return unknown()
    throw error
  }
}

const poll = (env: AppEnv, asked: Asked<z.infer<typeof PollQuery>>) => {
  const { c, query } = asked
  return actAs(env, asked, c.req.param('agent_id')!, async (act) => {
    const leave = env.httpAgents.enter(act.httpAgent)
    try {
      const signal = waitSignal(c, query.wait)
      const pick = (waiting: Waiting[]) => {
        authenticateAgain(c, env.access)
        return firstOf(waiting)
      }
      for (;;) {
        const { lot, remaining } = await inbox(act, {}, signal, pick, true)
        const seen = lot.filter(isSeen1x)
        if (seen.length < lot.length)
          await act.httpAgent.acknowledge(lot.filter((one) => !isSeen1x(one)))
        if (seen.length === 0 && lot.length > 0) continue
        handOut(c, act, seen)
        return { messages: messages1x(seen), count: seen.length, remaining }
      }
    } finally {
      leave()
    }
  })
}

const putPlain = (env: AppEnv, asked: Asked<unknown, z.infer<typeof FileBody>>) => {
  const { file_key: key, content, agent_id, force } = asked.body
  return actAs(env, asked, agent_id, async (request) => {
    const by = asking(asked.c)
    const context = { ...request, ...(by.kind === 'token' && { token: by.id }) }
    const input = { key, content, force: force ?? false }
    const { file, conflicts } = await act(context, putText, input)
    const { file_key, version } = file
    return { status: 'saved', version, file_key, ...(conflicts.length > 0 && { conflicts }) }
  })
}

const getPlain = async (env: AppEnv, asked: Asked<z.infer<typeof ReaderQuery>>) => {
  const { c, workspace, query } = asked
  const key = c.req.param('key')!
  const by = asking(c)
  const agents = by.kind === 'token' ? env.access.members.agentsOf(by) : []
  // Of a token with one agent it is that which asks.
  const only = by.kind === 'agent' ? by.agent : agents.length === 1 ? agents[0] : undefined
  const reader = query.agent_id ?? only
  // While the disk fails, a read still works but is not recorded: a later put has no base.
  if (env.trouble() !== null) return look(env, asked, ({ doc }) => readFile(doc, key))
  if (reader !== undefined)
    return actAs(env, asked, reader, ({ httpAgent }) => readShared(httpAgent, key))
  if (by.kind !== 'token') return look(env, asked, ({ doc }) => readFile(doc, key))
  return inRoom(env, workspace, (room) => readByToken(env, room, by.id, key))
}
