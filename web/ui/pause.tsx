import type { Agent } from '../../workspace/agents/agents.ts'
import { Said, Who } from '../parts/parts.tsx'
import type { Team } from '../state/team.ts'

/** Says that an agent is paused, and asks it to take up no work, or to go on. */
export const Pause = ({ team, agent }: { team: Team; agent: Agent }) => {
  const { me, role } = team.snapshot.value
  const { paused, agent_id, name } = agent
  const mayAct = me !== null && me !== agent_id && (role === 'write' || role === 'admin')
  const rest = (action: 'pause' | 'resume') => `agents/${encodeURIComponent(agent_id)}/${action}`
  return (
    <>
      {paused !== undefined && (
        <p>
          Paused by <Who team={team} id={paused.by} />
          {paused.note !== '' && (
            <>
              : <Said text={paused.note} />
            </>
          )}
        </p>
      )}
      {mayAct && agent.kind !== 'person' && (
        <button
          type="button"
          class="quiet"
          aria-label={`${paused === undefined ? 'Pause' : 'Resume'} ${name}`}
          onClick={() =>
            paused === undefined
              ? void team.act(rest('pause'), {}, `${name} is asked to take up no work.`)
              : void team.act(rest('resume'), {}, `${name} goes on.`)
          }
        >
          {paused === undefined ? 'Pause' : 'Resume'}
        </button>
      )}
    </>
  )
}
