import { type BroadcastId, newBroadcastId, type RandomBytes } from './ids.ts'

/** Fills `bytes` from the machine's secure random source. */
export const random: RandomBytes = (bytes) => {
  crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>)
  return bytes
}

/** An id for a new message. */
export const newMessageId = (): BroadcastId => newBroadcastId(random)
