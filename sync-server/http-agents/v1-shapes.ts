import type { ErrorBody } from '../../protocol/errors.ts'
import type { Agent } from '../../workspace/agents/agents.ts'
import type { FileInfo } from '../../workspace/files/file-info.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { inHttpWords } from '../http/http-words.ts'
import type { Waiting } from './http-agent.ts'

/** Answers for ClawLink 1.x's clients: their fields, in their types, beside the current ones. */

const seconds = (iso: string): number => Date.parse(iso) / 1_000

/** 1.x lists the present agents, all as online. `last_heartbeat` is Unix time in seconds. */
export const agent1x = ({ status, last_heartbeat, ...agent }: Agent) => ({
  ...agent,
  status: status === 'idle' ? ('online' as const) : status,
  last_heartbeat: seconds(last_heartbeat),
})

/** 1.x's list of agents: the present ones, in order of registration. */
export const here1x = (agents: readonly Agent[]) =>
  agents
    .filter(({ status }) => status === 'online' || status === 'idle')
    .sort((a, b) => (a.registered_at < b.registered_at ? -1 : 1))
    .map(agent1x)

/** In 1.x the writer declared a file's type; here the content decides it. */
export const file1x = <T extends FileInfo>(file: T): T & { file_type: string } => ({
  ...file,
  file_type: file.sha256 === undefined ? 'text' : file.media_type,
})

const fieldsOf = (message: Message, key: string) => {
  switch (message.type) {
    case 'task_delegation':
      return { ...message, context: message.context ?? {} }
    case 'task_response':
      return { ...message, response_id: `${message.message_id}.${key}` }
    case 'agent_joined':
      return { ...message, agent: agent1x(message.agent) }
    // 1.x's clients show these fields.
    case 'task_update':
    case 'task_note':
    case 'unreadable':
      return { ...message, content: message.text }
    case 'task_canceled':
      return { ...message, content: message.reason }
    case 'command_refused':
      return { ...message, content: message.error.message }
    default:
      return message
  }
}

/** Messages as 1.x's clients read them, in the order in which they came in. */
export const messages1x = (lot: readonly Waiting[]) => {
  const inOrder = [...lot].sort((a, b) => Number(a.key) - Number(b.key))
  const said = inHttpWords(inOrder.map(({ message }) => message))
  return said.map((message, i) => ({
    ...fieldsOf(message, inOrder[i]!.key),
    queued_at: message.timestamp,
  }))
}

/**
 * Message types that 1.x did not deliver by poll. Its clients use `/discover`, and ignore these.
 */
const UNSEEN: readonly Message['type'][] = ['agent_joined', 'digest']
export const isSeen1x = ({ message }: Waiting): boolean => !UNSEEN.includes(message.type)

/** An error of 1.x's routes: `error` is a text, as it was. */
export const error1x = ({ message, hint, ...rest }: ErrorBody) => ({
  ok: false,
  error: hint === '' ? message : `${message}; ${hint}`,
  message,
  hint,
  ...rest,
})

/** It as an HTTP reason phrase, which is all of an error that 1.x's clients show. */
export const reasonOf = (error: string): string =>
  error.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300)
