import type { EventEmitter } from 'node:events'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { MAX_KEY_BYTES } from '../../protocol/limits.ts'
import { isAgentId } from '../../protocol/roles.ts'
import { within } from '../../workspace/document/validate.ts'
import { unknownCredential } from '../auth/stored/refusals.ts'
import { HTTP_AGENT_READS_MS, MAX_WAIT_MS } from '../config/limits.ts'
import { PART_MS } from '../http/answer.ts'
import { callerOf } from '../http/caller.ts'
import { type HttpContext, responseTo } from '../http/context.ts'
import { ready } from '../http/request.ts'
import type { ActionContext } from '../http-agents/context.ts'
import type { Waiting } from '../http-agents/http-agent.ts'
import { timed } from '../limits/timed.ts'
import { type Caller, nameOf } from '../sync/principal.ts'
import type { Room } from '../sync/room.ts'
import type { AppEnv } from './env.ts'

/** An id that its client chose. Throws `bad_name`. */
export const checkAgentId = (id: string): AgentId => {
  if (isAgentId(id)) return id as AgentId
  throw new ClawError(
    'bad_name',
    `"${id.slice(0, 80)}" cannot be an agent_id`,
    'letters, digits, "_", "-" and ".", at most 64; leave it out to get one',
  )
}

/** The caller of a request. Throws `unauthorized`. */
export const asking = (c: HttpContext): Caller => {
  const shown = callerOf(c)
  if (shown === null) throw unknownCredential()
  return shown
}

/** Does something in a workspace, which stays in memory meanwhile. Throws `storage_failed`. */
export const inRoom = async <T>(
  env: AppEnv,
  workspace: string,
  work: (room: Room) => Promise<T>,
): Promise<T> => {
  const room = env.room(workspace)
  await ready(room)
  return env.httpAgents.within(room, () => work(room))
}

/** Does something as the agent that a request says it is, which is here from now on. Throws `forged`, `not_registered`. */
export const actAs = async <T>(
  env: AppEnv,
  { c, workspace }: { c: HttpContext; workspace: string },
  agent: string,
  work: (act: ActionContext) => Promise<T>,
): Promise<T> => {
  const id = checkAgentId(agent)
  env.access.authenticator.speakAs(asking(c), id, workspace)
  return inRoom(env, workspace, (room) => {
    const httpAgent = env.httpAgents.httpAgent(room, id)
    httpAgent.by = asking(c)
    env.httpAgents.seen(httpAgent)
    return work({ env, httpAgent, key: keyIn(c) })
  })
}

/** Reads the stored state, also while the disk fails. The asking agent is present from now on. */
export const look = async <T extends object>(
  env: AppEnv,
  { c, workspace }: { c: HttpContext; workspace: string },
  work: (room: Room) => T,
): Promise<T> => {
  const room = env.reader(workspace)
  await ready(room)
  const by = asking(c)
  if (by.kind === 'agent' && env.trouble() === null) {
    env.httpAgents.seen(env.httpAgents.httpAgent(room, by.agent as AgentId))
  }
  return room.command(
    timed(
      (ms) => env.onWork(by, ms),
      () => work(room),
    ),
    undefined,
    { by: nameOf(by) },
  )
}

/** Looks through what is on disk, a part at a time: others have their turn meanwhile. */
export const lookThrough = async <T>(
  env: AppEnv,
  asked: { c: HttpContext; workspace: string },
  each: (room: Room) => Iterator<T>,
): Promise<T[]> => {
  const found: T[] = []
  let left: Iterator<T> | null = null
  const some = (room: Room): { isDone: boolean } => {
    const until = performance.now() + PART_MS
    left ??= each(room)
    do {
      const { done, value } = left.next()
      if (done) return { isDone: true }
      found.push(value)
    } while (performance.now() < until)
    return { isDone: false }
  }
  while (!(await look(env, asked, some)).isDone);
  return found
}

export const keyIn = (c: HttpContext): string | null => {
  const key = c.req.header('idempotency-key')
  return key ? within('Idempotency-Key', key, MAX_KEY_BYTES) : null
}

/** Emitted by a socket when a request comes on it. */
export const NEXT_REQUEST = Symbol('next request')

/** Aborts after `seconds`, or when the client hangs up; without any it has aborted already. */
export const waitSignal = (c: HttpContext, seconds: number): AbortSignal => {
  if (seconds <= 0) return AbortSignal.abort()
  const gone = new AbortController()
  responseTo(c).once('close', () => gone.abort())
  return AbortSignal.any([
    AbortSignal.timeout(Math.min(Math.ceil(seconds * 1_000), MAX_WAIT_MS)),
    gone.signal,
  ])
}

/**
 * Delivers the held messages with the answer to a request. They are acknowledged once the whole
 * answer was written and the client has hung up, sent its next request on the connection, or had a
 * moment to read; they are delivered again if the connection broke before.
 */
export const handOut = (
  c: HttpContext,
  { httpAgent, env }: ActionContext,
  handedOut: readonly Waiting[],
): void => {
  if (handedOut.length === 0) return
  const response = responseTo(c)
  const { socket } = response
  response.once('close', () => {
    if (!response.writableFinished || c.req.method === 'HEAD') return httpAgent.giveBack(handedOut)
    const read = env.httpAgents.soon(HTTP_AGENT_READS_MS, () =>
      httpAgent.acknowledge(handedOut).catch((err) => {
        httpAgent.giveBack(handedOut)
        if (env.trouble() === null) env.log.error({ err }, 'messages not acknowledged')
      }),
    )
    // A client that ends with something unread resets the connection.
    const onClose = (broke: boolean): void => {
      if (!broke) read.now()
      else if (read.cancel()) httpAgent.giveBack(handedOut)
    }
    if (socket === null || socket.destroyed) return onClose(socket?.errored != null)
    socket.once('close', onClose)
    ;(socket as EventEmitter).once(NEXT_REQUEST, read.now)
  })
}
