import type { ErrorBody } from '../../protocol/errors.ts'
import type { TaskId } from '../../protocol/ids.ts'
import type { Agent } from '../agents/agents.ts'
import type { Json, Priority, TaskEvent, TaskResult } from '../document/schema.ts'
import type { BroadcastMessage } from './broadcasts.ts'
import type { Trace } from './trace.ts'

interface Envelope {
  message_id: string
  from_agent: string
  to_agent: string | null
  timestamp: string
  /** The chain of messages that led to this one; absent: none did. */
  trace?: Trace
}

interface Said {
  content: string
  topic: string
  tags: string[]
}

/** A message as `poll` shows it, with ClawLink 1.x's field names. */
export type Message =
  | (Envelope & {
      type: 'task_delegation'
      task: string
      context: Json
      priority: Priority
      /** The number of the attempt, from the second on. */
      attempt?: number
      deadline?: string
      ref?: TaskId
      /** Capabilities that a task for anyone requires; absent: it was given to this agent. */
      requires?: string[]
    })
  | (Envelope & {
      type: 'task_response'
      result: string
      status: string
      event?: TaskEvent
      percent?: number
      result_json?: Json
      artifacts?: TaskResult['artifacts']
      stale?: TaskResult['stale']
    })
  | (Envelope & { type: 'task_update'; event: TaskEvent; status: string; text: string })
  | (Envelope & Said & { type: 'knowledge_broadcast'; reply_to?: string })
  | (Envelope & Said & { type: 'direct_message'; reply_to: string | null })
  | (Envelope & {
      type: 'file_updated'
      file_key: string
      version: number
      last_editor: string
      /** The first version that this is news of; absent: the version shown. */
      from_version?: number
      /** Lines added and removed since this agent read the file; absent: it has not read it. */
      added?: number
      removed?: number
      /** The lines that changed, as they are now: `4-6,9`. */
      lines?: string
    })
  | (Envelope & {
      type: 'file_conflict'
      file_key: string
      from_line: number
      to_line: number
      by: string
    })
  /** Changes of two agents that merged cleanly, close to each other. */
  | (Envelope & Said & { type: 'look_together' })
  | (Envelope & { type: 'file_removed'; file_key: string; moved_to: string | null })
  | (Envelope & {
      type: 'files_changed'
      updated: number
      removed: number
      file_keys: string[]
      hint: string
    })
  /** `message_id`: the suggestion's. */
  | (Envelope & {
      type: 'file_suggestion'
      file_key: string
      /** Hunks (count). */
      hunks: number
      note: string
      task?: TaskId
    })
  | (Envelope & {
      type: 'suggestion_judged'
      file_key: string
      verdict: 'accepted' | 'rejected'
      /** Numbers of the judged hunks, from 1, and how many still wait (count). */
      hunks: number[]
      waiting: number
      reason: string
      /** The version of the file that has the accepted hunks. */
      version?: number
    })
  | (Envelope & { type: 'agent_joined'; agent: Agent })
  | (Envelope & { type: 'task_note'; text: string })
  | (Envelope & { type: 'task_canceled'; reason: string })
  | (Envelope & { type: 'command_refused'; command: string; result: string; error: ErrorBody })
  | (Envelope & { type: 'unreadable'; text: string })
  | (Envelope & { type: 'digest'; total: number; broadcasts: BroadcastMessage[]; hint: string })
