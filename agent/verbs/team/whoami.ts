import type { Verb } from '../../command/call.ts'
import { nameAt } from '../../command/profile.ts'
import { idText, oneLine, word } from '../../command/text.ts'

/** Prints the facts that this machine knows, without a request to the server. */
export const whoami: Verb = async (call) => {
  const agent_id = call.me()
  const { base: server } = call.target
  const { workspace } = call
  const place = { server: call.access.server, workspace }
  const name = nameAt(call.profile.state, place) ?? agent_id
  return {
    data: { agent_id, name, profile: call.profile.name, server, workspace },
    lines: [
      oneLine(
        `${idText(agent_id)}  ${word(name)}  profile ${call.profile.name}  ${workspace} of ${server}`,
      ),
    ],
  }
}
