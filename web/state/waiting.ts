import { type TaskWait, waitOf } from '../../workspace/tasks/task-offers.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import type { Team } from './team.ts'

/** Tasks that wait for this person, by the reason. */
export const waiting = (team: Team): Map<TaskWait, Task[]> => {
  const { tasks, me, capabilities } = team.snapshot.value
  const found = new Map<TaskWait, Task[]>()
  for (const task of tasks) {
    const wait = waitOf(task, me, capabilities)
    if (wait !== null) found.set(wait, [...(found.get(wait) ?? []), task])
  }
  return found
}
