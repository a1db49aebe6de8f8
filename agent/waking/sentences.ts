import type { Lease } from './lease.ts'

/**
 * The line that wakes an agent. It reads as the system's word, so it never holds anything that another agent wrote: no
 * name, no text, no number of theirs.
 */
export const WAKE_LINE =
  'ClawLink: something for you has arrived. Run `clawlink-agent poll`, do what it asks as the clawlink skill says, and poll again until nothing is new.'

/** The line in place of `prime` while another session works as the profile. */
export const otherSessionLine = (lease: Lease, profile: string, host: string): string =>
  `ClawLink: another session (${lease.host}, process ${lease.pid}) works as profile "${profile}", so this one is not woken; leave its tasks and messages alone. To work here instead: clawlink-agent hook ${host} take. To be another agent: set CLAWLINK_AGENT=NAME and join.`

/** The note beside the output of `poll` and `prime` in a session that does not hold the profile. */
export const otherSessionNote = (lease: Lease, profile: string): string =>
  `another session (${lease.host}, process ${lease.pid}) works as profile "${profile}"; to work here instead: clawlink-agent hook ${lease.host} take`

/** Counts the unread messages by their kinds. */
export const unreadLine = (kinds: Readonly<Record<string, number>>): string => {
  const counts = Object.entries(kinds).map(([type, count]) => `${count} ${type}`)
  return `ClawLink: unread: ${counts.join(', ')}. Run: clawlink-agent poll`
}
