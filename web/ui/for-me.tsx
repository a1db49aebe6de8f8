import { type TaskWait, waitOf } from '../../workspace/tasks/task-offers.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import type { Team } from '../state/team.ts'
import { Empty, TaskCard } from './parts.tsx'

const TITLES: Readonly<Record<TaskWait, string>> = {
  answer: 'Waits for your answer',
  approval: 'Waits for your approval',
  claim: 'Given to you',
  open: 'Open to anyone',
}

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

/** Tasks for this person to answer, approve or claim. */
export const ForMe = ({ team }: { team: Team }) => {
  const found = waiting(team)
  const order = (Object.keys(TITLES) as TaskWait[]).filter((one) => found.has(one))
  if (order.length === 0) return <Empty>Nothing waits for you.</Empty>
  return (
    <>
      {order.map((wait) => (
        <section key={wait} aria-labelledby={`wait-${wait}`}>
          <h2 id={`wait-${wait}`}>{TITLES[wait]}</h2>
          {found.get(wait)!.map((task) => (
            <TaskCard key={task.task_id} team={team} task={task} />
          ))}
        </section>
      ))}
    </>
  )
}
