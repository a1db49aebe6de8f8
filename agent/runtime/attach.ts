import type { Socket } from 'node:net'
import * as Y from 'yjs'
import {
  type Answer,
  type AttachedSays,
  type ContactState,
  frameReader,
  fromBase64,
  type Joining,
  KIND_UPDATE,
  type LinkState,
  toBase64,
  type Unread,
  writeFrame,
  writeJson,
} from '../../client/resident/attach-wire.ts'
import type { Contact } from '../../client/session/contact.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { WorkspaceHandle } from '../session/workspace-handle.ts'
import type { AttachIds } from './attach-ids.ts'

/** Time between two state frames, in milliseconds; a screen needs no more. */
const STATE_MS = 50
/**
 * Updates within this time, in milliseconds, become one change and one fsync; a person does not
 * notice the delay.
 */
const APPLY_MS = 25
/** After an update the server is asked this long later (milliseconds) whether it is stored, and for at most so long. */
const SETTLE_MS = 150
const SETTLE_TIMEOUT_MS = 10_000
/**
 * Bytes buffered for a program that does not read, for instance while suspended; beyond this it is
 * disconnected and attaches again later.
 */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024

/** The profile of an attachment. */
export interface Who {
  profile: string
  name: () => string
}

export interface AttachmentEvents {
  /** The connection with the server, and so the document, may be another. */
  contact: () => void
  closed: () => void
}

/**
 * The link's end of a connection to an attached program. Applies and commits the program's updates,
 * which then go to the server; forwards the updates of others to the program.
 */
export class Attachment {
  #clientId: number | null = null
  readonly #socket: Socket
  readonly #handle: WorkspaceHandle
  readonly #ids: AttachIds
  readonly #who: Who
  readonly #pid: number
  readonly #events: AttachmentEvents
  readonly #enders: (() => void)[] = []
  #maxBuffered = MAX_BUFFERED_BYTES
  #incoming: Uint8Array[] = []
  #applyTimer: NodeJS.Timeout | undefined
  #appliedAt = 0
  #stateTimer: NodeJS.Timeout | undefined
  #sentState: LinkState = {}
  readonly #unread = new Map<string, Message>()
  #isInboxRead = false
  #isSendingState = false
  #isClosed = false
  #isOver = false
  /** Updates of the program (count): those that came, and those that are on the server's disk. */
  #received = 0
  #stored = 0
  #settleTimer: NodeJS.Timeout | undefined
  #isSettling = false

  constructor(
    socket: Socket,
    handle: WorkspaceHandle,
    ids: AttachIds,
    who: Who,
    pid: number,
    events: AttachmentEvents,
  ) {
    this.#socket = socket
    this.#handle = handle
    this.#ids = ids
    this.#who = who
    this.#pid = pid
    this.#events = events
  }

  /**
   * Sends the program the updates that it lacks. Throws `busy` if another program has its client
   * id.
   */
  async begin({ clientId: wanted, vector }: Joining): Promise<void> {
    const clientId = await this.#ids.lease(wanted, this.#pid)
    if (clientId === null) {
      throw new ClawError(
        'busy',
        `another program writes under the Yjs client id ${wanted}`,
        'quit and start again',
      )
    }
    if (vector !== null && this.#handle.replica.knowsTaken(fromBase64(vector))) {
      this.#ids.release(clientId, false)
      throw new ClawError(
        'busy',
        'the replica had to take a new Yjs client id, and what this program has is of before that',
        'quit and start again',
      )
    }
    this.#clientId = clientId
    if (this.#isClosed) return this.#ids.release(clientId, false)
    const { doc } = this.#handle.replica
    const state = (await this.#changes()) ?? {}
    if (this.#isClosed) return
    // No await from here on: an update between the snapshot and the first forwarded one would be
    // lost.
    const { target, workspace } = this.#handle.at
    const attached = {
      profile: this.#who.profile,
      server: target.base,
      workspace,
      clientId,
      vector: toBase64(Y.encodeStateVector(doc)),
      state,
    }
    sendAnswer(this.#socket, { attached })
    const lacking = Y.encodeStateAsUpdate(doc, vector === null ? undefined : fromBase64(vector))
    this.#maxBuffered += lacking.length
    this.#send(writeFrame(KIND_UPDATE, lacking))
    this.#listen()
    this.changed() // changes during the await above
  }

  #listen(): void {
    const { replica, session } = this.#handle
    const { doc } = replica
    const forward = (update: Uint8Array, origin: unknown): void => {
      if (origin !== this) this.#send(writeFrame(KIND_UPDATE, update))
    }
    const sendState = () => this.#sendStateSoon()
    doc.on('update', forward)
    this.#enders.push(
      () => doc.off('update', forward),
      session?.onPresence(sendState) ?? (() => {}),
      session?.onContact(() => {
        this.#events.contact()
        sendState()
        if (session?.contact.connected) this.#settleSoon()
      }) ?? (() => {}),
      replica.onMessages(() => this.changed()),
    )
    const read = frameReader((kind, payload) => this.#read(kind, payload))
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        read(chunk)
      } catch (error) {
        console.error(`${this.#handle.at.dir}: attached, but says ${(error as Error).message}`)
        this.#socket.destroy()
      }
    })
    this.#socket.on('close', () => this.close())
    if (this.#socket.destroyed) this.close()
    else this.#handle.showAttached(this, {})
  }

  #read(kind: number, payload: Uint8Array): void {
    if (kind === KIND_UPDATE) {
      this.#incoming.push(payload)
      this.#received++
      const wait = this.#appliedAt + APPLY_MS - performance.now()
      if (wait <= 0) this.#apply()
      else this.#applyTimer ??= setTimeout(() => this.#apply(), wait)
      return
    }
    const said = JSON.parse(Buffer.from(payload).toString()) as AttachedSays
    if (said.show !== undefined) this.#handle.showAttached(this, said.show)
    if (said.bye) this.#onBye()
    if (said.clientId !== undefined) {
      // The old id must not be used again: other replicas have operations under it that this one
      // lacked.
      if (this.#clientId !== null) this.#ids.release(this.#clientId, false)
      this.#clientId = said.clientId
      this.#ids.hold(said.clientId, this.#pid).catch(this.#failed)
    }
  }

  /**
   * Applies the received updates as one change. The session sends it to the server after the
   * commit.
   */
  #apply(): void {
    clearTimeout(this.#applyTimer)
    this.#applyTimer = undefined
    const { replica } = this.#handle
    if (this.#incoming.length === 0 || replica.isClosed) return
    const updates = this.#incoming.splice(0)
    this.#appliedAt = performance.now()
    replica.doc.transact(() => {
      for (const update of updates) Y.applyUpdate(replica.doc, update, this)
    }, this)
    replica.commit().then(() => this.#settleSoon(), this.#failed)
  }

  #settleSoon(): void {
    if (this.#stored === this.#received || this.#isSettling || this.#isClosed) return
    this.#settleTimer ??= setTimeout(() => void this.#settle(), SETTLE_MS)
  }

  /** Asks the server whether it has stored all updates so far; without contact it is asked with the next one. */
  async #settle(): Promise<void> {
    this.#settleTimer = undefined
    const upTo = this.#received
    this.#isSettling = true
    try {
      await this.#handle.session?.barrier(SETTLE_TIMEOUT_MS)
      this.#stored = upTo
      this.#sendStateSoon()
    } catch {
      // No contact, or the server rejects writes: the state says so.
      return
    } finally {
      this.#isSettling = false
    }
    this.#settleSoon()
  }

  #onBye(): void {
    this.#apply()
    this.#handle.replica.commit().then(() => {
      this.#isOver = true
      this.close()
    }, this.#failed)
  }

  #failed = (error: Error): void => {
    console.error(`${this.#handle.at.dir}: an attachment's change was not stored: ${error.message}`)
    this.close()
  }

  /**
   * Sends the changed state soon: the inbox changed, or the profile belongs to another agent now.
   */
  changed(): void {
    this.#isInboxRead = false
    this.#sendStateSoon()
  }

  #sendStateSoon(): void {
    if (this.#isClosed) return
    this.#stateTimer ??= setTimeout(() => {
      this.#stateTimer = undefined
      if (this.#isSendingState) return this.#sendStateSoon()
      this.#isSendingState = true
      this.#changes()
        .then((changes) => {
          if (changes !== null) this.#send(writeJson(changes))
        }, this.#failed)
        .finally(() => {
          this.#isSendingState = false
        })
    }, STATE_MS)
  }

  /** The fields that changed since the last state frame; null if none did. */
  async #changes(): Promise<LinkState | null> {
    const { me, session, replica } = this.#handle
    const changes: LinkState = {}
    if (!this.#isInboxRead && !replica.isClosed) {
      this.#isInboxRead = true
      const inbox = me === null ? [] : await replica.inbox(me)
      const unread = this.#moveUnread(inbox)
      if (unread.added.length + unread.gone.length > 0) changes.unread = unread
    }
    const now: LinkState = {
      me,
      role: this.#handle.at.access.role,
      name: this.#who.name(),
      contact: contactOf(session?.contact),
      presences: session?.presences() ?? [],
      stored: this.#stored,
    }
    for (const key of ['me', 'role', 'name', 'contact', 'presences', 'stored'] as const) {
      if (JSON.stringify(now[key]) !== JSON.stringify(this.#sentState[key])) {
        Object.assign(changes, { [key]: now[key] })
      }
    }
    this.#sentState = now
    return Object.keys(changes).length === 0 ? null : changes
  }

  #moveUnread(inbox: readonly Unread[]): { added: Unread[]; gone: string[] } {
    const keys = new Set(inbox.map(({ key }) => key))
    const gone = [...this.#unread.keys()].filter((key) => !keys.has(key))
    const added = inbox.filter(({ key }) => !this.#unread.has(key))
    for (const key of gone) this.#unread.delete(key)
    for (const { key, message } of added) this.#unread.set(key, message)
    return { added, gone }
  }

  #send(frame: Uint8Array): void {
    if (this.#isClosed) return
    this.#socket.write(frame)
    if (this.#socket.writableLength > this.#maxBuffered) this.#socket.destroy()
  }

  /**
   * Applies the received updates and disconnects; `down` tells the program to start no new link.
   */
  close(reason?: 'down' | 'next'): void {
    if (this.#isClosed) return
    if (reason === 'down') this.#send(writeJson({ down: true }))
    this.#isClosed = true
    clearTimeout(this.#stateTimer)
    clearTimeout(this.#settleTimer)
    for (const end of this.#enders.splice(0)) end()
    this.#apply()
    this.#socket.end()
    if (this.#clientId !== null) this.#ids.release(this.#clientId, this.#isOver)
    this.#handle.showAttached(this, null)
    this.#events.closed()
  }
}

const contactOf = (contact: Readonly<Contact> | undefined): ContactState => ({
  // To a writer, a server that rejects writes counts as disconnected.
  connected: contact?.connected === true && contact.why === null,
  since: contact?.since ?? 0,
  why: contact?.why?.message ?? null,
  ...(contact?.why != null && { code: contact.why.code }),
})

export const sendAnswer = (socket: Socket, answer: Answer): void => {
  socket.write(`${JSON.stringify(answer)}\n`)
}
