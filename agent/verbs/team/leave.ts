import { setLinkState } from '../../../workspace/agents/presence.ts'
import type { Verb } from '../../command/call.ts'
import { oneLine } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** Tells the team that this agent goes, until its next command. */
export const leave: Verb = async (call) => {
  const me = call.me()
  const lines = [oneLine(`${me} has left`)]
  const { link } = call.host
  if (link !== null) {
    await link.leave(call.profile.dir)
    return { data: { agent_id: me }, lines }
  }
  const team = await WorkspaceSession.open(call, true)
  setLinkState(team.doc, team.me(), 'down')
  return { data: { agent_id: me, ...(await team.settle()) }, lines }
}
