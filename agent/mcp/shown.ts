import type * as Y from 'yjs'
import { shorten } from '../../lib/text/shorten.ts'
import { oneLine } from '../../lib/text/visible.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { fileInfo, listFiles } from '../../workspace/files/file-info.ts'
import { selectTasks } from '../../workspace/tasks/task-list.ts'
import { getTask } from '../../workspace/tasks/tasks.ts'
import type { Listed } from './tools/team.ts'
import { fileUri, parseUri, taskUri } from './tools/uris.ts'

/** Entries of each kind in the list of resources (count); a host shows them to a person to choose from. */
const MOST = 500
/** Characters of a task in the list. */
const TASK_SHOWN = 60

const openTasks = (doc: Y.Doc) => {
  const any = { mine: false, fromMe: false, ready: false, me: null, states: null }
  return selectTasks(doc, { ...any, sort: 'priority' })
}

/** The open tasks, most urgent first, and the shared files, newest first. */
export const listOf = (doc: Y.Doc): Listed[] => [
  ...openTasks(doc)
    .slice(0, MOST)
    .map(({ task_id, task }) => ({
      ...{ uri: taskUri(task_id), mimeType: 'text/plain' },
      name: oneLine(shorten(task, TASK_SHOWN)),
    })),
  ...listFiles(doc)
    .sort((a, b) => (a.updated_at > b.updated_at ? -1 : 1))
    .slice(0, MOST)
    .map(({ file_key, media_type, size }) => ({
      ...{ uri: fileUri(file_key), name: oneLine(file_key), mimeType: media_type, size },
    })),
]

/** The state of a profile that is not in the document. */
interface Standing {
  me: AgentId | null
  unread: number
}

/** A text that changes with what the resource shows; empty for one that is absent. */
export const markOf = (doc: Y.Doc, uri: string, { me, unread }: Standing): string => {
  const named = parseUri(uri)
  try {
    switch (named?.kind) {
      case 'prime': {
        const tasks = openTasks(doc).filter(({ owner, to_agent }) => (owner ?? to_agent) === me)
        return [unread, ...tasks.map(({ task_id, revision }) => `${task_id}@${revision}`)].join(' ')
      }
      case 'task': {
        const { revision, notes } = getTask(doc, named.id)
        return `${revision} ${notes.length}`
      }
      case 'file':
        return String(fileInfo(doc, named.key).version)
      default:
        return ''
    }
  } catch {
    return '' // it is gone, or was never there
  }
}
