import { listAgents } from '../../workspace/agents.ts'
import type { Verb } from '../call.ts'
import { Team } from '../team.ts'
import { oneLine } from '../text.ts'

export const discover: Verb = async (call) => {
  const team = await Team.open(call, false)
  await team.confirm()
  const agents = listAgents(team.doc, team.here)
  const lines = agents.map(({ agent_id, name, status, machine, capabilities }) =>
    oneLine([agent_id, name, status, machine, capabilities.join(',')].join('  ')),
  )
  const notes = agents.length === 0 ? ['nobody is registered here yet'] : []
  return { data: { agents, count: agents.length }, lines, notes }
}
