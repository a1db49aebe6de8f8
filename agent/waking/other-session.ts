import type { Call } from '../command/call.ts'
import { sessionId } from './host-session.ts'
import { leaseOf, mayWork } from './lease.ts'
import { otherSessionNote } from './sentences.ts'

/** A note for stderr if another session of a host works as this profile; none in a shell without a host. */
export const otherSession = ({ profile, request }: Call): string[] => {
  const name = sessionId(request.env.CLAWLINK_SESSION) ?? undefined
  if (name === undefined) return []
  const lease = leaseOf(profile.dir)
  return lease === null || mayWork(lease, name) ? [] : [otherSessionNote(lease, profile.name)]
}
