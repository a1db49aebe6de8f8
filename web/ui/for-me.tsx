import type { TaskWait } from '../../workspace/tasks/task-offers.ts'
import type { Team } from '../state/team.ts'
import { waiting } from '../state/waiting.ts'
import { Empty, TaskCard } from './parts.tsx'

const TITLES: Readonly<Record<TaskWait, string>> = {
  answer: 'Waits for your answer',
  approval: 'Waits for your approval',
  claim: 'Given to you',
  open: 'Open to anyone',
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
