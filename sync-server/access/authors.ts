import * as Y from 'yjs'
import { EDITS_PREFIX } from '../../workspace/schema.ts'
import type { Decoded } from '../check.ts'
import type { Gate } from '../gate.ts'
import type { Owned } from '../update-log.ts'
import { CLOSE, WireError } from '../wire.ts'
import { type Arrivals, addTo, arrivalsIn, arrivalsOf } from './arrivals.ts'
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
    decoded: Decoded,
    clocks: ReadonlyMap<number, number>,
    isSyncStep2: boolean,
  ): boolean {
    const { ds } = decoded
    const mine = arrivalsOf(decoded, clocks, this.#waiting, this.#places)
    if (by.kind === 'agent') {
      if (by.role === 'read') return readsOnly(mine.size > 0, ds, isSyncStep2)
      this.#checkDeletes(by, ds)
    }
    const fresh: number[] = []
    for (const [client, list] of mine) {
      const author = by.kind === 'owner' ? null : this.#authorOf(client, by.agent, fresh)
      if (author === null) continue
      for (const { struct, spot } of list) {
        const { place, key } = spot
        if (place.kind === 'free' || !(struct instanceof Y.Item)) continue
        check(author, place, key, struct)
        if (place.kind === 'files') this.#checkMaker(author, struct)
      }
    }
    if (by.kind === 'agent') {
      if (fresh.length > this.mostNewIds(by)) {
        throw new WireError(CLOSE.tooLarge, `an agent has ${this.#maxIds} Yjs client ids at most`)
      }
      for (const client of fresh) this.own(client, by.agent)
    }
    addTo(this.#waiting, mine)
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

  mostNewIds(by: Speaker): number {
    if (by.kind === 'owner' || this.#isRecovering()) return Number.POSITIVE_INFINITY
    return this.#maxIds - (this.#counts.get(by.agent) ?? 0)
  }

  /**
   * A record that takes another's place, or moved here from another path, still names who made the file. That is not in the
   * document any more where others changed the record meanwhile; but who makes a file counts as an editor of it, for ever.
   */
  #checkMaker(author: string, item: Y.Item): void {
    if (this.#isRecovering()) return
    for (const { createdBy, fileId } of saidIn(item)) {
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
          if (!(struct instanceof Y.Item) || struct.deleted) continue
          const { parent, parentSub } = struct
          if (!(parent instanceof Y.AbstractType)) continue
          checkDelete(by.agent, this.#places.of(parent), parentSub)
        }
        for (const { spot } of arrivalsIn(this.#waiting, client, clock, clock + len)) {
          checkDelete(by.agent, spot.place, spot.key)
        }
      }
    }
  }
}

const checkDelete = (agent: string, place: Place, key: string | null): void => {
  if (place.kind === 'server') throw forged('deletes what is the server’s')
  const owner = place.kind === 'agents' ? key : place.kind === 'agent' ? place.id : agent
  if (owner === agent || (place.kind === 'agent' && key === 'paused')) return
  throw forged('deletes of another agent’s record')
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
const check = (author: string, place: Place, key: string | null, item: Y.Item): void => {
  const isBy = (field: 'from' | 'by' | 'agent') =>
    saidIn(item).every((said) => said[field] === author)
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
      for (const { facts, note, by } of saidIn(item)) {
        for (const name of [facts?.from, note?.by, by]) {
          if (name !== undefined && name !== author) throw forged('hands in as another agent')
        }
      }
      return
    case 'files':
      for (const { removed } of saidIn(item)) {
        const by = removed?.by
        if (by !== undefined && by !== author) throw forged('removes a file as another agent')
      }
      return
    case 'edits':
      if (key !== String(item.id.client) || !isBy('agent')) {
        throw forged('counts edits as another agent’s')
      }
      return
    case 'blobs':
      if (!isBy('by')) throw forged('puts a file as another agent')
  }
}
