import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import type { Role } from '../../protocol/roles.ts'
import type { FileCursor, Presence } from '../../workspace/agents/presence.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { join, type Left } from './attach-join.ts'
import {
  type AttachedSays,
  type ContactState,
  fromBase64,
  type Joining,
  KIND_UPDATE,
  type LinkState,
  type Shown,
  toBase64,
  type Welcome,
  writeFrame,
  writeJson,
} from './attach-wire.ts'
import { type LinkAt, noLink, type Ran, runVerb } from './run.ts'
import { startLink } from './start.ts'

/** Between two tries to find a link, in milliseconds: soon at first, and no rarer than this. */
const FIRST_RETRY_MS = 25
const LAST_RETRY_MS = 1_000
/** Longest wait at the end for a link that takes unsaved writes, in milliseconds. */
const GOODBYE_TIMEOUT_MS = 5_000

/**
 * The live workspace of this home's link. It outlives links: when one ends, the next is started, and both sides
 * exchange what they lack.
 */
export interface Attached {
  /** Local transactions go to the link, which stores them and sends them on. */
  readonly doc: Y.Doc
  /** null: the profile is not registered in this workspace. */
  readonly me: AgentId | null
  /** The role of the credential of this profile; null: not known yet. */
  readonly role: Role | null
  readonly where: { profile: string; name: string; server: string; workspace: string }
  /** The link's contact with the server; without a link there is none, and `why` says so. */
  readonly contact: ContactState
  /** True while there are edits of the document that are not on the server's disk. */
  readonly hasUnsent: boolean
  /** All connected agents and persons, this one included. */
  presences(): Presence[]
  /** The unacknowledged messages of the inbox, oldest first. */
  unread(): readonly Message[]
  /** Calls `listener` when `me`, `where`, presences, contact or unread messages change. Returns the unsubscriber. */
  onChange(listener: () => void): () => void
  /** Calls `listener` with messages as they arrive; acknowledges nothing. Returns the unsubscriber. */
  onMessages(listener: (messages: readonly Message[]) => void): () => void
  /** Publishes what this person does; a missing field stays the same. */
  show(state: { cursor?: FileCursor | null; activity?: { note?: string; task?: string } }): void
  /** Carries out a command line of clawlink-agent as this profile, over a connection of its own. Never throws. */
  run(argv: readonly string[], stdin?: string): Promise<Ran>
  /** Closes after the link has stored all writes; without a link, waits for one for a while. */
  close(): Promise<void>
}

export interface AttachOptions extends LinkAt {
  /** The flags that say which profile, server and workspace; they go before each command. */
  flags: readonly string[]
}

/** Attaches to the link, and starts one if necessary. Throws the link's errors for the flags, and `unreachable`. */
export const attach = async (options: AttachOptions): Promise<Attached> => {
  const attachment = new Attachment(options)
  await attachment.opened
  return attachment
}

class Attachment implements Attached {
  readonly doc = new Y.Doc()
  me: AgentId | null = null
  role: Role | null = null
  where: Attached['where']
  contact: ContactState = { connected: false, since: Date.now(), why: 'looking for the link' }
  /** Resolves once there is the document; rejects where there will be none. */
  readonly opened: Promise<void>
  readonly #options: AttachOptions
  #clientId: number | null = null
  #socket: Socket | null = null
  #presences: Presence[] = []
  #unread = new Map<string, Message>()
  #messages: readonly Message[] | null = null
  #shown: Shown = {}
  readonly #onChange = new Set<() => void>()
  readonly #onMessages = new Set<(messages: readonly Message[]) => void>()
  #pending: Uint8Array[] = []
  #isFlushing = false
  /** True if there may be writes that no link has. */
  #hasUnsent = false
  /** Updates that this link was sent (count), and those that are on the server's disk. */
  #sent = 0
  #stored = 0
  #mayStart = true
  #isClosing = false
  #ended: Promise<void> | null = null

  constructor(options: AttachOptions) {
    this.#options = options
    this.where = { profile: '', name: '', server: '', workspace: '' }
    this.doc.on('update', this.#onUpdate)
    this.doc.on('afterTransactionCleanup', () => this.#followClientId())
    this.opened = new Promise((resolve, reject) => {
      this.#ended = this.#keepConnected(resolve, reject)
    })
  }

  get hasUnsent(): boolean {
    return this.#hasUnsent || this.#stored < this.#sent
  }

  presences(): Presence[] {
    return this.#presences
  }

  unread(): readonly Message[] {
    this.#messages ??= [...this.#unread].sort(byKey).map(([, message]) => message)
    return this.#messages
  }

  onChange(listener: () => void): () => void {
    this.#onChange.add(listener)
    return () => this.#onChange.delete(listener)
  }

  onMessages(listener: (messages: readonly Message[]) => void): () => void {
    this.#onMessages.add(listener)
    return () => this.#onMessages.delete(listener)
  }

  show(state: Shown): void {
    const shown = { ...this.#shown, ...state }
    if (JSON.stringify(shown) === JSON.stringify(this.#shown)) return
    this.#shown = shown
    this.#say({ show: shown })
  }

  run(argv: readonly string[], stdin?: string): Promise<Ran> {
    this.#flush() // before a command that may refer to the newest edits
    return runVerb(this.#options, [...this.#options.flags, ...argv], stdin)
  }

  async close(): Promise<void> {
    this.#flush()
    const deadline = Date.now() + GOODBYE_TIMEOUT_MS
    while (this.#hasUnsent && this.#socket === null && Date.now() < deadline) {
      await sleep(FIRST_RETRY_MS)
    }
    this.#isClosing = true
    this.#say({ bye: true })
    const socket = this.#socket
    const timer = setTimeout(() => socket?.destroy(), GOODBYE_TIMEOUT_MS)
    await this.#ended
    clearTimeout(timer)
    this.doc.destroy()
  }

  /** From one link to the next. */
  async #keepConnected(opened: () => void, failed: (error: ClawError) => void): Promise<void> {
    const { home, socket, core } = this.#options
    let wait = 0
    let isOpen = false
    while (!this.#isClosing) {
      const how = await this.#connect(() => {
        wait = 0
        isOpen = true
        opened()
      })
      if (this.#isClosing) return
      if (how instanceof ClawError) {
        if (!isOpen) return failed(how)
        this.#setContact(how.message)
      }
      if (how === 'absent' && this.#mayStart) {
        const isThere = await startLink(home, socket, core)
        if (!isThere && !isOpen) return failed(noLink(home))
        if (isThere) continue
      }
      wait = Math.min(LAST_RETRY_MS, Math.max(FIRST_RETRY_MS, 2 * wait))
      await sleep(wait)
    }
  }

  /** One connection, until it ends. */
  async #connect(welcomed: () => void): Promise<Left> {
    const { flags, ...link } = this.#options
    const how = await join(link, flags, this.#joining(), {
      onWelcome: (welcome, update, socket) => {
        this.#begin(welcome, update, socket)
        welcomed()
      },
      onUpdate: (update) => Y.applyUpdate(this.doc, update, this),
      onState: (state) => this.#take(state),
    })
    if (this.#socket !== null) this.#onLeft()
    return how
  }

  #joining(): Joining {
    const clientId = this.#clientId
    const vector = clientId === null ? null : toBase64(Y.encodeStateVector(this.doc))
    return { pid: process.pid, clientId, vector }
  }

  /** Handles the link's document: from now on this side writes, too, first what the link lacks. */
  #begin(welcome: Welcome, update: Uint8Array, socket: Socket): void {
    const { clientId, vector, state, profile, server, workspace } = welcome
    Y.applyUpdate(this.doc, update, this)
    // Not before: Yjs takes another id when it meets operations under its own.
    this.#clientId = clientId
    this.doc.clientID = clientId
    this.#socket = socket
    this.#mayStart = true
    this.where = { ...this.where, profile, server, workspace }
    this.#pending = []
    this.#sent = 0
    this.#stored = 0
    if (this.#hasUnsent) {
      this.#sent++
      socket.write(writeFrame(KIND_UPDATE, Y.encodeStateAsUpdate(this.doc, fromBase64(vector))))
      this.#hasUnsent = false
    }
    this.#say({ show: this.#shown })
    const known = new Set(state.unread?.added.map(({ key }) => key))
    const gone = [...this.#unread.keys()].filter((key) => !known.has(key))
    this.#take({ ...state, unread: { added: state.unread?.added ?? [], gone } })
  }

  #take({ me, role, name, contact, presences, stored, unread, down }: LinkState): void {
    if (me !== undefined) this.me = me
    if (role !== undefined) this.role = role
    if (stored !== undefined) this.#stored = stored
    if (name !== undefined) this.where = { ...this.where, name }
    if (contact !== undefined) this.contact = contact
    if (presences !== undefined) this.#presences = presences
    if (down) this.#mayStart = false
    const fresh: Message[] = []
    for (const key of unread?.gone ?? []) this.#unread.delete(key)
    for (const { key, message } of unread?.added ?? []) {
      if (!this.#unread.has(key)) fresh.push(message)
      this.#unread.set(key, message)
    }
    if (unread !== undefined) this.#messages = null
    for (const listener of this.#onChange) listener()
    if (fresh.length > 0) for (const listener of this.#onMessages) listener(fresh)
  }

  #onLeft(): void {
    this.#socket = null
    // The last frames may not have arrived.
    this.#hasUnsent = true
    this.#presences = []
    this.#setContact(
      this.#mayStart ? 'the link is gone: another one is started' : 'the link was taken down',
    )
  }

  #setContact(why: string): void {
    const { connected, since } = this.contact
    this.contact = { connected: false, since: connected ? Date.now() : since, why }
    for (const listener of this.#onChange) listener()
  }

  #onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === this) return
    this.#hasUnsent = true
    if (this.#socket === null) return
    this.#pending.push(update)
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => this.#flush())
  }

  /** Sends the collected writes as one update. */
  #flush(): void {
    this.#isFlushing = false
    const pending = this.#pending.splice(0)
    if (pending.length === 0 || this.#socket === null) return
    this.#socket.write(writeFrame(KIND_UPDATE, Y.mergeUpdates(pending)))
    this.#sent++
    this.#hasUnsent = false
  }

  /** Yjs takes another client id where it meets operations under its own that it does not know. */
  #followClientId(): void {
    const { clientID } = this.doc
    if (this.#socket === null || clientID === this.#clientId) return
    this.#clientId = clientID
    this.#say({ clientId: clientID })
  }

  #say(said: AttachedSays): void {
    this.#socket?.write(writeJson(said))
  }
}

const byKey = ([a]: [string, Message], [b]: [string, Message]): number =>
  a < b ? -1 : a > b ? 1 : 0
