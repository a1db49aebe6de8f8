import * as Y from 'yjs'
import { LazyMap } from '../../../lib/lazy.ts'
import { newDoc } from '../../../lib/yjs/new-doc.ts'
import { CLOSE, WireError } from '../../../protocol/frames.ts'
import { includes } from '../../../protocol/roles.ts'
import { contentProblem } from '../../../workspace/document/contents.ts'
import { TypePlaces } from '../../../workspace/document/places.ts'
import { EDITS_PREFIX } from '../../../workspace/document/schema.ts'
import type { Owned } from '../../storage/update-log.ts'
import type { Gate } from '../../sync/gate.ts'
import type { Principal } from '../../sync/principal.ts'
import type { Decoded } from '../../sync/updates/check.ts'
import { Share } from '../share.ts'
import { Amounts } from './amounts.ts'
import { type Arrival, type Arrivals, addTo, arrivalsIn, arrivalsOf } from './arrivals.ts'
import { checkAuthor, checkDelete, forged, invalid, saidIn } from './authorship.ts'
import { Taken } from './taken.ts'

type Agent = Extract<Principal, { kind: 'agent' }>

/** Stands for the document until the room's own is built. */
const NO_DOC = newDoc()

/** No agent can have this id: the server is meant. */
const SERVER = 'server'

/**
 * Prevents agents from writing in another's name. A Yjs client id belongs to the agent that first used it, so each
 * operation has an author, and a record that names its author must name that one. Deletions have no author: they are
 * checked only where the server alone, or one agent alone, may delete.
 */
export class Authors implements Gate {
  readonly #isRecovering: () => boolean
  /**
   * Yjs client ids that one agent may have in a workspace (count): every replica goes through all of them at each
   * change, for ever. An agent needs one for years.
   */
  readonly #maxIds: number
  readonly #maxDocument: number
  #owners: Map<number, string> = new LazyMap()
  /** Agents of ids that are announced and have no operation yet. */
  readonly #reserved = new LazyMap<number, string>()
  /** Ids per agent (count). */
  #counts = new LazyMap<string, number>()
  #owned: Owned[] = []
  #places = new TypePlaces(NO_DOC)
  #server = 0
  /** Admitted, not yet in the document. */
  #waiting: Arrivals = new LazyMap()
  #taken = new Taken(this.#places)
  #amounts = this.#newAmounts()
  #share: Share

  /** `isRecovering`: after a restore, an admin may bring back others' operations. `maxDocument`: bytes. */
  constructor(
    isRecovering: () => boolean,
    maxIds = Number.POSITIVE_INFINITY,
    maxDocument = Number.POSITIVE_INFINITY,
  ) {
    this.#isRecovering = isRecovering
    this.#maxIds = maxIds
    this.#maxDocument = maxDocument
    this.#share = new Share(this.#places.doc, maxDocument)
  }

  open(owners: Map<number, string>): void {
    this.#owners = owners
    for (const owner of owners.values()) this.#count(owner)
  }

  adopt(doc: Y.Doc, server: number): void {
    this.#places = new TypePlaces(doc)
    this.#server = server
    this.#waiting = new LazyMap()
    this.#taken = new Taken(this.#places)
    this.#amounts = this.#newAmounts()
    this.#share = new Share(doc, this.#maxDocument)
  }

  takeShare(agent: string, bytes: number): boolean {
    return this.#share.take(agent, bytes)
  }

  #newAmounts(): Amounts {
    return new Amounts(this.#places, (client) => this.#owners.get(client))
  }

  applied(): void {
    if (this.#waiting.size > 0) this.#waiting = new LazyMap()
    this.#taken.applied()
    this.#amounts.applied()
  }

  takeOwned(): Owned[] {
    if (this.#owned.length === 0) return []
    return this.#owned.splice(0)
  }

  admit(
    by: Principal,
    decoded: Decoded,
    clocks: ReadonlyMap<number, number>,
    isSyncStep2: boolean,
  ): boolean {
    const { ds } = decoded
    const mine = arrivalsOf(decoded, clocks, this.#waiting, this.#places)
    if (by.kind === 'agent') {
      if (!includes(by.role, 'write')) return readsOnly(mine.size > 0, ds, isSyncStep2)
      this.#checkDeletes(by, ds, mine)
    }
    const fresh: number[] = []
    for (const [client, list] of mine) {
      const author = by.kind === 'owner' ? null : this.#authorOf(client, by, fresh)
      if (author === null && by.kind === 'agent') checkRecovered(list)
      for (const { struct, spot } of list) {
        if (!(struct instanceof Y.Item)) continue
        const { place, key } = spot
        if (author !== null) checkAuthor(author, place, key, struct)
        const broken = contentProblem(place, key, struct.content)
        if (broken !== null) throw invalid(`${broken.path}: ${broken.reason}`)
        if (author !== null && place.kind === 'files' && !this.#takesAll(by))
          this.#checkMaker(author, struct)
      }
    }
    if (by.kind === 'agent') {
      if (!this.#takesAll(by)) this.#taken.check(mine)
      this.#amounts.check(by.agent, mine)
      this.#checkShare(by.agent, mine)
      if (fresh.length > this.mostNewIds(by)) {
        throw new WireError(CLOSE.tooLarge, `an agent has ${this.#maxIds} Yjs client ids at most`)
      }
      for (const client of fresh) this.own(client, by.agent)
    }
    addTo(this.#waiting, mine)
    return true
  }

  /** True if operations of others are accepted from `by`: an admin, after a restore. */
  #takesAll(by: Principal): boolean {
    return by.kind === 'agent' && includes(by.role, 'admin') && this.#isRecovering()
  }

  /** The agent whose operations carry this client id; null: unknown. Throws `forged`. */
  #authorOf(client: number, by: Agent, fresh: number[]): string | null {
    if (client === this.#server) throw forged('the Yjs client id is the server’s')
    const owner = this.#owners.get(client)
    if (owner === by.agent) return owner
    if (this.#takesAll(by)) return owner ?? null
    const holder = owner ?? this.#reserved.get(client) ?? by.agent
    if (holder !== by.agent) {
      throw forged(
        `the Yjs client id belongs to another agent: ${client}; send only your own edits`,
      )
    }
    fresh.push(client)
    return by.agent
  }

  holderOf(client: number): string | undefined {
    if (client === this.#server) return SERVER
    return this.#owners.get(client) ?? this.#reserved.get(client)
  }

  reserve(client: number, agent: string): boolean {
    if (this.holderOf(client) === undefined && this.#left(agent) > 0) {
      this.#reserved.set(client, agent)
    }
    return this.holderOf(client) === agent
  }

  release(client: number): void {
    this.#reserved.delete(client)
  }

  /** Throws `full` where an agent's messages and tasks would take more than its share of the document. */
  #checkShare(agent: string, mine: Arrivals): void {
    let bytes = 0
    for (const list of mine.values()) {
      for (const { struct, spot } of list) {
        if (!(struct instanceof Y.Item) || !OWN_ENTRIES.has(spot.place.kind)) continue
        for (const said of saidIn(struct)) bytes += sizeOf(said)
      }
    }
    if (bytes > 0 && !this.#share.take(agent, bytes)) {
      throw new WireError(
        CLOSE.full,
        'this agent’s messages and tasks have their share of the document',
      )
    }
  }

  mostNewIds(by: Principal): number {
    if (by.kind === 'owner' || this.#takesAll(by)) return Number.POSITIVE_INFINITY
    return this.#left(by.agent)
  }

  /** Ids the agent may still use (count). */
  #left(agent: string): number {
    return this.#maxIds - (this.#counts.get(agent) ?? 0)
  }

  /**
   * A record that replaces another one, or moved here from another path, still names the file's maker. The document may
   * no longer tell it, if others changed the record since; but the maker of a file counts as its editor, for ever.
   */
  #checkMaker(author: string, item: Y.Item): void {
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
    this.#reserved.delete(client)
    this.#count(owner)
    this.#owned.push({ client, owner })
  }

  #count(owner: string): void {
    this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + 1)
  }

  #checkDeletes(by: Agent, ds: Decoded['ds'], mine: Arrivals): void {
    if (includes(by.role, 'admin') || ds.clients.size === 0) return
    for (const [client, ranges] of ds.clients) {
      for (const { clock, len } of ranges) {
        for (const struct of this.#places.range(client, clock, clock + len)) {
          if (!(struct instanceof Y.Item) || struct.deleted) continue
          const { parent, parentSub } = struct
          if (!(parent instanceof Y.AbstractType)) continue
          const place = this.#places.of(parent)
          checkDelete(by.agent, place, parentSub, this.#owners.get(client))
          if (place.kind === 'edits') checkReplaced(client, place.root, parentSub, mine, ds)
        }
        for (const { spot } of arrivalsIn(this.#waiting, client, clock, clock + len)) {
          const { place, key } = spot
          checkDelete(by.agent, place, key, this.#owners.get(client))
          if (place.kind === 'edits') checkReplaced(client, place.root, key, mine, ds)
        }
      }
    }
  }
}

/** Clients may not restore the server's client id: the server would then write under it. */
const checkRecovered = (list: readonly Arrival[]): void => {
  for (const { spot } of list) {
    if (spot.place.root === 'meta' && spot.key === 'serverClient') {
      throw forged('only the server writes there')
    }
  }
}

/** A reader's SyncStep2 says which deletions it knows of, and that is all it may say. */
const readsOnly = (hasNews: boolean, ds: Decoded['ds'], isSyncStep2: boolean): false => {
  if (!hasNews && (isSyncStep2 || ds.clients.size === 0)) return false
  throw new WireError(CLOSE.notAllowed, 'this credential only reads')
}

/** A count of edits only makes room for the next one. Throws `forged` where an update deletes it and brings none. */
const checkReplaced = (
  client: number,
  root: string,
  key: string | null,
  mine: Arrivals,
  ds: Decoded['ds'],
): void => {
  const next = mine
    .get(client)
    ?.some(
      ({ struct, spot }) =>
        struct instanceof Y.Item &&
        spot.place.root === root &&
        spot.key === key &&
        !(struct.content instanceof Y.ContentDeleted) &&
        !Y.isDeleted(ds, Y.createID(client, struct.id.clock + struct.length - 1)),
    )
  if (!next) throw forged('deletes a count of edits')
}

/** Places of what only its author, an admin or the server can take out again. */
const OWN_ENTRIES: ReadonlySet<string> = new Set(['broadcasts', 'intake'])

/** About how many bytes an entry takes. */
const sizeOf = (said: object): number => JSON.stringify(said).length
