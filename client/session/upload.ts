import { withoutOperations } from './frames.ts'

/** The operations of a replica that a session has sent, or not. */
export class Upload {
  /** The credential of the last connection only reads: no operations are sent. */
  readsOnly = false
  /** True if the replica has operations that were not sent; null before the first connection. */
  hasUnsent: boolean | null = null
  /** True once the server's SyncStep1 was answered on the present socket. */
  isDone = false

  /** The part of a frame that may be sent; null for nothing. */
  filter(whole: Uint8Array): Uint8Array | null {
    if (!this.readsOnly) return whole
    const { frame, unsent } = withoutOperations(whole)
    if (unsent !== null) this.hasUnsent = unsent
    return frame
  }
}
