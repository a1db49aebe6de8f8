import type { Agent } from '../../workspace/agents/agents.ts'
import type { BroadcastMessage, DirectMessage } from '../../workspace/messages/broadcasts.ts'
import type { WholeTask } from './contents.ts'

/** Text of others, without control characters, which could harm a terminal. */
const clean = (text: string): string =>
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')

const inline = (text: string): string => clean(text).replaceAll(/\s+/g, ' ')
/** The text as a quotation, whatever it contains. */
const quote = (text: string): string => clean(text).replaceAll(/^/gm, '> ')
const list = (values: readonly string[]): string => inline(values.join(', '))

export const agentMarkdown = (agent: Agent): string =>
  `- **${inline(agent.name)}** (${agent.agent_id}, ${agent.kind})${agent.capabilities.length > 0 ? `: ${list(agent.capabilities)}` : ''}
  ${inline(agent.description)}
  registered ${agent.registered_at}, last seen ${agent.last_heartbeat}${agent.machine === '' ? '' : `, on ${inline(agent.machine)}`}
`

/** Names of agents by id: `Scout (a-…)`; the id where it has none. */
export type NameOf = (id: string) => string

/** A name in one line. */
export const calledBy = (agents: readonly Agent[]): NameOf => {
  const names = new Map(agents.map(({ agent_id, name }) => [agent_id as string, inline(name)]))
  return (id) => {
    const name = names.get(id) ?? ''
    return name === '' || name === id ? inline(id) : `${name} (${id})`
  }
}

/** The first line of a text, as a title. */
const titleOf = (text: string): string => {
  const line = [...inline(text.trim().split('\n', 1)[0]!)]
  return line.length <= TITLE_CHARACTERS
    ? line.join('')
    : `${line.slice(0, TITLE_CHARACTERS - 1).join('')}…`
}

/** The longest title (characters). */
const TITLE_CHARACTERS = 80

export const taskMarkdown = (task: WholeTask, nameOf: NameOf): string => {
  const { task_id, status, priority, from_agent, owner, to_agent, created_at } = task
  const steps = task.history.map(
    ({ at, state, by, message }) =>
      `- ${at} ${state}, by ${nameOf(by)}${message === '' ? '' : `: ${inline(message)}`}`,
  )
  const notes = task.notes.map(
    ({ at, by, text }) => `- ${at} note by ${nameOf(by)}: ${inline(text)}`,
  )
  const to = to_agent == null ? 'anyone' : nameOf(to_agent)
  const done = owner === null ? 'no owner' : `owner ${nameOf(owner)}`
  return `## ${titleOf(task.task)} (${status}${task.archived ? ', archived' : ''})

${task_id}, ${priority}, from ${nameOf(from_agent)} to ${to}, ${done}, created ${created_at}

${quote(task.task)}

${task.message === '' ? '' : `Last message:\n\n${quote(task.message)}\n\n`}${[...steps, ...notes].join('\n')}

`
}

export const messageMarkdown = (
  message: BroadcastMessage | DirectMessage,
  nameOf: NameOf,
): string => {
  const { message_id, from_agent, timestamp, content } = message
  const to = message.type === 'direct_message' ? ` to ${nameOf(message.to_agent ?? 'anyone')}` : ''
  const topic = 'topic' in message && message.topic ? `, ${inline(message.topic)}` : ''
  return `### ${timestamp} ${nameOf(from_agent)}${to}${topic} (${message_id})\n\n${quote(content)}\n\n`
}
