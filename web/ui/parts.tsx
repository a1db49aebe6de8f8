import type { ComponentChildren } from 'preact'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { colourOf } from '../state/colour.ts'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

export const Who = ({ team, id }: { team: Team; id: string }) => (
  <span class={`who ${colourOf(id)}`} title={id}>
    <bdi>{team.nameOf(id)}</bdi>
  </span>
)

/** A moment in the words of this browser's language. */
export const Ago = ({ at, now }: { at: number; now: number }) => {
  const seconds = Math.round((at - now) / 1_000)
  const [amount, unit] =
    Math.abs(seconds) < 60
      ? ([seconds, 'second'] as const)
      : Math.abs(seconds) < 3_600
        ? ([Math.round(seconds / 60), 'minute'] as const)
        : Math.abs(seconds) < 86_400
          ? ([Math.round(seconds / 3_600), 'hour'] as const)
          : ([Math.round(seconds / 86_400), 'day'] as const)
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {WORDS.format(amount, unit)}
    </time>
  )
}
const WORDS = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' })

export const TaskCard = ({ team, task }: { team: Team; task: Task }) => (
  <article class={`card state-${task.status}`}>
    <a href={linkTo('task', task.task_id)}>
      <bdi>{task.task}</bdi>
    </a>
    <footer>
      {task.priority !== 'normal' && <b class={`priority ${task.priority}`}>{task.priority}</b>}
      <span>{task.status}</span>
      {task.percent !== undefined && <progress max="100" value={task.percent} aria-label="done" />}
      {(task.owner ?? task.to_agent) !== null && (
        <Who team={team} id={(task.owner ?? task.to_agent)!} />
      )}
    </footer>
  </article>
)

export const Empty = ({ children }: { children: ComponentChildren }) => (
  <p class="empty">{children}</p>
)
