import { getAgent, resolveAgent, setPaused } from '../../../workspace/agents/agents.ts'
import type { Verb } from '../../command/call.ts'
import { who } from '../../command/text.ts'
import { mergingWrite } from '../../command/workspace-session.ts'

export const pause: Verb = async (call) => {
  const facts = { name: call.flag('name')!, note: call.text('note') ?? '' }
  return mergingWrite(call, facts, (team) => {
    const { doc } = team
    const id = resolveAgent(doc, facts.name, team.known)
    setPaused(doc, id, { by: team.me(), now: team.now(), note: facts.note })
    return {
      data: { agent: getAgent(doc, id, team.here) },
      lines: [`paused ${who(doc, id)}; its prime and poll say so`],
    }
  })
}
