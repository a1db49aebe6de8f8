import * as z from 'zod'
import { MAX_NAME_BYTES } from '../../protocol/limits.ts'
import { delegate } from '../../workspace/actions/delegate.ts'
import { broadcast } from '../../workspace/actions/speak.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { anyJson } from '../http/request.ts'
import { type ActionContext, deliveryTo, registered } from './context.ts'
import { act } from './http-actor.ts'
import { asText, readPriority } from './v1-words.ts'

/**
 * Requests of ClawLink 1.x's clients, by HTTP or by WebSocket. They send null for a missing field.
 */
export const optional = <T extends z.ZodType>(schema: T) =>
  schema.nullish().transform((value) => value ?? undefined)

export const name = z.string().min(1).max(MAX_NAME_BYTES)
/** A list, or a text with commas in it. */
export const names = z.union([z.array(z.string()), z.string().transform((text) => text.split(','))])
/** A text; other JSON is written out as one. What is empty, or nothing, 1.x refused, too. */
const words = anyJson
  .refine((given) => given !== null && given !== false && given !== 0, 'it is missing')
  .transform(asText)
  .pipe(z.string().min(1))

/** Begins a new chain of messages, where one has grown too long: docs/log.md. 1.x had none. */
const fresh = { reset_trace: optional(z.boolean()) }

export const DelegateBody = z.object({
  to_agent: name,
  task: words,
  context: optional(anyJson),
  /** Any text: what is not one of ours is `normal`. */
  priority: optional(anyJson),
  ...fresh,
})

export const delegatePlain = async (context: ActionContext, body: z.infer<typeof DelegateBody>) => {
  const { to_agent, task, context: data = {} } = body
  const priority = readPriority(body.priority)
  const given = { to: to_agent, task, context: data, priority, after_failed: 'fail' as const }
  const reset_trace = body.reset_trace ?? false
  const { task: made } = await act(context, delegate, { ...given, reset_trace })
  return {
    status: 'delegated',
    delivery: deliveryTo(context, made.to_agent),
    message_id: made.message_id,
  }
}

export const BroadcastBody = z.object({
  content: words,
  topic: optional(z.string()),
  tags: optional(names),
  ...fresh,
})

export const broadcastPlain = async (
  context: ActionContext,
  body: z.infer<typeof BroadcastBody>,
) => {
  const { content, topic = '', tags = [] } = body
  const reset_trace = body.reset_trace ?? false
  const given = { content, topic, tags, reset_trace }
  const { message, recipients } = await act(context, broadcast, given)
  return { status: 'broadcast_sent', message_id: message.message_id, recipients }
}

export const heartbeatPlain = ({ env, httpAgent }: ActionContext) => {
  registered(httpAgent)
  return { status: 'ok', agent_id: httpAgent.agent, server_time: isoTime(env.now()) }
}
