import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import { newMessageId, random } from '../../protocol/fresh-ids.ts'
import { type AgentId, newTaskId, type TaskId } from '../../protocol/ids.ts'
import { type Delegation, delegateTask } from '../../workspace/actions/delegating.ts'
import { type Saying, say } from '../../workspace/actions/saying.ts'
import {
  type Agent,
  getAgent,
  hasAgent,
  registerAgent,
  resolveAgent,
  setPaused,
} from '../../workspace/agents/agents.ts'
import { agentsOf } from '../../workspace/document/schema.ts'
import { byPriority, rankOf } from '../../workspace/inbox/inbox.ts'
import { welcome } from '../../workspace/inbox/mailbox.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { MESSAGE_TYPES } from '../../workspace/messages/message-types.ts'
import type { Move } from '../../workspace/tasks/task-commands.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import { addNote, entryOf, findEntry, getTask, type Task } from '../../workspace/tasks/tasks.ts'
import { PAGE_BYTES } from '../config/limits.ts'
import { checkRoom } from '../sync/full.ts'
import type { Caller } from '../sync/principal.ts'
import { moveIn } from '../tasks/moving.ts'
import { findArchived } from '../tasks/scheduler.ts'
import type { AgentsEnv } from './env.ts'
import type { HttpAgent, Waiting } from './http-agent.ts'

/** What a guest does by a request: the same as an agent's verbs do on its replica. */
export interface ActionContext {
  env: AgentsEnv
  guest: HttpAgent
  /** Its idempotency key; null: none was given. */
  key: string | null
}

/** Throws `not_registered`. */
export const registered = (guest: HttpAgent): void => {
  if (hasAgent(guest.room.doc, guest.agent)) return
  throw new ClawError(
    'not_registered',
    `${guest.agent} is not registered in workspace "${guest.room.name}"`,
    'POST /register {"agent_id", "name"} first; with a credential POST …/register',
  )
}

/** What is left out stays as it was. */
export interface Introduction {
  kind?: 'agent' | 'person' | undefined
  name?: string | undefined
  capabilities?: readonly string[] | undefined
  topics?: readonly string[] | undefined
  machine?: string | undefined
  description?: string | undefined
}

/**
 * `by`: the principal; agents of one token may share names, as in 1.x. `isAnew`: nothing stays of the agent that had its id
 * before.
 */
export const register = async (
  act: ActionContext,
  given: Introduction,
  { by, isAnew = false }: { by?: Caller; isAnew?: boolean } = {},
): Promise<Agent> => {
  const { env, guest, key } = act
  const id = guest.agent
  env.access.members.checkNames(guest.room.name, id, given.name ?? '')
  // Who was here before comes again.
  const frees = (doc: Y.Doc): boolean => hasAgent(doc, id)
  await guest.write({ key, what: 'register', payload: given, frees }, (desk) => {
    const { doc } = desk
    const now = env.now()
    const here = env.guests.here(guest.room)
    if (isAnew) agentsOf(doc).delete(id)
    const was = hasAgent(doc, id) ? getAgent(doc, id, here) : null
    registerAgent(doc, {
      id,
      kind:
        given.kind ?? (was === null ? env.access.members.kindOf(guest.room.name, id) : undefined),
      name: given.name ?? was?.name ?? id,
      capabilities: given.capabilities ?? was?.capabilities ?? [],
      topics: given.topics,
      machine: given.machine ?? was?.machine ?? '',
      description: given.description ?? was?.description ?? '',
      now,
      ...(by?.kind !== 'token' && { here }),
    })
    welcome(desk, id, now)
    return {}
  })
  env.guests.seen(guest)
  // That it is here is known without looking at who else is.
  return getAgent(guest.room.doc, id, { present: new Set([id]), now: env.now() })
}

export type NewDelegation = Omit<Delegation, 'id' | 'from' | 'now'>

/** Throws what `delegateTask` throws, and `unknown_task`. */
export const delegate = async (
  { env, guest, key }: ActionContext,
  given: NewDelegation,
  reset = false,
): Promise<{ task: Task; to: string | null }> => {
  registered(guest)
  const { after = [], parent, ref } = given
  for (const id of [...after, parent ?? [], ref ?? []].flat()) await checkTask(env, guest, id)
  return guest.write({ key, what: 'delegate', payload: given, isEntry: true }, (desk) => {
    const now = env.now()
    if (given.deadline !== undefined && given.deadline <= now) {
      throw new ClawError('usage', 'the deadline has passed', 'give a time to come')
    }
    const whole = { ...given, id: newTaskId(random), from: guest.agent, now }
    return delegateTask(desk, whole, reset, env.guests.here(guest.room))
  })
}

/** Throws `unknown_task`; one that has left the document is asked for. */
const checkTask = async (env: AgentsEnv, { room }: HttpAgent, id: TaskId): Promise<void> => {
  if (findEntry(room.doc, id) !== undefined) return
  if ((await findArchived(env.updateLog, room.name, id)) === null) entryOf(room.doc, id)
}

export const tell = (
  { env, guest, key }: ActionContext,
  given: Omit<Saying, 'id' | 'from' | 'now'>,
  reset = false,
): Promise<ReturnType<typeof say>> => {
  registered(guest)
  return guest.write({ key, what: 'say', payload: given, isEntry: true }, (desk) =>
    say(
      ...([desk, { ...given, id: newMessageId(), from: guest.agent, now: env.now() }] as const),
      ...([reset, env.guests.here(guest.room)] as const),
    ),
  )
}

export const note = (
  { env, guest, key }: ActionContext,
  task: string,
  text: string,
): Promise<{ task: Task }> => {
  registered(guest)
  return guest.write({ key, what: 'note', payload: [task, text] }, ({ doc }) => {
    addNote(doc, task, guest.agent, text, env.now())
    return { task: getTask(doc, task) }
  })
}

/** Asks an agent to pause, or with null to go on. */
export const pause = ({ env, guest, key }: ActionContext, name: string, why: string | null) => {
  registered(guest)
  return guest.write({ key, what: 'pause', payload: [name, why] }, ({ doc }) => {
    const id = resolveAgent(doc, name, env.guests.here(guest.room))
    setPaused(doc, id, why === null ? null : { by: guest.agent, now: env.now(), note: why })
    return { agent: getAgent(doc, id, env.guests.here(guest.room)) }
  })
}

/** Answers a task: progress, a result or a failure. */
export const respond = async (
  { env, guest, key }: ActionContext,
  given: Omit<Move, 'by' | 'key' | 'now'>,
): Promise<Task> => {
  registered(guest)
  const move = { ...given, by: guest.agent, key: key ?? crypto.randomUUID(), now: env.now() }
  if (!isTerminal(move.state)) checkRoom(guest.room)
  const { task, refused } = await moveIn(env, guest.room, move)
  if (refused !== undefined) throw refused
  return task
}

/** `websocket` where a recipient is connected, and so has it at once; else it waits to be polled. */
export const deliveryTo = (
  { env, guest }: ActionContext,
  agent: string | null,
): 'websocket' | 'queued' =>
  agent !== null && env.guests.isConnected(guest.room, agent as AgentId) ? 'websocket' : 'queued'

/** Which messages are asked for; what is left out narrows nothing. */
export interface Wanted {
  types?: readonly string[] | undefined
  topics?: readonly string[] | undefined
  from?: readonly string[] | undefined
}

/** Throws `usage`, and `unknown_agent` where a sender is none. */
const filterOf = ({ room }: HttpAgent, { types, topics, from }: Wanted) => {
  for (const type of types ?? []) {
    if ((MESSAGE_TYPES as readonly string[]).includes(type)) continue
    throw new ClawError('usage', `"${type}" is not a type of message`, MESSAGE_TYPES.join(', '))
  }
  const senders = from?.map((name) => resolveAgent(room.doc, name) as string)
  return (message: Message): boolean =>
    types?.includes(message.type) !== false &&
    (topics === undefined || ('topic' in message && topics.includes(message.topic))) &&
    senders?.includes(message.from_agent) !== false
}

/** What is handed out of an inbox, and how much more waits. */
export interface HandedOut {
  lot: Waiting[]
  remaining: number
}

/**
 * What `pick` takes of what waits for a guest, the most urgent first; where nothing does, once something comes, at the latest
 * when the signal aborts. What somebody is being handed is not among it. `holds`: nobody else is handed it from now on.
 */
export const inbox = async (
  { env, guest }: ActionContext,
  wanted: Wanted,
  signal: AbortSignal,
  pick: (waiting: Waiting[]) => Waiting[],
  holds: boolean,
): Promise<HandedOut> => {
  registered(guest)
  const passes = filterOf(guest, wanted)
  const isFiltered = [wanted.types, wanted.topics, wanted.from].some((one) => one !== undefined)
  // What is asked for comes before its turn, else only what is urgent.
  const isUrgent = (message: Message) => passes(message) && (isFiltered || rankOf(message) > 0)
  const done = new AbortController()
  const ends = AbortSignal.any([signal, env.guests.ending, guest.ended, done.signal])
  try {
    for (;;) {
      // Whatever comes in from here on wakes it.
      const news = env.guests.news(guest.room, ends)
      await guest.receive(isUrgent)
      const found = byPriority(guest.waiting.filter(({ message }) => passes(message)))
      if (found.length > 0 || ends.aborted) {
        const lot = pick(found)
        if (holds) guest.hold(lot)
        else guest.show(lot)
        return { lot, remaining: found.length - lot.length }
      }
      await news
    }
  } finally {
    done.abort()
  }
}

/** As many of these as an answer holds, by their bytes as JSON; at least one. */
export const firstOf = (waiting: readonly Waiting[], bytes = PAGE_BYTES): Waiting[] => {
  let left = bytes
  const found: Waiting[] = []
  for (const one of waiting) {
    left -= JSON.stringify(one.message).length
    if (left < 0 && found.length > 0) break
    found.push(one)
  }
  return found
}
