import { listAgents } from '../../../workspace/agents/agents.ts'
import { linesText } from '../../../workspace/inbox/conflicts.ts'
import type { Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { idText, path, word, words } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

export const discover: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, false)
  const { editing } = team.whoIsIn()
  const agents = listAgents(team.doc, team.here).map((agent) => {
    const place = editing.find(({ agent_id }) => agent_id === agent.agent_id)
    if (place === undefined) return agent
    const { file_key, from_line, to_line } = place
    return { ...agent, editing: { file_key, from_line, to_line } }
  })
  const lines = agents.map(
    ({ agent_id, name, status, machine, capabilities, activity, last_heartbeat, ...more }) => {
      const away = status === 'stale' || status === 'offline' ? `last seen ${last_heartbeat}` : null
      const doing = [activity?.note, activity?.task]
        .filter((part) => part)
        .map((part) => word(part!))
      const place =
        'editing' in more ? `in ${path(more.editing.file_key)}, ${linesText(more.editing)}` : null
      const extra = [away, doing.join(' '), place].filter((part) => part)
      const fields = [idText(agent_id), word(name), status, word(machine), words(capabilities)]
      return [...fields, ...extra].join('  ')
    },
  )
  const notes = agents.length === 0 ? ['nobody is registered here yet'] : []
  const short = shortList(
    lines.map((line) => [line]),
    { limit: call.number('limit'), how: `discover --limit ${lines.length}` },
  )
  return { data: { agents, count: agents.length }, lines: short, notes }
}
