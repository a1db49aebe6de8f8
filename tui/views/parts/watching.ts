import type { Snapshot } from '../../model/snapshot.ts'

type Person = Pick<Snapshot, 'me' | 'role' | 'contact'>

/** Commands that change something for others. */
const OF_MEMBERS: ReadonlySet<string> = new Set([
  ...['delegate', 'broadcast', 'send', 'reply', 'read', 'status', 'pause', 'resume'],
  ...['claim', 'respond', 'answer', 'note', 'approve', 'decline', 'cancel', 'release'],
  ...['new', 'rename', 'remove', 'undo', 'restore', 'restore-one', 'checkpoint'],
  ...['accept', 'accept-all', 'reject', 'reject-all'],
])

/** The reason why this person can only watch; null: they take part, as far as that is known here. */
export const whyWatching = ({ me, role, contact }: Person): string | null => {
  if (contact.code === 'revoked') return 'your access was revoked; for a new join link: clawlink -'
  if (role === 'read') return 'your link only reads; ask for one with the role write'
  return me === null ? 'you only watch; J says who you are, to take part' : null
}

/** The reason why this person cannot give a command; null: they can, as far as that is known here. */
export const whyNot = (person: Person, name: string): string | null =>
  OF_MEMBERS.has(name) ? whyWatching(person) : null
