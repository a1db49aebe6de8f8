import { getAgent, resolveAgent, setPaused } from '../../workspace/agents.ts'
import type { Verb } from '../call.ts'
import { mergingWrite } from '../team.ts'
import { who } from '../text.ts'

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
