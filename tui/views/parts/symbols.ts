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

const PLAIN_SIGNS: readonly (readonly [string, Tone, string])[] = [
  ['•', 'warn', 'new since you looked'],
  ['✉ 3', 'warn', 'three things wait for you: 0'],
  ['☺', 'dim', 'a person'],
  ['‖', 'warn', 'asked to pause'],
  ['✎ Ann', 'accent', 'Ann is in the file now'],
  ['±2', 'warn', 'two suggestions wait'],
  ['↳', 'dim', 'an answer to another message'],
  ['*', 'warn', 'marked'],
  ['↑3 ↓25', 'accent', 'three above, 25 below what is seen'],
]

/** All signs, and what they stand for. */
export const legend = (): (readonly [Segment, string])[] => {
  const rows = (marks: Readonly<Record<string, Mark>>, of: string) =>
    Object.values(marks).map(
      ([symbol, word, tone]) => [seg(symbol, tone), `${of}: ${word}`] as const,
    )
  return [
    ...rows(AGENT, 'agent'),
    ...rows(TASK, 'task'),
    ...rows(PRIORITY, 'priority').filter(([{ text }]) => text.trim() !== ''),
    ...rows(KIND, 'in the feed'),
    ...PLAIN_SIGNS.map(([symbol, tone, what]) => [seg(symbol, tone), what] as const),
  ]
}
