import { ClawError } from '../../../protocol/errors.ts'
import type { Verb } from '../../command/call.ts'

/** Hooks run beside the link, as they look at the host's process; a link that is asked for one cannot. */
export const hook: Verb = async () => {
  throw new ClawError('usage', 'a hook runs in a process of its own', 'run: clawlink-agent hook')
}
