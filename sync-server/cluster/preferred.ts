import { createHash } from 'node:crypto'

/** Bytes of a hash that decide. */
const DECIDING_BYTES = 6

/**
 * The node of `ids` that should own a workspace, by rendezvous hashing (Thaler and Ravishankar, 1998): all nodes choose the
 * same one, each gets an equal part, and one that leaves moves its own part only. null: there are none.
 */
export const preferredOf = (workspace: string, ids: Iterable<string>): string | null => {
  let preferred: string | null = null
  let most = -1
  for (const id of ids) {
    const hash = createHash('sha256').update(`${workspace}/${id}`).digest()
    const weight = hash.readUIntBE(0, DECIDING_BYTES)
    if (weight <= most) continue
    preferred = id
    most = weight
  }
  return preferred
}
