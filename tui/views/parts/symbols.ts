import type { AgentStatus } from '../../../workspace/agents/presence.ts'
import type { Priority, TaskState } from '../../../workspace/document/schema.ts'
import type { FeedKind } from '../../model/feed.ts'
import { type Segment, seg, type Tone } from '../../ui/rows.ts'

/** States by symbol, by word where there is room or somebody listens, and by tone last. */

type Mark = readonly [symbol: string, word: string, tone: Tone]

const AGENT: Readonly<Record<AgentStatus, Mark>> = {
  online: ['●', 'online', 'good'],
  idle: ['◔', 'idle', 'plain'],
  stale: ['◌', 'stale', 'warn'],
  offline: ['○', 'offline', 'dim'],
}

const TASK: Readonly<Record<TaskState, Mark>> = {
  submitted: ['○', 'open', 'accent'],
  working: ['◐', 'working', 'good'],
  'input-required': ['?', 'needs input', 'warn'],
  completed: ['✓', 'completed', 'dim'],
  failed: ['✗', 'failed', 'bad'],
  canceled: ['–', 'canceled', 'dim'],
  rejected: ['⊘', 'rejected', 'bad'],
}

const PRIORITY: Readonly<Record<Priority, Mark>> = {
  urgent: ['!!', 'urgent', 'bad'],
  high: ['! ', 'high', 'warn'],
  normal: ['  ', 'normal', 'plain'],
  low: ['↓ ', 'low', 'dim'],
}

const KIND: Readonly<Record<FeedKind, Mark>> = {
  broadcast: ['»', 'broadcast', 'accent'],
  direct: ['✉', 'message', 'warn'],
  task: ['▪', 'task', 'good'],
  note: ['✎', 'note', 'plain'],
  file: ['≡', 'file', 'plain'],
  agent: ['+', 'agent', 'dim'],
}

/** A state that this version does not know is shown by its own word. */
const markOf = <K extends string>(marks: Readonly<Record<K, Mark>>, key: K): Mark =>
  (marks as Readonly<Record<string, Mark>>)[key] ?? ['·', key, 'plain']

const shown = ([symbol, word, tone]: Mark, plain: boolean): Segment =>
  seg(plain ? word : symbol, tone)

const words = ([symbol, word, tone]: Mark, plain: boolean): Segment =>
  seg(plain ? word : `${symbol} ${word}`, tone)

export const agentMark = (status: AgentStatus, plain: boolean) =>
  shown(markOf(AGENT, status), plain)
export const agentWords = (status: AgentStatus, plain: boolean) =>
  words(markOf(AGENT, status), plain)
export const taskMark = (state: TaskState, plain: boolean) => shown(markOf(TASK, state), plain)
export const taskWords = (state: TaskState, plain: boolean) => words(markOf(TASK, state), plain)
export const priorityMark = (priority: Priority, plain: boolean) =>
  shown(markOf(PRIORITY, priority), plain)
export const kindMark = (kind: FeedKind, plain: boolean) => shown(markOf(KIND, kind), plain)
export const kindWord = (kind: FeedKind): string => markOf(KIND, kind)[1]
