import { z } from 'zod'
import { hasAgent, listAgents, namesIn } from '../../workspace/agents.ts'
import { ClawError } from '../../workspace/errors.ts'
import { eachFile, readFile } from '../../workspace/files.ts'
import { newAgentId } from '../../workspace/ids.ts'
import { MAX_PATH_BYTES } from '../../workspace/limits.ts'
import { checkFreeId, checkFreeName } from '../../workspace/name-space.ts'
import { isoTime } from '../../workspace/schema.ts'
import { checkName } from '../../workspace/validate.ts'
import { stillIs } from '../access/guard.ts'
import type { AppEnv } from '../app.ts'
import { inHttpWords } from '../http-words.ts'
import { MAX_FILE_BODY_BYTES } from '../limits.ts'
import { type Asked, type Route, route } from '../routes.ts'
import { firstOf, inbox, random, register } from './actions.ts'
import {
  actAs,
  asking,
  checkAgentId,
  handOut,
  inRoom,
  keyIn,
  look,
  lookThrough,
  waitSignal,
} from './asking.ts'
import { readByToken, readShared, writeShared } from './files.ts'
import type { Waiting } from './guest.ts'
import {
  BroadcastBody,
  broadcastPlain,
  DelegateBody,
  delegatePlain,
  heartbeatPlain,
  name,
  names,
  optional,
  RespondBody,
  respondPlain,
} from './plain-acts.ts'
import { Agent, FileInfo, Message } from './shapes.ts'

const RegisterBody = z.object({
  agent_id: optional(z.string()),
  name: optional(z.string()),
  capabilities: optional(names),
  machine: optional(z.string()),
  description: optional(z.string()),
})
const FileBody = z.object({
  file_key: z.string().min(1).max(MAX_PATH_BYTES),
  content: z.string(),
  agent_id: name,
  file_type: optional(z.string()),
  force: optional(z.boolean()),
})
const from = { from_agent: name }
const PollQuery = z.object({ wait: z.coerce.number().min(0).max(3_600).default(0) })
const ReaderQuery = z.object({ agent_id: name.optional() })

const status = z.string()
const delivery = z.enum(['delivered', 'queued'])
const Sent = z.object({ status, delivery })

/** ClawLink 1.x's protocol, in the workspace `default` and in any other below `/w/<workspace>`. */
export const plainRoutes = (env: AppEnv): Route[] =>
  ['', '/w/:workspace'].flatMap((prefix) => {
    const plain = { plain: true } as const
    const get = (path: string, needs: 'read' | 'write', summary: string) =>
      ({ method: 'GET', path: prefix + path, needs, summary, ...plain }) as const
    const post = (path: string, summary: string) =>
      ({ method: 'POST', path: prefix + path, needs: 'write', summary, ...plain }) as const
    return [
      route({
        ...post('/register', 'Says who one is, at first and whenever that changes'),
        body: RegisterBody,
        answer: z.object({ status, agent: Agent, server_time: z.string() }),
        run: (asked) => registerPlain(env, asked),
      }),
      route({
        ...get('/discover', 'read', 'Who is here'),
        answer: z.object({ agents: z.array(Agent), count: z.number(), server_time: z.string() }),
        run: (asked) =>
          look(env, asked, (room) => {
            const here = env.guests.here(room)
            const agents = listAgents(room.doc, here)
            return { agents, count: agents.length, server_time: isoTime(here.now) }
          }),
      }),
      route({
        ...post('/heartbeat', 'Says that one is here'),
        body: z.object({ agent_id: name }),
        answer: z.object({ status, agent_id: z.string(), server_time: z.string() }),
        run: (asked) => actAs(env, asked, asked.body.agent_id, async (act) => heartbeatPlain(act)),
      }),
      route({
        ...post('/delegate', 'Hands over a task'),
        body: DelegateBody.extend(from),
        answer: Sent.extend({ message_id: z.string() }),
        run: (asked) =>
          actAs(env, asked, asked.body.from_agent, (act) => delegatePlain(act, asked.body)),
      }),
      route({
        ...post('/broadcast', 'Tells everybody something'),
        body: BroadcastBody.extend(from),
        answer: z.object({ status, message_id: z.string(), recipients: z.number() }),
        run: (asked) =>
          actAs(env, asked, asked.body.from_agent, (act) => broadcastPlain(act, asked.body)),
      }),
      route({
        ...get('/poll/:agent_id', 'write', 'What came in; read once it was written out whole'),
        query: PollQuery,
        answer: z.object({ messages: z.array(Message), count: z.number(), remaining: z.number() }),
        run: (asked) => poll(env, asked),
      }),
      route({
        ...post('/respond', 'Answers a task'),
        body: RespondBody.extend(from),
        answer: Sent,
        run: (asked) =>
          actAs(env, asked, asked.body.from_agent, (act) => respondPlain(act, asked.body)),
      }),
      route({
        ...post('/files', 'Shares a file, or merges an edit of what one was handed into it'),
        ...{ body: FileBody, maxBytes: MAX_FILE_BODY_BYTES },
        answer: z.looseObject({ status, version: z.number() }),
        run: (asked) => putPlain(env, asked),
      }),
      route({
        ...get('/files', 'read', 'The shared files'),
        answer: z.object({ files: z.array(FileInfo), count: z.number() }),
        run: async (asked) => {
          const files = await lookThrough(env, asked, ({ doc }) => eachFile(doc))
          return { files, count: files.length }
        },
      }),
      route({
        ...get(
          '/files/:key{.+}',
          'read',
          'A shared file; what was handed out is the base of a put',
        ),
        query: ReaderQuery,
        answer: FileInfo.extend({ content: z.string() }),
        run: (asked) => getPlain(env, asked),
      }),
    ]
  })

const registerPlain = (
  env: AppEnv,
  { c, workspace, body }: Asked<unknown, z.infer<typeof RegisterBody>>,
) =>
  inRoom(env, workspace, async (room) => {
    const by = asking(c)
    const { agent_id, ...given } = body
    const own = by.kind === 'agent' ? by.agent : newAgentId(random)
    const id = checkAgentId(agent_id ?? own)
    if (given.name !== undefined) checkName('name', given.name)
    if (by.kind === 'token') {
      if (hasAgent(room.doc, id) && !env.access.knows(workspace, id)) {
        throw new ClawError('forged', `${id} is somebody else's`, 'register under another agent_id')
      }
      if (!hasAgent(room.doc, id)) checkFreeId(id, namesIn(room.doc))
      checkFreeName(id, given.name ?? id, namesIn(room.doc))
      await env.access.adopt(by, id, given.name ?? '')
    } else env.access.speakAs(by, id, workspace)
    const act = { env, guest: env.guests.guest(room, id), key: keyIn(c) }
    const agent = await register(act, given)
    return { status: 'registered', agent, server_time: isoTime(env.now()) }
  })

const poll = (env: AppEnv, asked: Asked<z.infer<typeof PollQuery>>) => {
  const { c, query } = asked
  return actAs(env, asked, c.req.param('agent_id')!, async (act) => {
    const leave = env.guests.enter(act.guest)
    try {
      const signal = waitSignal(c, query.wait)
      const pick = (waiting: Waiting[]) => {
        stillIs(c, env.access)
        return firstOf(waiting)
      }
      const { lot, remaining } = await inbox(act, {}, signal, pick, true)
      handOut(c, act, lot)
      const messages = inHttpWords(lot.map(({ message }) => message))
      return { messages, count: messages.length, remaining }
    } finally {
      leave()
    }
  })
}

const putPlain = (env: AppEnv, asked: Asked<unknown, z.infer<typeof FileBody>>) => {
  const { file_key: key, content, agent_id, force } = asked.body
  return actAs(env, asked, agent_id, async (act) => {
    const by = asking(asked.c)
    const token = by.kind === 'token' ? by.id : null
    const { file, conflicts } = await writeShared(act, token, { key, content, force })
    const { file_key, version } = file
    return { status: 'saved', version, file_key, ...(conflicts.length > 0 && { conflicts }) }
  })
}

const getPlain = async (env: AppEnv, asked: Asked<z.infer<typeof ReaderQuery>>) => {
  const { c, workspace, query } = asked
  const key = c.req.param('key')!
  const by = asking(c)
  const agents = by.kind === 'token' ? env.access.agentsOf(by) : []
  // Of a token with one agent it is that which asks.
  const only = by.kind === 'agent' ? by.agent : agents.length === 1 ? agents[0] : undefined
  const reader = query.agent_id ?? only
  // What cannot be remembered can be read all the same: a put then has no base.
  if (env.trouble() !== null) return look(env, asked, ({ doc }) => readFile(doc, key))
  if (reader !== undefined) return actAs(env, asked, reader, ({ guest }) => readShared(guest, key))
  if (by.kind !== 'token') return look(env, asked, ({ doc }) => readFile(doc, key))
  return inRoom(env, workspace, (room) => readByToken(env, room, by.id, key))
}
