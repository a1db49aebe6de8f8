import { HEAD_BYTES } from './frames.ts'

/** A position of a workspace's log and the head of its hash chain there (SHA-256, hex), as the server gave it out. */
export interface Witness {
  workspace: string
  seq: number
  head: string
  /** When it came, ISO. */
  at: string
}

const HEAD = new RegExp(`^[0-9a-f]{${2 * HEAD_BYTES}}$`)

/** The witness in a line of JSON; null for another text. */
export const parseWitness = (line: string): Witness | null => {
  try {
    const { workspace, seq, head, at } = JSON.parse(line) as Partial<Witness>
    const isHead = typeof head === 'string' && HEAD.test(head)
    if (typeof workspace !== 'string' || !Number.isSafeInteger(seq) || seq! < 0 || !isHead)
      return null
    return { workspace, seq: seq!, head, at: typeof at === 'string' ? at : '' }
  } catch {
    return null
  }
}
