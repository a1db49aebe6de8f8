import type * as Y from 'yjs'
import { type Agent, listAgents } from '../../workspace/agents/agents.ts'
import { readArchived } from '../../workspace/inbox/archive.ts'
import {
  type BroadcastMessage,
  broadcastMessage,
  type DirectMessage,
} from '../../workspace/messages/broadcasts.ts'
import { liveBroadcasts } from '../../workspace/messages/live-log.ts'
import { readArchivedTask, showArchived } from '../../workspace/tasks/task-archive.ts'
import {
  listTasks,
  showStep,
  type Task,
  type TaskStep,
  taskHistory,
} from '../../workspace/tasks/tasks.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import type { Shelf } from '../storage/update-log.ts'
import { docOf } from '../sync/updates/document.ts'

const PAGE = 500
const PAGE_BYTES = 4 * 1024 * 1024

export type WholeTask = Task & { history: TaskStep[]; archived?: true }

/** All there is in a workspace, in the shapes that every face shows; what may be long is read as it is taken. */
export interface Contents {
  workspace: string
  doc: Y.Doc
  agents: Agent[]
  /** Those in the document, then the archived ones from the oldest on. */
  tasks: () => AsyncGenerator<WholeTask>
  /** In the order of the log. */
  broadcasts: () => AsyncGenerator<BroadcastMessage | DirectMessage>
}

/** Throws Corruption. */
export const contentsOf = async (
  log: LevelUpdateLog,
  workspace: string,
  now: number,
): Promise<Contents> => {
  const doc = docOf(await log.load(workspace), `workspace ${workspace}`)
  const archive = (shelf: Shelf) => archived(log, workspace, shelf)
  return {
    workspace,
    doc,
    agents: listAgents(doc, { present: new Set(), now }),
    tasks: async function* () {
      for (const task of listTasks(doc)) {
        yield { ...task, history: taskHistory(doc, task.task_id).map(showStep) }
      }
      for await (const { seq, value } of archive('tasks')) {
        const task = readArchivedTask(value)
        // A task that was noted on since has a newer entry.
        if (task === null || (await log.archivePosition(workspace, 'tasks', task.id)) !== seq)
          continue
        const history = task.history.map((step) => showStep(step.value))
        yield { ...showArchived(task), history, archived: true }
      }
    },
    broadcasts: async function* () {
      for await (const { value } of archive('broadcasts')) {
        const { entry } = readArchived(value)
        if (entry !== null) yield broadcastMessage(entry)
      }
      for (const entry of liveBroadcasts(doc, now)) yield broadcastMessage(entry)
    },
  }
}

const archived = async function* (log: LevelUpdateLog, workspace: string, shelf: Shelf) {
  let after = 0
  for (;;) {
    const page = await log.archived(workspace, shelf, after, PAGE, PAGE_BYTES)
    yield* page
    const last = page.at(-1)
    if (last === undefined) return
    after = last.seq
  }
}
