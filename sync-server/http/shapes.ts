import * as z from 'zod'
import { PRIORITIES } from '../../workspace/document/schema.ts'

/** Answers for the OpenAPI document: the fields that are always present. */
export const Agent = z.looseObject({
  ...{ agent_id: z.string(), name: z.string(), capabilities: z.array(z.string()) },
  ...{ machine: z.string(), description: z.string() },
  status: z.enum(['online', 'idle', 'stale', 'offline']),
  ...{ registered_at: z.string(), last_heartbeat: z.string() },
})

export const Task = z.looseObject({
  ...{ task_id: z.string(), task: z.string(), priority: z.enum(PRIORITIES) },
  ...{ from_agent: z.string(), to_agent: z.string().nullable(), owner: z.string().nullable() },
  ...{ status: z.string(), message: z.string(), created_at: z.string(), updated_at: z.string() },
  ...{ revision: z.number(), token: z.number() },
})

export const Message = z.looseObject({
  ...{ type: z.string(), message_id: z.string(), from_agent: z.string() },
  ...{ to_agent: z.string().nullable(), timestamp: z.string() },
})

export const Suggestion = z.looseObject({
  ...{ suggestion_id: z.string(), file_key: z.string(), by: z.string(), at: z.string() },
  ...{ base_version: z.number(), note: z.string(), task: z.string().nullable() },
  ...{ approve_by: z.string().nullable(), state: z.string(), hunks: z.number() },
  ...{ waiting: z.number(), conflicts: z.number() },
})

export const FileInfo = z.looseObject({
  ...{ file_key: z.string(), version: z.number(), last_editor: z.string() },
  ...{ updated_at: z.string(), size: z.number(), media_type: z.string() },
})
