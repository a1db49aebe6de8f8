import type { AgentId } from '../../protocol/ids.ts'
import { concerns, isArchivedTask, readArchivedTask } from '../../workspace/tasks/task-archive.ts'
import { PAGE_BYTES } from '../config/limits.ts'
import type { UpdateLog } from '../storage/update-log.ts'

/** Those of a page of archived tasks that concern somebody. */
export const archivePage = async (
  log: UpdateLog,
  workspace: string,
  after: number,
  me: AgentId,
  limit = 500,
) => {
  const found = await log.archived(workspace, 'tasks', after, limit, PAGE_BYTES)
  const entries = found.flatMap(({ seq, value }) => {
    const task = readArchivedTask(value)
    return task !== null && isArchivedTask(task) && concerns(task, me) ? [{ seq, task }] : []
  })
  return { entries, next: found.at(-1)?.seq ?? after }
}
