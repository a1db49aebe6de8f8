import { getAgent, resolveAgent, setPaused } from '../../../workspace/agents/agents.ts'
import type { Verb } from '../../command/call.ts'
import { who } from '../../command/text.ts'
import { mergingWrite } from '../../command/workspace-session.ts'

export const resume: Verb = async (call) => {
  const facts = { name: call.flag('name')! }
  return mergingWrite(call, facts, (team) => {
    const { doc } = team
    const id = resolveAgent(doc, facts.name, team.known)
    setPaused(doc, id, null)
    return {
      data: { agent: getAgent(doc, id, team.here) },
      lines: [`resumed ${who(doc, id)}`],
    }
  })
}
