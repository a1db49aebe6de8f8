import { ClawError } from './errors.ts'

/** An agent's id and what it is called, as far as that is known. */
export interface Named {
  id: string
  name: string
}

/** Faces use these words for the server and for its owner. */
const RESERVED: ReadonlySet<string> = new Set(['server', 'owner', 'the owner'])

/** U+2800 is a blank that Unicode counts as a symbol. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2800]/gu

/** Names that a reader takes for the same have the same key: case, width and characters that show nothing do not count. */
export const nameKey = (name: string): string =>
  PLAIN.test(name) ? name.toLowerCase() : wholeKey(name)

/** Most names: of these nothing but the case has to be looked at. */
const PLAIN = /^[\x21-\x7e]*$/

const wholeKey = (name: string): string =>
  name.normalize('NFKC').replace(INVISIBLE, '').replace(/\s+/g, ' ').trim().toLowerCase()

export const isReserved = (name: string): boolean => RESERVED.has(nameKey(name))

/**
 * Ids and names are one name space: a message to a name must not reach an agent that took that name as its id. Throws
 * `name_taken` where the agent `id` cannot be called `name`.
 */
export const checkFreeName = (id: string, name: string, others: Iterable<Named>): void => {
  const key = nameKey(name)
  if (RESERVED.has(key)) {
    throw new ClawError('name_taken', `"${name}" is reserved for the server`, 'take another name')
  }
  if (key === nameKey(id)) return
  for (const other of others) {
    if (other.id === id || nameKey(other.id) !== key) continue
    throw new ClawError(
      'name_taken',
      `"${name}" is the id of another agent`,
      'take another name: ids and names are one name space',
    )
  }
}

/** Throws `name_taken` where a new agent cannot have this id: another one is called that. */
export const checkFreeId = (id: string, others: Iterable<Named>): void => {
  const key = nameKey(id)
  for (const other of others) {
    if (other.id === id || nameKey(other.name) !== key) continue
    throw new ClawError(
      'name_taken',
      `"${id}" is the name of another agent`,
      'take another agent_id, or leave it out to get one',
    )
  }
}
