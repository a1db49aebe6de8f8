import type { ComponentChildren } from 'preact'
import { escapeHidden, replaceHidden } from '../../lib/text/visible.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { colourOf } from '../state/colour.ts'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

export const Who = ({ team, id }: { team: Team; id: string }) => (
  <span class={`who ${colourOf(id)}`} title={id}>
    <Said text={team.nameOf(id)} />
  </span>
)

const WORDS = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'narrow' })

/** The time since a moment, or until it, in words. Milliseconds. */
export const agoWords = (at: number, now: number): string => {
  const seconds = Math.round((at - now) / 1_000)
  const size = Math.abs(seconds)
  if (size < 60) return WORDS.format(seconds, 'second')
  if (size < 3_600) return WORDS.format(Math.round(seconds / 60), 'minute')
  if (size < 86_400) return WORDS.format(Math.round(seconds / 3_600), 'hour')
  return WORDS.format(Math.round(seconds / 86_400), 'day')
}

export const Ago = ({ at, now }: { at: number; now: number }) =>
  Number.isNaN(new Date(at).getTime()) ? <>–</> : <Time at={at} now={now} />

const Time = ({ at, now }: { at: number; now: number }) => (
  <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
    {agoWords(at, now)}
  </time>
)

/**
 * Text of others, in its own direction. Characters that show nothing, or turn the text around them, are
 * shown as their codes.
 */
export const Said = ({ text }: { text: string }) => (
  <bdi>
    {replaceHidden(text, (char) => (char === '\n' || char === '\t' ? char : escapeHidden(char)))}
  </bdi>
)

export const TaskCard = ({
  team,
  task,
  children,
}: {
  team: Team
  task: Task
  children?: ComponentChildren
}) => (
  <article class={`card state-${task.status}`}>
    <a href={linkTo('task', task.task_id)}>
      <Said text={task.task} />
    </a>
    <footer>
      {task.priority !== 'normal' && <b class={`priority ${task.priority}`}>{task.priority}</b>}
      <span>{task.status}</span>
      {task.percent !== undefined && <progress max="100" value={task.percent} aria-label="done" />}
      {(task.owner ?? task.to_agent) !== null && (
        <Who team={team} id={(task.owner ?? task.to_agent)!} />
      )}
    </footer>
    {children}
  </article>
)

export const Empty = ({ children }: { children: ComponentChildren }) => (
  <p class="empty">{children}</p>
)
