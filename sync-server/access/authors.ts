import * as Y from 'yjs'
import { contentProblem } from '../../workspace/grammar/contents.ts'
import { Places } from '../../workspace/grammar/places.ts'
import { EDITS_PREFIX } from '../../workspace/schema.ts'
import type { Decoded } from '../check.ts'
import type { Gate } from '../gate.ts'
import type { Owned } from '../update-log.ts'
import { CLOSE, WireError } from '../wire.ts'
import { Amounts } from './amounts.ts'
import { type Arrivals, addTo, arrivalsIn, arrivalsOf } from './arrivals.ts'
import { checkAuthor, checkDelete, forged, invalid, saidIn } from './authorship.ts'
import type { Speaker } from './speaker.ts'
import { Taken } from './taken.ts'

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
  #taken = new Taken(this.#places)
  #amounts = this.#newAmounts()

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
    this.#taken = new Taken(this.#places)
    this.#amounts = this.#newAmounts()
  }

  #newAmounts(): Amounts {
    return new Amounts(this.#places, (client) => this.#owners.get(client))
  }

  applied(): void {
    if (this.#waiting.size > 0) this.#waiting = new Map()
    this.#taken.applied()
    this.#amounts.applied()
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
      this.#checkDeletes(by, ds, mine)
    }
    const fresh: number[] = []
    for (const [client, list] of mine) {
      const author = by.kind === 'owner' ? null : this.#authorOf(client, by.agent, fresh)
      for (const { struct, spot } of list) {
        if (!(struct instanceof Y.Item)) continue
        const { place, key } = spot
        if (author !== null) checkAuthor(author, place, key, struct)
        const broken = contentProblem(place, key, struct.content)
        if (broken !== null) throw invalid(`${broken.path}: ${broken.reason}`)
        if (author !== null && place.kind === 'files') this.#checkMaker(author, struct)
      }
    }
    if (by.kind === 'agent') {
      if (!this.#isRecovering()) this.#taken.check(mine)
      this.#amounts.check(by.agent, mine)
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

  #checkDeletes(by: Extract<Speaker, { kind: 'agent' }>, ds: Decoded['ds'], mine: Arrivals): void {
    if (by.role === 'admin' || ds.clients.size === 0 || this.#isRecovering()) return
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
