import type { ErrorBody } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import type { Role } from '../../protocol/roles.ts'
import type { FileCursor, Presence } from '../../workspace/agents/presence.ts'
import type { Message } from '../../workspace/messages/message.ts'

/**
 * The protocol of attaching a program to a link. The program asks as a command does, with `attach`;
 * the link answers with one JSON line, `Welcome`; then both sides send frames: length (4 bytes,
 * big-endian), kind (1 byte), payload. It stays on this machine, between one user's processes of
 * the same version.
 */
export const KIND_UPDATE = 0
export const KIND_JSON = 1

const HEAD_BYTES = 5
/** A whole document in one frame; more than any has. Beyond it the line is broken. */
const MAX_FRAME_BYTES = 256 * 1024 * 1024

/** The state that the attaching side has from an earlier link. */
export interface Joining {
  /** Holds a client id for as long as it lives: of a link that ended nobody else is told who was attached. */
  pid: number
  /** Yjs client id that it has written under; null: it wants one. */
  clientId: number | null
  /** Its state vector in base64; null: it has no document yet. */
  vector: string | null
}

/** The state of a link and its server; `why` is one line for people. */
export interface ContactState {
  connected: boolean
  /** Milliseconds since the epoch. */
  since: number
  why: string | null
  /** The error code of `why`; absent: it has none. */
  code?: string
}

/** The link's state and profile; a missing field is unchanged. */
export interface LinkState {
  me?: AgentId | null
  /** The role of the credential of the profile; null: the server has not told it yet. */
  role?: Role | null
  name?: string
  contact?: ContactState
  presences?: Presence[]
  /** Messages of the inbox that came, and the keys of those that were acknowledged. */
  unread?: { added: Unread[]; gone: string[] }
  /** Updates of this program (count, of this connection) that are on the server's disk. */
  stored?: number
  /** The link was told to stop, and wants no other one in its place. */
  down?: true
}

/** An unacknowledged message, under its key in the inbox. */
export interface Unread {
  key: string
  message: Message
}

/** The link's answer; an update with what the other side lacks follows. */
export interface Welcome {
  profile: string
  server: string
  workspace: string
  clientId: number
  /** The link's state vector in base64: the program sends what the link lacks. */
  vector: string
  state: LinkState
}

/** `next`: this link leaves to another one. */
export type Answer = { attached: Welcome } | { refused: ErrorBody } | { next: true }

/** A person's activity, shown to others; null or left out for none. */
export interface Shown {
  cursor?: FileCursor | null
  activity?: { note?: string; task?: string }
}

/** A message of the attached side. */
export interface AttachedSays {
  show?: Shown
  /** Yjs took this client id: it met operations under the old one that are not the attached side's. */
  clientId?: number
  /** The last message: the link stores the ones before it, and closes. */
  bye?: true
}

export const writeFrame = (kind: number, payload: Uint8Array): Uint8Array => {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
  frame.writeUInt32BE(payload.length, 0)
  frame.writeUInt8(kind, 4)
  frame.set(payload, HEAD_BYTES)
  return frame
}

export const writeJson = (said: LinkState | AttachedSays): Uint8Array =>
  writeFrame(KIND_JSON, Buffer.from(JSON.stringify(said)))

export const toBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
export const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64')

/** Calls `onFrame` with each frame of what `read` is given. `read` throws where these cannot be frames. */
export const frameReader = (onFrame: (kind: number, payload: Uint8Array) => void) => {
  let parts: Buffer[] = []
  let held = 0
  let wanted = HEAD_BYTES
  return (chunk: Buffer): void => {
    parts.push(chunk)
    held += chunk.length
    if (held < wanted) return
    let rest = parts.length === 1 ? chunk : Buffer.concat(parts)
    for (;;) {
      const length = rest.length < HEAD_BYTES ? 0 : rest.readUInt32BE(0)
      if (length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`)
      wanted = HEAD_BYTES + length
      if (rest.length < wanted) break
      onFrame(rest.readUInt8(4), rest.subarray(HEAD_BYTES, wanted))
      rest = rest.subarray(wanted)
    }
    parts = [rest]
    held = rest.length
  }
}
