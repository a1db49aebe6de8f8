import * as Y from 'yjs'
import type { IdRange } from '../../../lib/attribution/runs.ts'
import { firstItem, itemAfter } from '../../../lib/yjs/internals.ts'
import { NotingServer, textIn } from './noting-server.ts'

/** Random histories of one text: agents with replicas, who are offline now and then, and a server. */

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'eps', '漢字', '👩‍🌾', 'é']

export const randomOf = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** One change of an agent, as the server took it. */
export interface Step {
  by: string
  update: Uint8Array
  /** All that its author deleted with it, also what others had deleted before. */
  deletes: IdRange[]
}

/** A character of a text: client and clock of its operation. */
export type Id = readonly [client: number, clock: number]

/** What an agent did in one go, by the characters of others that it saw. */
type Stroke = { insert: string; beside: Id | null; isBefore: boolean } | { remove: Id[] }

export const idsOf = ([[client, from], [, to]]: Meeting['own']): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${client},${from + i}`)

/** An agent with a replica. */
export interface Author {
  name: string
  doc: Y.Doc
  /** Changes that the server does not have yet. */
  pending: Step[]
}

/** Text that was written beside text of the silent agent, or where that had deleted some. */
export interface Meeting {
  /** The first and the last of the new characters. */
  own: [Id, Id]
  /** The character of the silent agent, or that it had deleted. */
  other: Id
  isBefore: boolean
}

/** New text, the characters beside it, and the deleted ones in between. */
interface Insertion {
  own: Meeting['own']
  left: Id | undefined
  gone: Id[]
  right: Id | undefined
}

type Event =
  | { kind: 'change'; by: Author; strokes: Stroke[]; inserted: Insertion[] }
  | { kind: 'send' | 'fetch'; by: Author }

export interface World {
  server: NotingServer
  authors: Author[]
  /** In the order in which they happened. */
  events: Event[]
  /** In the order in which the server took them. */
  steps: Step[]
  meetings: Meeting[]
  /** Characters whose place hangs on text of the silent agent: written beside it, or beside such characters. */
  hanging: Set<string>
}

const authorOf = (name: string, client: number): Author => {
  const doc = new Y.Doc()
  doc.clientID = client
  const author: Author = { name, doc, pending: [] }
  doc.on('update', (update: Uint8Array, _origin, _doc, transaction: Y.Transaction) => {
    if (!transaction.local) return
    const { ds } = Y.decodeUpdate(update)
    const deletes = [...ds.clients].flatMap(([of, ranges]) =>
      ranges.map(({ clock, len }) => ({ client: of, clock, length: len })),
    )
    author.pending.push({ by: name, update, deletes })
  })
  return author
}

const newWorld = (clients: ReadonlyMap<string, number>): World => ({
  server: new NotingServer(),
  authors: [...clients].map(([name, client]) => authorOf(name, client)),
  events: [],
  steps: [],
  meetings: [],
  hanging: new Set(),
})

/** The characters in a text now. */
export const idsIn = (text: Y.Text): Id[] => {
  const ids: Id[] = []
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) {
    if (item.deleted) continue
    for (let i = 0; i < item.length; i++) ids.push([item.id.client, item.id.clock + i])
  }
  return ids
}

/** Sends what an author has changed. */
const send = ({ server, steps }: World, author: Author): void => {
  for (const step of author.pending.splice(0)) {
    server.take(author.name, author.doc.clientID, step.update)
    steps.push(step)
  }
}

const fetch = ({ server }: World, { doc }: Author): void => {
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(server.doc, Y.encodeStateVector(doc)))
}

/** Changes a text, and notes what of it does not depend on the text of the silent agent. */
export class Pen {
  readonly strokes: Stroke[] = []
  readonly inserted: Insertion[] = []
  readonly #text: Y.Text
  readonly #isSilent: (id: Id) => boolean

  constructor(text: Y.Text, isSilent: (id: Id) => boolean) {
    this.#text = text
    this.#isSilent = isSilent
  }

  get string(): string {
    return this.#text.toJSON()
  }

  insert(index: number, insert: string): void {
    const ids = idsIn(this.#text)
    const [left, right] = [ids[index - 1], ids[index]]
    // Yjs writes right before the next character, behind what was deleted there.
    const isBefore = right !== undefined && !this.#isSilent(right)
    const beside = isBefore ? right : ids.slice(0, index).findLast((id) => !this.#isSilent(id))
    this.strokes.push({ insert, beside: beside ?? null, isBefore })
    const { clientID } = this.#text.doc!
    const clock = Y.getState(this.#text.doc!.store, clientID)
    const own: Meeting['own'] = [
      [clientID, clock],
      [clientID, clock + insert.length - 1],
    ]
    this.inserted.push({ own, left, gone: [...this.#between(left)], right })
    this.#text.insert(index, insert)
  }

  /** The deleted characters right of one. */
  *#between(left: Id | undefined): Generator<Id> {
    let isThere = left === undefined
    for (let item = firstItem(this.#text); item !== null; item = itemAfter(item)) {
      const { client, clock } = item.id
      if (isThere && !item.deleted) return
      for (let i = 0; isThere && i < item.length; i++) yield [client, clock + i]
      isThere ||= left![0] === client && left![1] >= clock && left![1] < clock + item.length
      if (isThere && !item.deleted && left![1] < clock + item.length - 1) return
    }
  }

  remove(index: number, length: number): void {
    const ids = idsIn(this.#text).slice(index, index + length)
    this.strokes.push({ remove: ids.filter((id) => !this.#isSilent(id)) })
    this.#text.delete(index, length)
  }
}

/** A change of a text: words, half words, lines. */
export const wild = (pen: Pen, name: string, random: () => number): void => {
  const pick = (below: number): number => Math.floor(random() * below)
  const word = (): string => `${name}${WORDS[pick(WORDS.length)]}`
  const { string } = pen
  // Yjs cannot bring back a character that was deleted by halves.
  const whole = (at: number): number => (/[\udc00-\udfff]/.test(string[at] ?? '') ? at - 1 : at)
  const at = whole(pick(string.length + 1))
  const long = whole(Math.min(string.length, at + 1 + pick(12))) - at
  const from = string.lastIndexOf('\n', at - 1) + 1
  const end = string.indexOf('\n', from)
  const way = random()
  if (way < 0.3) pen.insert(at, ` ${word()}`)
  else if (way < 0.5) pen.insert(from, `${word()} ${word()}\n`)
  else if (way < 0.65) pen.remove(at, long)
  else if (way < 0.8) {
    pen.remove(at, long)
    pen.insert(at, word())
  } else if (way < 0.9) {
    const added = word()
    pen.insert(at, added)
    pen.remove(at + added.length, long)
  } else if (end !== -1) pen.remove(from, end + 1 - from)
}

const NAMES = ['A', 'B', 'C', 'D', 'E', 'F']
const START = 'one two three\nfour five six\nseven eight nine\n'

/** A history of six agents; `silent`: the one whose work will be undone. */
export const runHistory = (
  random: () => number,
  count: number,
  silent: string,
  change: typeof wild,
): World => {
  const clients = NAMES.map((name, i) => [name, 10 + i + 10 * Math.floor(random() * 1e6)] as const)
  const world = newWorld(new Map([...clients, ['S', 1]]))
  const { authors, events } = world
  const own = new Map(clients).get(silent)
  const pick = (): Author => authors[Math.floor(random() * NAMES.length)]!
  const isSilent = ([client]: Id): boolean => client === own
  const act = (by: Author, change: (pen: Pen) => void): void => {
    const pen = new Pen(textIn(by.doc), isSilent)
    by.doc.transact(() => change(pen))
    const { strokes, inserted } = pen
    events.push({ kind: 'change', by, strokes, inserted })
  }
  const pass = (kind: 'send' | 'fetch', by: Author): void => {
    events.push({ kind, by })
    ;(kind === 'send' ? send : fetch)(world, by)
  }
  act(authors.at(-1)!, (pen) => pen.insert(0, START))
  pass('send', authors.at(-1)!)
  for (const author of authors) pass('fetch', author)
  for (let i = 0; i < count; i++) {
    const author = pick()
    const way = random()
    if (way < 0.6) act(author, (pen) => change(pen, author.name, random))
    if (way >= 0.4 && way < 0.85) pass('send', author)
    if (way >= 0.7) pass('fetch', author)
  }
  for (const author of authors) pass('send', author)
  meet(world, silent, isSilent)
  return world
}

const removedIn = (strokes: readonly Stroke[]): Id[] =>
  strokes.flatMap((stroke) => ('remove' in stroke ? stroke.remove : []))

/** Finds the places where others met the silent agent. */
const meet = (world: World, silent: string, isSilent: (id: Id) => boolean): void => {
  const { events, meetings, hanging } = world
  const twice = new Set(deletedTwice(world, silent).map((id) => id.join()))
  const removed = new Set<string>()
  for (const event of events) {
    if (event.kind !== 'change' || event.by.name !== silent) continue
    for (const id of removedIn(event.strokes)) removed.add(id.join())
  }
  for (const event of events) {
    if (event.kind !== 'change' || event.by.name === silent) continue
    // They wrote in place of text that the silent agent had deleted, which they did not know yet.
    const blind = removedIn(event.strokes).filter((id) => twice.has(id.join()))
    for (const { own, left, gone, right } of event.inserted) {
      const found = meetings.length
      if (left !== undefined && isSilent(left)) meetings.push({ own, other: left, isBefore: false })
      if (right !== undefined && isSilent(right))
        meetings.push({ own, other: right, isBefore: true })
      for (const other of [...gone.filter((id) => removed.has(id.join())), ...blind]) {
        meetings.push({ own, other, isBefore: false })
      }
      const beside = [left, ...gone, right].filter((id) => id !== undefined)
      const hangs = beside.some((id) => isSilent(id) || hanging.has(id.join()))
      if (hangs || meetings.length > found) for (const id of idsOf(own)) hanging.add(id)
    }
  }
}

/**
 * The same script without one agent, as new documents have it. What that agent and another deleted, both without knowing
 * of the other, counts as deleted by the one whose change came first to the server.
 */
export const rerunWithout = (world: World, silent: string): World => {
  const twice = new Set(deletedTwice(world, silent).map((id) => id.join()))
  const again = newWorld(new Map(world.authors.map(({ name, doc }) => [name, doc.clientID])))
  const of = new Map(again.authors.map((author) => [author.name, author]))
  for (const event of world.events) {
    const by = of.get(event.by.name)!
    if (by.name === silent) continue
    if (event.kind === 'send') send(again, by)
    else if (event.kind === 'fetch') fetch(again, by)
    else if (event.kind === 'change')
      by.doc.transact(() => {
        for (const stroke of event.strokes) strike(textIn(by.doc), stroke, twice)
      })
  }
  return again
}

const strike = (text: Y.Text, stroke: Stroke, twice: ReadonlySet<string>): void => {
  const ids = idsIn(text)
  const indexOf = ([client, clock]: Id): number =>
    ids.findIndex(([a, b]) => a === client && b === clock)
  if ('insert' in stroke) {
    const index = stroke.beside === null ? 0 : indexOf(stroke.beside) + (stroke.isBefore ? 0 : 1)
    text.insert(index, stroke.insert)
    return
  }
  const gone = stroke.remove
    .filter((id) => !twice.has(id.join()))
    .map(indexOf)
    .filter((index) => index !== -1)
  for (const index of gone.sort((a, b) => b - a)) text.delete(index, 1)
}

/** Characters that `name` deleted first, and others, who did not know yet, as well. */
export const deletedTwice = (world: World, name: string): Id[] =>
  deletedTogether(world)
    .filter(({ first, second }) => first === name && second !== name)
    .map(({ id }) => id)

/** Characters that two agents deleted, neither knowing of the other: the one whose change came first, and the other. */
export const deletedTogether = ({
  steps,
  server: { deletes },
}: World): { id: Id; first: string | null; second: string }[] =>
  steps.flatMap(({ by: second, deletes: ranges }) =>
    ranges.flatMap(({ client, clock, length }) =>
      Array.from({ length }, (_, i): Id => [client, clock + i]).flatMap((id) => {
        const run = deletes
          .get(client)
          ?.find((one) => one.clock <= id[1] && id[1] < one.clock + one.length)
        return run === undefined ? [] : [{ id, first: run.by, second }]
      }),
    ),
  )
