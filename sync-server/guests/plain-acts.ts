import { z } from 'zod'
import { MAX_NAME_BYTES } from '../../workspace/limits.ts'
import { isoTime, PRIORITIES } from '../../workspace/schema.ts'
import { parseAnswer } from '../../workspace/task-states.ts'
import { anyJson } from '../request.ts'
import { type Act, delegate, deliveryTo, registered, respond, tell } from './actions.ts'

/** What ClawLink 1.x's clients ask for, by HTTP or by WebSocket. Their nulls are what is left out. */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined)

export const name = z.string().min(1).max(MAX_NAME_BYTES)
/** A list, or a text with commas in it. */
export const names = z.union([z.array(z.string()), z.string().transform((text) => text.split(','))])

/** Begins a new chain of messages, where one has grown too long: docs/log.md. 1.x had none. */
const fresh = { reset_trace: optional(z.boolean()) }

export const DelegateBody = z.object({
  to_agent: name,
  task: z.string().min(1),
  context: optional(anyJson),
  priority: optional(z.enum(PRIORITIES)),
  ...fresh,
})

export const delegatePlain = async (act: Act, body: z.infer<typeof DelegateBody>) => {
  const { to_agent, task, context = null, priority = 'normal' } = body
  const given = { to: to_agent, description: task, context, priority }
  const { task: made, to } = await delegate(act, given, body.reset_trace)
  return {
    status: 'delegated',
    delivery: deliveryTo(act, to),
    message_id: made.message_id,
  }
}

export const BroadcastBody = z.object({
  content: z.string().min(1),
  topic: optional(z.string()),
  tags: optional(names),
  ...fresh,
})

export const broadcastPlain = async (act: Act, body: z.infer<typeof BroadcastBody>) => {
  const { content, topic = '', tags = [] } = body
  const { message, recipients } = await tell(act, { content, topic, tags }, body.reset_trace)
  return { status: 'broadcast_sent', message_id: message.message_id, recipients }
}

export const RespondBody = z.object({
  to_agent: name,
  message_id: name,
  /** A text, or anything for programs. */
  result: anyJson,
  status: optional(z.string().max(MAX_NAME_BYTES)),
})

export const respondPlain = async (act: Act, body: z.infer<typeof RespondBody>) => {
  const { to_agent, message_id, result, status } = body
  const isText = typeof result === 'string'
  const task = await respond(act, {
    task: message_id,
    to: to_agent,
    state: parseAnswer(status ?? 'completed'),
    message: isText ? result : JSON.stringify(result),
    ...(!isText && { result: { json: result } }),
  })
  return { status: 'response_sent', delivery: deliveryTo(act, task.from_agent) }
}

export const heartbeatPlain = ({ env, guest }: Act) => {
  registered(guest)
  return { status: 'ok', agent_id: guest.agent, server_time: isoTime(env.now()) }
}
