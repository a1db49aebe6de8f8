import type { AgentId } from '../../../protocol/ids.ts'
import type { BroadcastEntry } from '../../../workspace/document/schema.ts'
import { readArchivedJson } from '../../../workspace/inbox/archive.ts'
import { type Found, textOfMessage, textOfTask } from '../../../workspace/inbox/find.ts'
import { broadcastMessage } from '../../../workspace/messages/broadcasts.ts'
import {
  type ArchivedTask,
  readArchivedTaskJson,
  showArchived,
} from '../../../workspace/tasks/task-archive.ts'
import type { Shelf } from '../../storage/update-log.ts'
import {
  type Indexed,
  PUBLIC,
  segmentsOf,
  tokenOfAuthor,
  tokenOfReader,
  tokenOfTopic,
} from './segments.ts'

/** The filters of a search, beside its words. */
export interface Wanted {
  /** The reader: it finds no direct messages of others. Null: no agent. */
  me: AgentId | null
  from: AgentId | undefined
  topic: string | undefined
}

/** Reads the entries of a shelf for a search. */
export interface Searched {
  /** An entry as the index has it; null for one that cannot be read. */
  indexed: (json: string) => Indexed | null
  /** The text to search in and what is found, if the search may find it; else null. */
  readable: (json: string, wanted: Wanted) => { text: string; id: string; found: Found } | null
}

const messageIn = (json: string): BroadcastEntry | null => {
  try {
    return readArchivedJson(json).entry
  } catch {
    return null
  }
}

const taskIn = (json: string): ArchivedTask | null => {
  try {
    return readArchivedTaskJson(json)
  } catch {
    return null
  }
}

export const SEARCHED: Readonly<Record<Shelf, Searched>> = {
  broadcasts: {
    indexed: (json) => {
      const entry = messageIn(json)
      if (entry === null) return null
      const { from, to, topic } = entry
      const readers = to === undefined ? [PUBLIC] : [from, to].map(tokenOfReader)
      return {
        text: textOfMessage(entry),
        marks: [tokenOfAuthor(from), tokenOfTopic(topic), ...readers],
      }
    },
    readable: (json, { me, from, topic }) => {
      const entry = messageIn(json)
      if (entry === null) return null
      if (entry.to !== undefined && entry.to !== me && entry.from !== me) return null
      if (from !== undefined && entry.from !== from) return null
      if (topic !== undefined && entry.topic !== topic) return null
      const message = broadcastMessage(entry)
      return { text: textOfMessage(entry), id: entry.id, found: { in: 'messages', message } }
    },
  },
  tasks: {
    indexed: (json) => {
      const task = taskIn(json)
      if (task === null) return null
      return {
        text: textOfTask(showArchived(task)),
        marks: [tokenOfAuthor(task.facts.from), PUBLIC],
      }
    },
    readable: (json, { from, topic }) => {
      const archived = taskIn(json)
      if (archived === null || topic !== undefined) return null
      if (from !== undefined && archived.facts.from !== from) return null
      const task = { ...showArchived(archived), archived: true as const }
      return { text: textOfTask(task), id: task.task_id, found: { in: 'tasks', task } }
    },
  },
}

/** The segments of a block of a shelf; `entries`: as stored, JSON. */
export const segmentsOfBlock = (shelf: Shelf, entries: readonly string[]) =>
  segmentsOf(entries.map((json) => SEARCHED[shelf].indexed(json)))
