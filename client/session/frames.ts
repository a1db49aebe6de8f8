import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { BARRIER, SYNC, SYNC_STEP_2, SYNC_UPDATE } from '../../protocol/frames.ts'

/** A SyncStep2 with an empty update. */
const NOTHING_TO_SEND = Uint8Array.of(SYNC, SYNC_STEP_2, 2, 0, 0)

export const isSyncStep2 = (frame: Uint8Array): boolean =>
  frame[0] === SYNC && frame[1] === SYNC_STEP_2

/**
 * A frame as a reader may send it: without operations. `frame` is null if nothing is left; `unsent` says whether it had
 * operations, and is null for frames that cannot have any.
 */
export const withoutOperations = (
  frame: Uint8Array,
): { frame: Uint8Array | null; unsent: boolean | null } => {
  if (frame[0] === SYNC && frame[1] === SYNC_UPDATE) return { frame: null, unsent: true }
  if (!isSyncStep2(frame)) return { frame, unsent: null }
  const decoder = decoding.createDecoder(frame)
  decoder.pos = 2
  const { structs } = Y.decodeUpdate(decoding.readVarUint8Array(decoder))
  return { frame: NOTHING_TO_SEND, unsent: structs.length > 0 }
}

export const barrierFrame = (nonce: number): Uint8Array => {
  const encoder = encoding.createEncoder()
  encoding.writeVarUint(encoder, BARRIER)
  encoding.writeVarUint(encoder, nonce)
  return encoding.toUint8Array(encoder)
}
