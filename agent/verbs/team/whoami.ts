import type { Verb } from '../../command/call.ts'
import { idText, oneLine, word } from '../../command/text.ts'

/** Prints the facts that this machine knows, without a request to the server. */
export const whoami: Verb = async (call) => {
  const agent_id = call.me()
  const { name = agent_id } = call.profile.state
  const { base: server } = call.target
  const { workspace } = call
  return {
    data: { agent_id, name, profile: call.profile.name, server, workspace },
    lines: [
      oneLine(
        `${idText(agent_id)}  ${word(name)}  profile ${call.profile.name}  ${workspace} of ${server}`,
      ),
    ],
  }
}
