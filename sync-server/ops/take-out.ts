import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { checkDocument } from '../../workspace/document/check.ts'
import { pathOf } from '../../workspace/document/contents.ts'
import { TypePlaces } from '../../workspace/document/places.ts'
import type { Stored } from '../storage/update-log.ts'
import { docOf } from '../sync/updates/document.ts'
import { disarm, type Poison } from './disarm.ts'

/** Something that was taken out of a document: where it stood, why it could not stay, and what it was. */
export interface TakenOut {
  root: string
  /** The place in words. */
  path: string
  /** The Yjs operations that held it: of whom, from which on, how many. */
  client: number
  clock: number
  length: number
  reason: string
  /** As JSON; left out where it has none. */
  value?: unknown
  /** Its content as it was stored (yjs, V1 encoding, base64), where it is no JSON. */
  bytes?: string
}

/** Rounds of checks (count): a removal may uncover another problem, such as the value it had replaced. */
const MOST_ROUNDS = 8

/**
 * The stored document without the parts that break the grammar or cannot be written again. They are deleted in it, so
 * every replica deletes them, and clocks stay as they were. Throws Unreadable if no document can be built.
 */
export const takeOut = (stored: Stored, what: string): { doc: Y.Doc; taken: TakenOut[] } => {
  const { checkpoint, tail } = stored
  const updates: Uint8Array[] = []
  const poison = new Map<string, Poison>()
  for (const one of checkpoint === null ? tail : [checkpoint, ...tail]) {
    const { update, taken } = disarm(one)
    updates.push(update)
    for (const piece of taken) poison.set(`${piece.client}:${piece.clock}`, piece)
  }
  const doc = docOf({ checkpoint: null, tail: updates, seq: stored.seq }, what)
  const taken = [...poison.values()].map((piece) => describe(doc, piece))
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const problems = checkDocument(doc)
    if (problems.length === 0) break
    for (const { code: _, ...problem } of problems) {
      taken.push({ ...problem, ...heldBy(doc, problem) })
    }
    doc.transact(() => {
      // Nested problems come after their parents, so go from the inside out.
      for (const problem of problems.reverse()) Y.applyUpdate(doc, deletionOf(problem))
    })
  }
  return { doc, taken }
}

const describe = (doc: Y.Doc, { bytes, ...piece }: Poison): TakenOut => {
  const places = new TypePlaces(doc)
  const item = places.at(Y.createID(piece.client, piece.clock))
  const parent = item instanceof Y.Item ? item.parent : null
  const place = parent instanceof Y.AbstractType ? places.of(parent) : null
  const key = item instanceof Y.Item ? item.parentSub : null
  return {
    ...{ root: place?.root ?? '', path: place === null ? '' : pathOf(place, key) },
    ...piece,
    bytes: Buffer.from(bytes).toString('base64'),
  }
}

/** Content of operations, as JSON if possible. */
const heldBy = (
  doc: Y.Doc,
  { client, clock, length }: Pick<TakenOut, 'client' | 'clock' | 'length'>,
): Pick<TakenOut, 'value' | 'bytes'> => {
  const item = Y.getItem(doc.store, Y.createID(client, clock))
  if (!(item instanceof Y.Item)) return {}
  const at = clock - item.id.clock
  const content =
    at === 0 && length === item.length ? item.content : partOf(item.content, at, length)
  try {
    const value = plainOf(content)
    if (value !== undefined && JSON.stringify(value) !== undefined) return { value }
  } catch {
    // No JSON.
  }
  const encoder = new Y.UpdateEncoderV1()
  content.write(encoder, 0)
  return { bytes: Buffer.from(encoding.toUint8Array(encoder.restEncoder)).toString('base64') }
}

/** Some of what an item holds; the item stays whole. */
const partOf = (content: Y.Item['content'], at: number, length: number): Y.Item['content'] => {
  const copy = content.copy()
  const part = at === 0 ? copy : copy.splice(at)
  if (length < part.getLength()) part.splice(length)
  return part
}

const plainOf = (content: Y.Item['content']): unknown => {
  if (content instanceof Y.ContentFormat) return { [content.key]: content.value }
  if (content instanceof Y.ContentType) return content.type.toJSON()
  if (content instanceof Y.ContentBinary || content instanceof Y.ContentDoc) return undefined
  const values = content.getContent()
  if (content instanceof Y.ContentString) return values.join('')
  return values.length === 1 ? values[0] : values
}

/** An update that deletes operations of one client, and does nothing else. */
const deletionOf = ({ client, clock, length }: Omit<Poison, 'bytes' | 'reason'>): Uint8Array =>
  encoding.encode((to) => {
    for (const number of [0, 1, client, 1, clock, length]) encoding.writeVarUint(to, number)
  })
