import { ClawError } from '../../protocol/errors.ts'
import type { Room } from './room.ts'

/**
 * Throws `quota` if the room's document is full; changes that free space or end something are still
 * accepted.
 */
export const checkRoom = ({ isFull, name }: Pick<Room, 'isFull' | 'name'>): void => {
  if (!isFull) return
  throw new ClawError('quota', `the document of workspace "${name}" is full`, FULL_HINT)
}

/** Throws `quota` if an agent's messages and tasks would exceed its share of the document. */
export const checkShare = (room: Pick<Room, 'takeShare'>, agent: string, bytes: number): void => {
  if (room.takeShare(agent, bytes)) return
  throw new ClawError(
    'quota',
    `the messages and tasks of ${agent} have their share of the document`,
    'end or cancel tasks; older messages are archived by and by',
  )
}

const FULL_HINT =
  'make files shorter, or end tasks; who runs the server can raise it: clawlink-sync --limit document=BYTES'
