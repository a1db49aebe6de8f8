import { lazy } from '../parts/lazy.tsx'
import { Ago, Empty, Said, Who } from '../parts/parts.tsx'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

const Pause = lazy(async () => (await import('./pages.tsx')).Pause, null)
const ORDER = ['online', 'idle', 'stale', 'offline']

/** The agents and people, and their work. */
export const Now = ({ team }: { team: Team }) => {
  const { agents, now, taskById } = team.snapshot.value
  const sorted = [...agents].sort(
    (a, b) => ORDER.indexOf(a.agent.status) - ORDER.indexOf(b.agent.status),
  )
  if (sorted.length === 0)
    return <Empty>Nobody has joined yet. Invite an agent, or join yourself.</Empty>
  return (
    <ul class="agents">
      {sorted.map(({ agent, task, file }) => (
        <li key={agent.agent_id} class="agent">
          <h2>
            <Who team={team} id={agent.agent_id} />
            <small class={`status ${agent.status}`}>{agent.status}</small>
          </h2>
          <p class="doing">
            <Said text={agent.activity?.note ?? agent.description} />
          </p>
          {task !== null && (
            <p>
              Task:{' '}
              <a href={linkTo('task', task)}>
                <Said text={taskById.get(task)?.task ?? task} />
              </a>
            </p>
          )}
          {file !== null && (
            <p>
              In{' '}
              <a href={linkTo('file', file)}>
                <Said text={file} />
              </a>
            </p>
          )}
          <p class="faint">
            {agent.kind === 'person' ? 'person' : agent.capabilities.join(', ')}
            {agent.machine !== '' && ` on ${agent.machine}`} · seen{' '}
            <Ago at={Date.parse(agent.last_heartbeat)} now={now} />
          </p>
          <Pause team={team} agent={agent} />
        </li>
      ))}
    </ul>
  )
}
