import type { Agent } from '../../workspace/agents.ts'
import type { BroadcastMessage, DirectMessage } from '../../workspace/broadcasts.ts'
import type { WholeTask } from './contents.ts'

/** What others wrote, in which a control character could do harm on a terminal. */
const clean = (text: string): string =>
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')

const inline = (text: string): string => clean(text).replaceAll(/\s+/g, ' ')
/** Whatever is in it, it is a quotation, and no part of what is around it. */
const quote = (text: string): string => clean(text).replaceAll(/^/gm, '> ')
const list = (values: readonly string[]): string => inline(values.join(', '))

export const agentMarkdown = (agent: Agent): string =>
  `- **${inline(agent.name)}** (${agent.agent_id}, ${agent.kind})${agent.capabilities.length > 0 ? `: ${list(agent.capabilities)}` : ''}
  ${inline(agent.description)}
  registered ${agent.registered_at}, last seen ${agent.last_heartbeat}${agent.machine === '' ? '' : `, on ${inline(agent.machine)}`}
`

export const taskMarkdown = (task: WholeTask): string => {
  const { task_id, status, priority, from_agent, owner, to_agent, created_at } = task
  const steps = task.history.map(
    ({ at, state, by, message }) =>
      `- ${at} ${state}, by ${by}${message === '' ? '' : `: ${inline(message)}`}`,
  )
  const notes = task.notes.map((note) => `- note: ${inline(JSON.stringify(note))}`)
  return `## ${task_id}: ${status}${task.archived ? ' (archived)' : ''}

${priority}, from ${from_agent} to ${to_agent ?? 'anyone'}, owner ${owner ?? 'none'}, created ${created_at}

${quote(task.task)}

${task.message === '' ? '' : `Last word:\n\n${quote(task.message)}\n\n`}${[...steps, ...notes].join('\n')}

`
}

export const messageMarkdown = (message: BroadcastMessage | DirectMessage): string => {
  const { message_id, from_agent, timestamp, content } = message
  const to = message.type === 'direct_message' ? ` to ${message.to_agent}` : ''
  const topic = 'topic' in message && message.topic ? `, ${inline(message.topic)}` : ''
  return `### ${timestamp} ${from_agent}${to}${topic} (${message_id})\n\n${quote(content)}\n\n`
}
