import type { TaskState } from '../../workspace/document/schema.ts'
import { DelegateForm } from '../parts/forms.tsx'
import { Empty, TaskCard } from '../parts/parts.tsx'
import type { Team } from '../state/team.ts'

const COLUMNS: readonly (readonly [title: string, states: readonly TaskState[]])[] = [
  ['Waiting', ['submitted']],
  ['Working', ['working']],
  ['Needs input', ['input-required']],
  ['Ended', ['completed', 'failed', 'canceled', 'rejected']],
]
/** Ended tasks that are shown (count). */
const ENDED = 50

/** The tasks, by their state. */
export const Board = ({ team }: { team: Team }) => {
  const { tasks, me } = team.snapshot.value
  const newest = [...tasks].sort((a, b) => (a.updated_at > b.updated_at ? -1 : 1))
  return (
    <>
      {me !== null && <DelegateForm team={team} />}
      <div class="board">
        {COLUMNS.map(([title, states]) => {
          const found = newest.filter(({ status }) => states.includes(status))
          const shown = title === 'Ended' ? found.slice(0, ENDED) : found
          return (
            <section key={title} aria-labelledby={`column-${title}`}>
              <h2 id={`column-${title}`}>
                {title} <small>{found.length}</small>
              </h2>
              {shown.length === 0 && <Empty>None.</Empty>}
              {shown.map((task) => (
                <TaskCard key={task.task_id} team={team} task={task} />
              ))}
              {shown.length < found.length && (
                <Empty>{found.length - shown.length} more: clawlink-agent tasks</Empty>
              )}
            </section>
          )
        })}
      </div>
    </>
  )
}
