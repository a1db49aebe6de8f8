import { existsSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Joining } from '../../client/resident/attach-wire.ts'
import { mayDoLater } from '../../client/session/outbox.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { Call } from '../command/call.ts'
import { presenceOf, readState } from '../command/profile.ts'
import { type Attachment, sendAnswer } from './attach.ts'
import type { OpenWorkspace } from './open-workspace.ts'
import type { WorkspacePool } from './workspace-pool.ts'

/** The request of a program that attaches, and the callback when it has left. */
export interface Attaching {
  socket: Socket
  joining: Joining
  /** Reads the command line of the program. Throws `usage`. */
  read: () => Call
  onDetached: (open: OpenWorkspace) => void
}

/**
 * Attaches a program to the workspace of its command line; the workspace stays open to commands. Never rejects: an error
 * goes to the program, and ends the connection.
 */
export const attachProgram = async (pool: WorkspacePool, attaching: Attaching): Promise<void> => {
  const { socket, joining, read, onDetached } = attaching
  let attachment: Attachment | null = null
  try {
    const call = read()
    const { profile } = call
    // A rejected program learns it now. If the server is away, the credential is checked later.
    await call.access.ready().catch((error) => {
      if (!mayDoLater(error) || !existsSync(call.at.dir)) throw error
    })
    const open = await pool.acquire(call.at, profile.dir)
    // Another command closed it meanwhile.
    if (!pool.has(open)) return attachProgram(pool, attaching)
    pool.follow(profile, open)
    open.handle.connect(presenceOf(profile.state)).wake()
    const who = { profile: profile.name, name: () => readState(profile.dir).name ?? '' }
    attachment = open.attach(socket, who, joining.pid, {
      contact: () => pool.follow({ ...profile, state: readState(profile.dir) }, open),
      closed: () => onDetached(open),
    })
    await attachment.begin(joining)
  } catch (thrown) {
    sendAnswer(socket, { refused: ClawError.from(thrown).toBody() })
    socket.end()
    attachment?.close()
  }
}
