import type { Attached } from '../../client/resident/attach.ts'
import type { AgentId, FileKey, TaskId } from '../../protocol/ids.ts'
import type { Agent } from '../../workspace/agents/agents.ts'
import type { Transition } from '../../workspace/document/schema.ts'
import type { FileInfo } from '../../workspace/files/file-info.ts'
import type { Message } from '../../workspace/messages/message.ts'
import {
  offersFor,
  type TaskOffer,
  type TaskWait,
  waitOf,
} from '../../workspace/tasks/task-offers.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import type { FeedEntry } from './feed.ts'

/** An agent, and where it is now. */
export interface AgentLine {
  agent: Agent
  /** The task it says it is at, or works on. */
  task: TaskId | null
  /** The file its cursor is in. */
  file: FileKey | null
}

/** A shared file, and who is in it now. */
export interface FileLine {
  info: FileInfo
  editors: readonly AgentId[]
}

/** A suggestion that waits for this person's judgement. */
export interface Review {
  id: string
  file: FileKey
  by: AgentId
  /** Milliseconds since the epoch. */
  at: number
  note: string
}

/** All that is drawn, at one moment. Nothing in it changes; a part that is the same object is the same. */
export interface Snapshot {
  me: AgentId | null
  /** The role of my credential; null: not known yet. */
  role: Attached['role']
  /** My capabilities, as I registered them. */
  capabilities: readonly string[]
  where: Attached['where']
  contact: Attached['contact']
  /** By name. */
  agents: readonly AgentLine[]
  /** In no order that means anything. */
  tasks: readonly Task[]
  /** As they are now, in older snapshots, too. */
  taskById: ReadonlyMap<string, Task>
  /** The transitions of a task that is in `tasks`, read when somebody looks at it. */
  historyOf: (task: string) => readonly Transition[]
  /** The beginning of a file as it is now, read when somebody looks at it; null: it is not text. */
  peek: (path: string) => string | null
  /** Oldest first. */
  feed: readonly FeedEntry[]
  /** By path. */
  files: readonly FileLine[]
  /** Another one after each change of a suggestion. */
  suggestionStamp: number
  /** Suggestions that wait, by the path of their file (count). */
  waiting: ReadonlyMap<string, number>
  /** Suggestions that wait for this person, oldest first. */
  reviews: readonly Review[]
  /** Names by agent id. */
  names: ReadonlyMap<string, string>
  /** Unacknowledged messages, and their ids. */
  unread: readonly Message[]
  unreadIds: ReadonlySet<string>
  /** There is older that was said, in the server's archive. */
  hasOlder: boolean
  /** When it was taken: milliseconds since the epoch. */
  now: number
}

type Mine = Pick<Snapshot, 'me' | 'capabilities'>

/** The commands that this person can give for a task. */
export const offersOf = ({ me, capabilities }: Mine, task: Task): ReadonlySet<TaskOffer> =>
  offersFor(task, me, capabilities)

/** The reason for a task to wait for this person; null: it does not. */
export const waitFor = ({ me, capabilities }: Mine, task: Task): TaskWait | null => {
  const known = waits.get(task)
  if (known?.me === me && known.capabilities === capabilities) return known.wait
  const wait = waitOf(task, me, capabilities)
  waits.set(task, { me, capabilities, wait })
  return wait
}

/** Reasons by task: of ten thousand tasks one changes at a time. */
const waits = new WeakMap<Task, Mine & { wait: TaskWait | null }>()

export const shownNameOf = ({ names }: Snapshot, id: string | null): string =>
  id === null ? 'anyone' : (names.get(id) ?? id)
