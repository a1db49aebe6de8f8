import { getAgent } from '../../../workspace/agents/agents.ts'
import type { Verb } from '../../command/call.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

export const heartbeat: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, false)
  const me = team.me()
  await team.confirm()
  const agent = getAgent(team.doc, me, team.here)
  return { data: { agent }, lines: [`${me} is ${agent.status}`] }
}
