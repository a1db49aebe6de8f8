import * as Y from 'yjs'
import { EDITS_PREFIX } from '../../workspace/schema.ts'
import type { Decoded } from '../check.ts'
import type { Gate } from '../gate.ts'
import type { Owned } from '../update-log.ts'
import { CLOSE, WireError } from '../wire.ts'
import { type Arrival, type Arrivals, resolve } from './arrivals.ts'
import { type Place, Places } from './places.ts'
import type { Speaker } from './speaker.ts'

const forged = (what: string): WireError => new WireError(CLOSE.forged, what)

/**
 * Sees to it that nobody's words are another's. A Yjs client id belongs to the agent that first used it, so an operation
 * has an author; and what is written where it says who wrote it must name that author. Deletions have no author: they
 * are looked at only where nobody but the server, or the agent itself, has anything to delete.
 */
export class Authors implements Gate {
  readonly #isRecovering: () => boolean
  /**
   * Yjs client ids that one agent may have in a workspace (count): Yjs looks at all of them at each change, on each replica and
   * for ever. An agent has one for years.
   */
  readonly #maxIds: number
  #owners = new Map<number, string>()
  /** How many of them each has. */
  #counts = new Map<string, number>()
  #owned: Owned[] = []
  #places = new Places(new Y.Doc())
  #server = 0
  /** What was let in and is not in the document yet. */
  #waiting: Arrivals = new Map()

  /** `isRecovering`: operations are taken from whoever brings them, as a backup was restored that lacks them. */
  constructor(isRecovering: () => boolean, maxIds = Number.POSITIVE_INFINITY) {
    this.#isRecovering = isRecovering
    this.#maxIds = maxIds
  }

  open(owners: Map<number, string>): void {
    this.#owners = owners
    for (const owner of owners.values()) this.#count(owner)
  }

  adopt(doc: Y.Doc, server: number): void {
    this.#places = new Places(doc)
    this.#server = server
    this.#waiting = new Map()
  }

  applied(): void {
    if (this.#waiting.size > 0) this.#waiting = new Map()
  }

  takeOwned(): Owned[] {
    if (this.#owned.length === 0) return []
    return this.#owned.splice(0)
  }

  admit(
    by: Speaker,
    { structs, ds }: Decoded,
    clocks: ReadonlyMap<number, number>,
    isSyncStep2: boolean,
  ): boolean {
    const mine: Arrivals = new Map()
    let list: Arrival[] = []
    let client = -1
    let known = 0
    for (const struct of structs) {
      if (struct.id.client !== client) {
        client = struct.id.client
        known = clocks.get(client) ?? 0
        list = mine.get(client) ?? []
      }
      if (struct.id.clock + struct.length <= known) continue
      if (list.length === 0) mine.set(client, list)
      list.push({ struct: struct as Y.Item | Y.GC, place: null, key: null })
    }
    if (by.kind === 'agent') {
      if (by.role === 'read') return readsOnly(mine.size > 0, ds, isSyncStep2)
      this.#checkDeletes(by, ds)
    }
    const fresh: number[] = []
    for (const [client, list] of mine) {
      const author = by.kind === 'owner' ? null : this.#authorOf(client, by.agent, fresh)
      for (const arrival of list) {
        const place = resolve(arrival, mine, this.#waiting, this.#places)
        if (author === null || place.kind === 'free') continue
        check(author, place, arrival)
        if (place.kind === 'files') this.#checkMaker(author, arrival)
      }
    }
    if (by.kind === 'agent') {
      if ((this.#counts.get(by.agent) ?? 0) + fresh.length > this.#maxIds) {
        throw new WireError(CLOSE.tooLarge, `an agent has ${this.#maxIds} Yjs client ids at most`)
      }
      for (const client of fresh) this.own(client, by.agent)
    }
    for (const [client, list] of mine) {
      const waiting = this.#waiting.get(client)
      if (waiting === undefined) this.#waiting.set(client, list)
      else for (const arrival of list) waiting.push(arrival)
    }
    return true
  }

  /** Whose operations under this client id are; null: nobody can tell. Throws `forged`. */
  #authorOf(client: number, agent: string, fresh: number[]): string | null {
    const owner = this.#owners.get(client)
    if (owner === agent) return owner
    const isRecovering = this.#isRecovering()
    if (client === this.#server && !isRecovering) throw forged('the Yjs client id is the server’s')
    if (owner === undefined) {
      if (isRecovering) return null
      fresh.push(client)
      return agent
    }
    if (!isRecovering) throw forged('the Yjs client id belongs to another agent')
    return owner
  }

  /**
   * A record that takes another's place, or moved here from another path, still names who made the file. That is not in the
   * document any more where others changed the record meanwhile; but who makes a file counts as an editor of it, for ever.
   */
  #checkMaker(author: string, { struct }: Arrival): void {
    if (!(struct instanceof Y.Item) || this.#isRecovering()) return
    for (const { createdBy, fileId } of saidIn(struct)) {
      if (createdBy === undefined || createdBy === author) continue
      if (!this.#hasEdited(createdBy, fileId)) throw forged('makes a file as another agent')
    }
  }

  #hasEdited(agent: unknown, file: unknown): boolean {
    for (const [client, item] of this.#places.keysOf(`${EDITS_PREFIX}${file}`)) {
      // Others can delete the count, but not whose client id it was under.
      if (this.#owners.get(Number(client)) === agent) return true
      if (saidIn(item).some((edit) => edit.agent === agent)) return true
    }
    return false
  }

  own(client: number, owner: string): void {
    const known = this.#owners.get(client)
    if (known === owner) return
    if (known !== undefined) throw new Error(`the Yjs client id ${client} is ${known}'s`)
    this.#owners.set(client, owner)
    this.#count(owner)
    this.#owned.push({ client, owner })
  }

  #count(owner: string): void {
    this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + 1)
  }

  #checkDeletes(by: Extract<Speaker, { kind: 'agent' }>, ds: Decoded['ds']): void {
    if (by.role === 'admin' || ds.clients.size === 0 || this.#isRecovering()) return
    for (const [client, ranges] of ds.clients) {
      for (const { clock, len } of ranges) {
        for (const struct of this.#places.range(client, clock, clock + len)) {
          if (struct instanceof Y.Item && !struct.deleted) this.#checkDelete(by.agent, struct)
        }
      }
    }
  }

  #checkDelete(agent: string, { parent, parentSub }: Y.Item): void {
    if (!(parent instanceof Y.AbstractType)) return
    const place = this.#places.of(parent)
    if (place.kind === 'server') throw forged('deletes what is the server’s')
    const owner = place.kind === 'agents' ? parentSub : place.kind === 'agent' ? place.id : agent
    if (owner === agent || (place.kind === 'agent' && parentSub === 'paused')) return
    throw forged('deletes of another agent’s record')
  }
}

/** A reader's SyncStep2 says which deletions it knows of, and that is all it may say. */
const readsOnly = (hasNews: boolean, ds: Decoded['ds'], isSyncStep2: boolean): false => {
  if (!hasNews && (isSyncStep2 || ds.clients.size === 0)) return false
  throw new WireError(CLOSE.notAllowed, 'this credential only reads')
}

/** What a plain value at hand says of who wrote it. */
type Said = { [field: string]: unknown } & {
  facts?: { from?: unknown }
  note?: { by?: unknown }
  removed?: { by?: unknown }
}

/** The plain objects among what an item holds: readers take nothing else for anything. */
const saidIn = ({ content }: Y.Item): Said[] =>
  content
    .getContent()
    .filter(
      (value): value is Said =>
        typeof value === 'object' && value !== null && !(value instanceof Y.AbstractType),
    )

/** Throws where what stands there names another than its author. */
const check = (author: string, place: Place, { struct, key }: Arrival): void => {
  if (!(struct instanceof Y.Item)) return
  const isBy = (field: 'from' | 'by' | 'agent') =>
    saidIn(struct).every((said) => said[field] === author)
  switch (place.kind) {
    case 'server':
      throw forged('only the server writes there')
    case 'agents':
      if (key !== author) throw forged('registers another agent')
      return
    case 'agent':
      if (key === 'paused' && !isBy('by')) throw forged('asks to pause as another agent')
      if (place.id !== author && key !== 'paused') throw forged('writes in another agent’s record')
      return
    case 'broadcasts':
      if (!isBy('from')) throw forged('says something as another agent')
      return
    case 'intake':
      for (const { facts, note, by } of saidIn(struct)) {
        for (const name of [facts?.from, note?.by, by]) {
          if (name !== undefined && name !== author) throw forged('hands in as another agent')
        }
      }
      return
    case 'files':
      for (const { removed } of saidIn(struct)) {
        const by = removed?.by
        if (by !== undefined && by !== author) throw forged('removes a file as another agent')
      }
      return
    case 'edits':
      if (key !== String(struct.id.client) || !isBy('agent')) {
        throw forged('counts edits as another agent’s')
      }
      return
    case 'blobs':
      if (!isBy('by')) throw forged('puts a file as another agent')
  }
}
