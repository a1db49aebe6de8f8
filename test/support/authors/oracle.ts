import * as Y from 'yjs'
import { type Struct, stringIn, structsIn } from '../../../lib/yjs/internals.ts'
import type { AttributionMap } from '../../../sync-server/storage/update-log.ts'
import { serverClientOf } from '../../../workspace/document/schema.ts'

/** Each agent writes characters of its own, one for each task: so a character tells who wrote it, and for what. */
const FIRST = 0x4e00
const SLOTS = 512

export const letterOf = (agent: number, slot: number): string =>
  String.fromCharCode(FIRST + agent * SLOTS + slot)
export const readLetter = (letter: string): { agent: number; slot: number } | null => {
  const code = letter.charCodeAt(0) - FIRST
  return code < 0 || code >= 16 * SLOTS
    ? null
    : { agent: Math.floor(code / SLOTS), slot: code % SLOTS }
}

/** A mistake of the server. */
export class Wrong extends Error {}

export const check = (holds: boolean, what: () => string): void => {
  if (!holds) throw new Wrong(what())
}

/** An agent that changes texts through the server, while nobody else does. */
export interface Alone {
  agent: number
  slot: number
  /** True if it may write others' letters: it puts back what was deleted. */
  putsBack: boolean
}

type Told = readonly {
  clock: number
  length: number
  task: string | null
  via: string | null
  by?: string | null
}[]

/** From `clock` on, operations of a Yjs client id are for the task of this slot; null: nobody noted for which. */
interface Turn {
  clock: number
  slot: number | null
}

/** A deletion outside of a file's text: an older value of a map, by the agent or by the server for it. */
const ELSEWHERE = 1 << 30

const isText = (struct: Struct): boolean =>
  struct instanceof Y.Item && stringIn(struct) !== null && struct.parent instanceof Y.Text

interface Author {
  agent: number
  turns: Turn[]
  /** Undefined: it writes on a socket. */
  putsBack?: boolean
}

/**
 * What the writers did, operation by operation. Writers on sockets are noted at their side; of those who write through the
 * server a replica tells what arrives while they act alone. `slot`: the task that a writer held.
 */
export class Oracle {
  readonly names: readonly string[]
  /** By agent: who causes all that it writes without being its author. */
  readonly #vias: ReadonlyMap<number, string>
  /** Tasks by slot; 0: none. */
  readonly tasks: (string | null)[] = [null]
  /** By Yjs client id. */
  readonly #authors = new Map<number, Author>()
  /** Yjs client id → clock → agents that deleted it, as bits. */
  readonly #deleted = new Map<number, Map<number, number>>()
  #alone: Alone | null = null
  /** Of writers on sockets, deletions and operations noted of those who act alone (count). */
  deletions = 0
  notedAlone = 0
  /** Deletions of one text by a second agent, which did not know of the first, as compared in all checks (count). */
  together = 0
  readonly #retyped = new Map<number, number>()

  constructor(names: readonly string[], vias: ReadonlyMap<number, string>) {
    this.names = names
    this.#vias = vias
  }

  /** Notes what `agent` does in `doc`; `slot` tells its task. */
  follow(doc: Y.Doc, agent: number, slot: () => number): void {
    const { clientID } = doc
    const turns: Turn[] = []
    this.#authors.set(clientID, { agent, turns })
    doc.on('afterTransaction', (transaction: Y.Transaction) => {
      if (!transaction.local) return
      const clock = transaction.beforeState.get(clientID) ?? 0
      turnTo({ turns }, clock, slot())
      this.#noteDeletions(doc, transaction, agent)
    })
  }

  /** Notes in a replica what those do who act alone. */
  watch(doc: Y.Doc): void {
    doc.on('afterTransaction', (transaction: Y.Transaction) => {
      if (transaction.local) return
      const alone = this.#alone
      this.#noteDeletions(doc, transaction, alone?.agent ?? null)
      for (const [client, end] of transaction.afterState) {
        const clock = transaction.beforeState.get(client) ?? 0
        if (end <= clock || client === serverClientOf(doc)) continue
        if (alone !== null) this.#noteInserts(doc, client, clock, end, alone)
        const by = this.#authors.get(client)
        if (by?.putsBack === false) this.#countRetyped(doc, client, clock, end, by.agent)
      }
    })
  }

  /** Notes that an agent, which writes through the server, has another task from now on. */
  changeTask(agent: number, slot: number, doc: Y.Doc): void {
    for (const [client, author] of this.#authors) {
      if (author.agent === agent) turnTo(author, Y.getState(doc.store, client), slot)
    }
  }

  /** Runs `work`, by one who acts alone. */
  async alone<T>(who: Alone, work: () => Promise<T>): Promise<T> {
    this.#alone = who
    try {
      return await work()
    } finally {
      this.#alone = null
    }
  }

  /** `agent` null: others note what they delete in texts. */
  #noteDeletions(doc: Y.Doc, { deleteSet }: Y.Transaction, agent: number | null): void {
    for (const [client, ranges] of deleteSet.clients) {
      const bits = this.#deleted.get(client) ?? new Map<number, number>()
      this.#deleted.set(client, bits)
      for (const { clock, len } of ranges) {
        for (const struct of structsIn(doc, client, clock, clock + len)) {
          if (agent === null && isText(struct)) continue
          const by = agent !== null && isText(struct) ? 1 << agent : ELSEWHERE
          const first = Math.max(clock, struct.id.clock)
          const end = Math.min(clock + len, struct.id.clock + struct.length)
          for (let at = first; at < end; at++) {
            if (!bits.has(at) && by !== ELSEWHERE) this.deletions++
            bits.set(at, (bits.get(at) ?? 0) | by)
          }
        }
      }
    }
  }

  #noteInserts(doc: Y.Doc, client: number, clock: number, end: number, who: Alone): void {
    const { agent, slot, putsBack } = who
    const turns = [{ clock: 0, slot: null }]
    const author = this.#authors.get(client) ?? { agent, turns, putsBack }
    this.#authors.set(client, author)
    const name = this.names[agent]
    if (author.agent !== agent) {
      // Another may note beside the texts that a message reached it.
      const holdsText = [...structsIn(doc, client, clock, end)].some(isText)
      check(!holdsText, () => `${name} writes under ${client}, another's`)
      return
    }
    turnTo(author, clock, slot)
    this.notedAlone += end - clock
  }

  #countRetyped(doc: Y.Doc, client: number, clock: number, end: number, agent: number): void {
    let count = this.retypedBy(agent)
    for (const struct of structsIn(doc, client, clock, end)) {
      const { id } = struct
      const text = struct instanceof Y.Item && isText(struct) ? stringIn(struct) : null
      const letters = text?.slice(Math.max(0, clock - id.clock), end - id.clock) ?? ''
      for (const letter of letters) {
        const wrote = readLetter(letter)
        if (wrote !== null && wrote.agent !== agent) count++
      }
    }
    this.#retyped.set(agent, count)
  }

  /** Letters of others that edits by an agent typed again, as edits of whole lines do: they are its own (count). */
  retypedBy(agent: number): number {
    return this.#retyped.get(agent) ?? 0
  }

  /** Yjs client ids whose every insertion is noted. */
  get followed(): number[] {
    return [...this.#authors].flatMap(([client, { putsBack }]) =>
      putsBack === undefined ? [client] : [],
    )
  }

  /** The agents that noted a deletion of this operation; null: it is of no text, so that nobody has to. */
  deletersOf(client: number, clock: number): string[] | null {
    const noted = this.#deleted.get(client)?.get(clock) ?? 0
    return noted & ELSEWHERE ? null : this.names.filter((_, i) => (noted >> i) & 1)
  }

  /**
   * Checks the log's attribution, operation by operation. `unseen`: an agent that also wrote while others did. Throws
   * Wrong. Returns the operations checked (count).
   */
  check(
    { inserts, deletes, again }: AttributionMap,
    owners: ReadonlyMap<number, string>,
    clocks: ReadonlyMap<number, number>,
    unseen: string,
  ): number {
    let checked = 0
    for (const [client, author] of this.#authors) {
      const count = clocks.get(client) ?? 0
      if (count === 0) continue
      const { agent } = author
      check(owners.get(client) === this.names[agent], () => `${client} is ${owners.get(client)}'s`)
      checked += this.#checkInserts(client, author, inserts.get(client) ?? [], count)
    }
    for (const [client, bits] of this.#deleted) {
      const runs = deletes.get(client) ?? []
      checked += this.#checkDeletes(client, bits, runs, unseen)
      this.together += this.#checkAgain(client, bits, runs, again.get(client) ?? [])
    }
    return checked
  }

  #checkDeletes(
    client: number,
    bits: ReadonlyMap<number, number>,
    runs: Told,
    unseen: string,
  ): number {
    const seen = new Set<number>()
    for (const { clock, length, by = null, via } of runs) {
      const agent = by === null ? -1 : this.names.indexOf(by)
      for (let at = clock; at < clock + length; at++) {
        check(!seen.has(at), () => `${client}:${at} is deleted twice`)
        seen.add(at)
        const noted = bits.get(at) ?? 0
        const isRight = noted & ELSEWHERE || (agent >= 0 && (by === unseen || (noted >> agent) & 1))
        check(Boolean(isRight), () => {
          const known = this.names.filter((_, i) => (noted >> i) & 1).join() || 'nobody noted'
          return `${by} did not delete ${client}:${at} (run of ${length}), but ${known}`
        })
      }
      if (agent < 0) continue
      const wanted = this.#vias.get(agent) ?? null
      check(via === wanted, () => `${client}:${clock} is deleted via ${via}, not ${wanted}`)
    }
    for (const at of bits.keys()) {
      check(seen.has(at), () => `nobody deleted ${client}:${at}, it says`)
    }
    return seen.size
  }

  /** Each agent that noted a deletion deleted first, or again: nobody else did, and nobody both. */
  #checkAgain(client: number, bits: ReadonlyMap<number, number>, runs: Told, again: Told): number {
    const first = new Map<number, string | null>()
    for (const { clock, length, by = null } of runs) {
      for (let at = clock; at < clock + length; at++) first.set(at, by)
    }
    const told = new Map<number, number>()
    let count = 0
    for (const { clock, length, by = null } of again) {
      const agent = by === null ? -1 : this.names.indexOf(by)
      for (let at = clock; at < clock + length; at++) {
        const where = `${client}:${at}`
        check(by !== first.get(at), () => `${by} deletes ${where} first and again`)
        // A stranger that deletes all again says that it does.
        if (agent === -1) continue
        const isNoted = ((bits.get(at) ?? 0) >> agent) & 1
        check(isNoted === 1, () => `${by} did not delete ${where} again`)
        told.set(at, (told.get(at) ?? 0) | (1 << agent))
        count++
      }
    }
    for (const [at, noted] of bits) {
      if (noted & ELSEWHERE) continue
      const by = first.get(at)
      const known =
        (told.get(at) ?? 0) | (by == null ? 0 : 1 << Math.max(0, this.names.indexOf(by)))
      const missing = this.names.filter((_, i) => ((noted & ~known) >> i) & 1)
      check(missing.length === 0, () => `${client}:${at}: ${missing} deleted it, too, untold`)
    }
    return count
  }

  #checkInserts(client: number, { agent, turns }: Author, runs: Told, count: number): number {
    const wantedVia = this.#vias.get(agent) ?? null
    let [next, turn] = [0, 0]
    for (const { clock, length, task, via } of runs) {
      check(clock === next, () => `${client}: a run begins at ${clock}, not at ${next}`)
      for (let at = clock; at < clock + length; at++) {
        while (turns[turn + 1] !== undefined && turns[turn + 1]!.clock <= at) turn++
        const { slot } = turns[turn]!
        if (slot === null) continue
        const wanted = this.tasks[slot] ?? null
        check(task === wanted, () => `${client}:${at} is for ${wanted}, not ${task}`)
        check(via === wantedVia, () => `${client}:${at} is via ${via}, not ${wantedVia}`)
      }
      next = clock + length
    }
    check(next === count, () => `${client}: runs end at ${next}, not at ${count}`)
    return count
  }
}

const turnTo = ({ turns }: Pick<Author, 'turns'>, clock: number, slot: number): void => {
  if (turns.at(-1)?.slot !== slot) turns.push({ clock, slot })
}
