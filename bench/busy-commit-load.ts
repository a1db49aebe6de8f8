import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { readSyncMessage } from 'y-protocols/sync'
import * as Y from 'yjs'
import { serveJobs } from './programs.ts'
import { connectRaw, type RawClient } from './raw-client.ts'
import { clientFrame, readServerFrames, WIRES } from './wire.ts'
import { documentUpdates, type Shape, writerUpdates } from './workload.ts'

/** The load generator: it writes bursts of updates, reads them, and applies them in a Yjs client. */
export interface BusyCommitJob {
  port: number
  load: Load
  bursts: number
}

/** `appended`: four writers, each into texts of its own; a shape: one writer, in one text. */
export type Load = 'appended' | Shape

export interface BusyCommitResult {
  /** Messages that the reader got (count). */
  messages: number
  /** CPU time to apply these messages, and to apply the same updates one by one (ms). */
  asSent: number
  single: number
}

export const BURST = 32
const WRITERS = 4
/** Bursts that are sent before the reader has the first of them (count): the server is never idle. */
const UNDER_WAY = 2
const ROOM = 'busy'
/** A step that takes longer hangs (ms). */
const LIMIT = 60_000
const MICROSECONDS = 1_000

const { stock } = WIRES

/** The updates of each burst, by writer. */
const burstsOf = (load: Load, bursts: number): Uint8Array[][][] => {
  const all =
    load === 'appended'
      ? Array.from({ length: WRITERS }, (_, writer) =>
          writerUpdates(writer, (bursts * BURST) / WRITERS),
        )
      : [documentUpdates(load, bursts * BURST)]
  const each = BURST / all.length
  return Array.from({ length: bursts }, (_, burst) =>
    all.map(({ updates }) => updates.slice(burst * each, (burst + 1) * each)),
  )
}

/** Applies messages as the stock provider does, which has a listener for updates. */
const applied = (messages: readonly Uint8Array[]): { ms: number; doc: Y.Doc } => {
  const doc = new Y.Doc()
  const provider = {}
  let own = 0
  doc.on('update', (_update: Uint8Array, origin: unknown) => {
    if (origin !== provider) own++
  })
  const began = process.cpuUsage()
  for (const message of messages) {
    const decoder = decoding.createDecoder(message)
    decoding.readVarUint(decoder)
    readSyncMessage(decoder, encoding.createEncoder(), doc, provider)
  }
  const { user, system } = process.cpuUsage(began)
  if (own > 0) throw new Error('an update came from nowhere')
  return { ms: (user + system) / MICROSECONDS, doc }
}

const hasAll = (doc: Y.Doc, clocks: ReadonlyMap<number, number>): boolean => {
  for (const [client, clock] of clocks) if (Y.getState(doc.store, client) < clock) return false
  return true
}

/** Resolves to the update messages that the reader gets until it has all of the bursts. */
const capture = async (port: number, bursts: readonly Uint8Array[][][]): Promise<Buffer[]> => {
  const writers: RawClient[] = await Promise.all(
    bursts[0]!.map(() => connectRaw(stock, port, ROOM)),
  )
  // As many as make a commit of a burst go out merged.
  const others = await Promise.all([connectRaw(stock, port, ROOM), connectRaw(stock, port, ROOM)])
  const reader = await connectRaw(stock, port, ROOM)
  const messages: Buffer[] = []
  const seen = new Y.Doc()
  let rest = Buffer.alloc(0)
  let wake = (): void => {}
  reader.onBytes = (bytes) => {
    const { messages: came, read } = readServerFrames(Buffer.concat([rest, bytes]))
    rest = Buffer.concat([rest, bytes]).subarray(read)
    for (const message of came) {
      const update = stock.unwrap(message)
      if (update === null) continue
      messages.push(Buffer.from(message))
      Y.applyUpdate(seen, update)
    }
    wake()
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${LIMIT} ms`)), LIMIT)
  })
  const expected = new Y.Doc()
  const states: Map<number, number>[] = []
  for (const burst of bursts) {
    for (const [number, updates] of burst.entries()) {
      for (const update of updates) Y.applyUpdate(expected, update)
      const frames = updates.map((update) => clientFrame(stock.wrap(ROOM, update)))
      writers[number]!.send(Buffer.concat(frames))
    }
    states.push(Y.decodeStateVector(Y.encodeStateVector(expected)))
    const isLast = burst === bursts.at(-1)
    while (states.length > (isLast ? 0 : UNDER_WAY - 1)) {
      if (hasAll(seen, states[0]!)) states.shift()
      else {
        const more = new Promise<void>((resolve) => {
          wake = resolve
        })
        await Promise.race([more, late])
      }
    }
  }
  clearTimeout(timer)
  for (const client of [...writers, ...others, reader]) client.close()
  return messages
}

serveJobs<BusyCommitJob, BusyCommitResult>(async ({ port, load, bursts: count }) => {
  const bursts = burstsOf(load, count)
  const sent = await capture(port, bursts)
  const single = bursts.flat(2).map((update) => stock.wrap(ROOM, update))
  // The first run of each compiles it.
  for (const messages of [single, sent]) applied(messages)
  const [one, merged] = [applied(single), applied(sent)]
  for (const name of one.doc.share.keys()) {
    const [text, same] = [one.doc, merged.doc].map((doc) => doc.getText(name).toString())
    if (text !== same) throw new Error(`the documents differ in ${name}`)
  }
  return { messages: sent.length, asSent: merged.ms, single: one.ms }
})
