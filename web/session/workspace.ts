import { IndexeddbPersistence } from 'y-indexeddb'
import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { codeOfClose, isTransient } from '../../client/session/closing.ts'
import { barrierFrame } from '../../client/session/frames.ts'
import { Provider } from '../../client/session/provider.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import type { Role } from '../../protocol/roles.ts'
import { agentName, hasAgent } from '../../workspace/agents/agents.ts'
import { type FileCursor, type Presence, readPresence } from '../../workspace/agents/presence.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { addressOf, call, type Session } from './api.ts'
import { leaseClientId } from './client-ids.ts'
import { Inbox } from './inbox.ts'
import { ticketSocket } from './socket.ts'

/** After own edits the server is asked for their confirmation this much later, once for all of them (milliseconds). */
const CONFIRM_MS = 100

/**
 * `saved`: the server has all on its disk. `sending`: it has not said so yet. `kept`: on this browser's disk, for later.
 * `keeping`: not even that yet.
 */
export type Saving = 'saved' | 'sending' | 'kept' | 'keeping'

interface Contact {
  connected: boolean
  since: number
  why: string | null
  code?: string
}

/** The live workspace of a tab: the document in memory and in the browser's storage, and its connection to the server. */
export class Workspace {
  readonly doc = new Y.Doc()
  readonly awareness = new Awareness(this.doc)
  readonly where: { profile: string; name: string; server: string; workspace: string }
  contact: Contact = { connected: false, since: Date.now(), why: null }
  /** An earlier visit may have left changes: nothing is saved until the server has said so. */
  saving: Saving = 'kept'
  /** The credential has ended: nothing is sent any more. */
  ended: ClawError | null = null
  /** As the server had it at the last connect. */
  role: Role
  readonly #id: AgentId
  readonly #storage: IndexeddbPersistence
  readonly #provider: Provider
  readonly #inbox: Inbox
  readonly #listeners = new Set<() => void>()
  #nonce = 0
  #confirmed = 0
  #keeps = 0
  #isDue: ReturnType<typeof setTimeout> | null = null
  #cursor: FileCursor | null = null
  /** The leased Yjs client id: until the server's operations are here, a fresh one is in use. */
  #lease: number | null = null

  private constructor({ workspace, agent_id, role }: Session, storage: string) {
    this.role = role
    this.#id = agent_id as AgentId
    this.where = { profile: '', name: '', server: location.host, workspace }
    this.#inbox = new Inbox(workspace, () => this.#tell())
    this.#storage = new IndexeddbPersistence(storage, this.doc)
    this.#provider = new Provider(
      addressOf('sync').replace(/^http/, 'ws'),
      workspace,
      this.doc,
      this.awareness,
      ticketSocket(
        workspace,
        (error) => this.#failed(ClawError.from(error)),
        (run) => this.#provider.together(run),
      ),
      {
        retries: (code) => this.ended === null && isTransient(code),
        redials: (dial) => dial(),
        status: (isConnected) => this.#changed(isConnected),
        synced: () => this.#synced(),
        barrier: (nonce) => {
          this.#confirmed = Math.max(this.#confirmed, nonce)
          if (this.#confirmed === this.#nonce && this.#isDue === null) this.#save('saved')
        },
        error: () => {},
        closed: (event) => {
          if (event !== null && codeOfClose(event.code) === 'unauthorized') {
            this.#end(new ClawError('revoked', 'this browser was signed out', 'ask for a new link'))
          }
          if (this.saving === 'sending') this.#keep()
        },
      },
    )
    this.doc.on('update', (_update: Uint8Array, origin: unknown) => {
      if (this.#provider.isOrigin(origin)) this.#mayHaveMail()
      if (origin === this.#storage || this.#provider.isOrigin(origin)) return
      if (this.contact.connected) this.#save('sending')
      else this.#keep()
      this.#confirm()
    })
    this.awareness.on('change', () => this.#tell())
    // Neither the server nor this browser's disk has the newest change yet.
    addEventListener('beforeunload', (event) => {
      if (this.saving === 'keeping') event.preventDefault()
    })
    addEventListener('online', () => this.#provider.dial())
    // A connection through a network that is gone would look alive until its next heartbeat.
    addEventListener('offline', () => this.#provider.hangUp())
  }

  /** Opens it from the browser's storage, then from the server. */
  static async open(session: Session): Promise<Workspace> {
    // Another person of this browser has another copy: what one may not read is not there.
    const name = `clawlink/${location.pathname}/${session.workspace}/${session.agent_id}`
    const id = await leaseClientId(name)
    const workspace = new Workspace(session, name)
    await workspace.#storage.whenSynced
    workspace.#lease = id
    workspace.#provider.dial()
    return workspace
  }

  get me(): AgentId | null {
    return hasAgent(this.doc, this.#id) ? this.#id : null
  }

  /** The id of the credential, registered or not. */
  get id(): AgentId {
    return this.#id
  }

  presences(): Presence[] {
    return [...this.awareness.getStates().values()].flatMap((state) => readPresence(state) ?? [])
  }

  /** Messages to this person that are not acknowledged. */
  unread(): readonly Message[] {
    return this.#inbox.unread
  }

  /** Marks messages as read. Throws the server's error. */
  acknowledge(ids: readonly string[]): Promise<void> {
    return this.#inbox.acknowledge(ids)
  }

  /** Calls `listener` after each change of the connection, of presence, or of what is saved; returns the unsubscriber. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Shows the others where this person is; null: in no file. */
  show(cursor: FileCursor | null): void {
    this.#cursor = cursor
    this.#present()
  }

  /** Forgets this workspace's copy in the browser. */
  async forget(): Promise<void> {
    this.#inbox.close()
    this.#provider.destroy()
    await this.#storage.clearData()
  }

  #present(): void {
    const { me } = this
    if (me === null || this.role === 'read') {
      this.awareness.setLocalState(null)
      return
    }
    this.awareness.setLocalState({
      agent: { id: me, name: agentName(this.doc, me), kind: 'person' },
      activity: { state: 'active' },
      ...(this.#cursor !== null && { cursor: this.#cursor }),
    })
  }

  #synced(): void {
    if (this.#lease !== null) {
      this.awareness.setLocalState(null)
      this.doc.clientID = this.#lease
      // y-websocket sends the presence of the document's client id.
      this.awareness.clientID = this.#lease
      this.#lease = null
    }
    this.contact = { connected: true, since: Date.now(), why: null }
    this.#present()
    this.#confirm()
    this.#mayHaveMail()
    this.#tell()
    void this.#readRole()
  }

  /** An admin may have given this person another role, and the connection is dialed anew then. */
  async #readRole(): Promise<void> {
    try {
      const { role } = await call<Session>(this.where.workspace, 'GET', 'api/session')
      if (role === this.role) return
      this.role = role
      this.#present()
      this.#tell()
    } catch {
      // It is read again with the next connect.
    }
  }

  #mayHaveMail(): void {
    if (this.contact.connected && this.me !== null && this.role !== 'read') this.#inbox.refresh()
  }

  #changed(isConnected: boolean): void {
    if (!isConnected) this.contact = { ...this.contact, connected: false, since: Date.now() }
    this.#tell()
  }

  #failed(error: ClawError): void {
    if (error.code === 'revoked' || error.code === 'unauthorized') this.#end(error)
    this.contact = { ...this.contact, why: error.message, code: error.code }
    this.#tell()
  }

  #end(error: ClawError): void {
    this.ended = error
    this.#provider.disconnect()
    this.#tell()
  }

  #save(saving: Saving): void {
    if (this.saving === saving) return
    this.saving = saving
    this.#tell()
  }

  /** Resolves once all changes so far are on this browser's disk: a later transaction waits for theirs. */
  #kept(): Promise<void> {
    const { db } = this.#storage
    if (db === null) return Promise.reject(new Error('this browser keeps nothing'))
    return new Promise((resolve, reject) => {
      const after = db.transaction(['updates'], 'readwrite')
      after.objectStore('updates').count()
      after.oncomplete = () => resolve()
      after.onabort = () => reject(after.error ?? new Error('this browser keeps nothing'))
    })
  }

  #keep(): void {
    const turn = ++this.#keeps
    this.#save('keeping')
    this.#kept().then(
      () => {
        if (turn === this.#keeps && this.saving === 'keeping') this.#save('kept')
      },
      () => {},
    )
  }

  #confirm(): void {
    if (!this.contact.connected || this.saving === 'saved') return
    this.#save('sending')
    this.#isDue ??= setTimeout(() => {
      this.#isDue = null
      this.#provider.send(barrierFrame(++this.#nonce))
    }, CONFIRM_MS)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
