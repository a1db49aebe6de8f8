import type { UiCommand } from '../../model/commands.ts'
import type { Snapshot } from '../../model/snapshot.ts'

type Person = Pick<Snapshot, 'me' | 'role' | 'contact'>

/** The reason why this person can only watch; null: they take part, as far as that is known here. */
export const whyWatching = ({ me, role, contact }: Person): string | null => {
  if (contact.code === 'revoked') return 'your access was revoked; for a new join link: clawlink -'
  if (role === 'read') return 'your link only reads; ask for one with the role write'
  return me === null ? 'you only watch; J says who you are, to take part' : null
}

/** The reason why this person cannot give a command; null: they can, as far as that is known here. */
export const whyNot = (person: Person, { forMembers }: UiCommand): string | null =>
  forMembers ? whyWatching(person) : null
