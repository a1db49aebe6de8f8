import { ClawError } from '../../workspace/errors.ts'
import type { Room } from '../room.ts'

/** Throws `quota` where nothing more may come into the room's document: what makes room or ends something still may. */
export const checkRoom = ({ isFull, name }: Pick<Room, 'isFull' | 'name'>): void => {
  if (!isFull) return
  throw new ClawError('quota', `the document of workspace "${name}" is full`, FULL_HINT)
}

const FULL_HINT =
  'make files shorter, or end tasks; who runs the server can raise it: clawlink-sync --limit document=BYTES'
