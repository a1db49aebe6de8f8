import { listAgents } from '../../workspace/agents.ts'
import type { Verb } from '../call.ts'
import { Team } from '../team.ts'
import { oneLine } from '../text.ts'

export const discover: Verb = async (call) => {
  const team = await Team.open(call, false)
  const agents = listAgents(team.doc, team.here)
  const lines = agents.map(
    ({ agent_id, name, status, machine, capabilities, activity, last_heartbeat }) => {
      const away = status === 'stale' || status === 'offline' ? `last seen ${last_heartbeat}` : null
      const doing = [activity?.note, activity?.task].filter((part) => part !== undefined).join(' ')
      const extra = [away, doing].filter((part) => part)
      return oneLine([agent_id, name, status, machine, capabilities.join(','), ...extra].join('  '))
    },
  )
  const notes = agents.length === 0 ? ['nobody is registered here yet'] : []
  return { data: { agents, count: agents.length }, lines, notes }
}
