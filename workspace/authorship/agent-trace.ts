import type { BlameRange, ShownOrigin } from './blame.ts'

/**
 * Agent Trace, an open format for the origins of code: https://agent-trace.dev (version 0.1.0). A conversation is the
 * work of one agent for one task.
 */
export const AGENT_TRACE_VERSION = '0.1.0'

type ContributorType = 'human' | 'ai' | 'mixed' | 'unknown'

interface Contributor {
  type: ContributorType
}

interface TraceRange {
  start_line: number
  end_line: number
  content_hash: string
  /** Only where it is not that of the conversation. */
  contributor?: Contributor
}

export interface TraceConversation {
  /** The task; absent: none is known. */
  url?: string
  contributor: Contributor
  ranges: TraceRange[]
  related: { type: string; url: string }[]
}

export interface TraceFile {
  path: string
  conversations: TraceConversation[]
}

export interface TraceRecord {
  version: typeof AGENT_TRACE_VERSION
  id: string
  timestamp: string
  tool: { name: 'clawlink'; version: string }
  files: TraceFile[]
  metadata: { clawlink: { workspace: string } }
}

export interface TraceEnv {
  workspace: string
  /** The kind of an agent; null: no agent has this id. */
  kindOf: (agent: string) => 'agent' | 'person' | null
  /** `algorithm:digest` of some lines. */
  hash: (text: string) => string
}

const TYPES = { agent: 'ai', person: 'human' } as const

/** The conversations in a file with this text, by the blame of its lines. */
export const traceFile = (
  path: string,
  text: string,
  ranges: readonly BlameRange[],
  { workspace, kindOf, hash }: TraceEnv,
): TraceFile => {
  const lines = text.split('\n')
  const found = new Map<string, TraceConversation>()
  const urn = (kind: string, id: string): string =>
    `urn:clawlink:${workspace}:${kind}:${encodeURIComponent(id)}`
  const typeOf = ({ agent_id }: ShownOrigin): ContributorType => {
    const kind = kindOf(agent_id)
    return kind === null ? 'unknown' : TYPES[kind]
  }
  for (const range of ranges) {
    const { agent_id, task_id, via, from_line, to_line, parts = [] } = range
    const name = JSON.stringify([agent_id, task_id, via])
    const type = typeOf(range)
    let conversation = found.get(name)
    if (conversation === undefined) {
      const related = [{ type: 'agent', url: urn('agent', agent_id) }]
      if (via !== null) related.push({ type: 'via', url: urn('agent', via) })
      const task = task_id === null ? {} : { url: urn('task', task_id) }
      conversation = { ...task, contributor: { type }, ranges: [], related }
      found.set(name, conversation)
    }
    const isMixed = parts.some((part) => typeOf(part) !== type)
    conversation.ranges.push({
      ...{ start_line: from_line, end_line: to_line },
      content_hash: hash(lines.slice(from_line - 1, to_line).join('\n')),
      ...(isMixed && { contributor: { type: 'mixed' as const } }),
    })
  }
  return { path, conversations: [...found.values()] }
}
