import { once } from 'node:events'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { HEADS_HEADER } from '../../protocol/frames.ts'
import { asOwner, fetch, makeWorkspaces } from './server.ts'

/** A short-lived stand-in for the owner's token, for a URL. */
export const ticketFor = async (sync: string): Promise<string> => {
  const url = new URL('/api/ticket', sync.replace(/^ws/, 'http'))
  const answer = await fetch(url, { method: 'POST' })
  return ((await answer.json()) as { data: { ticket: string } }).data.ticket
}

/** A WebSocket that shows the owner's token; a browser's, which cannot, has a ticket: `ticketFor`. */
export class OwnSocket extends WebSocket {
  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols ?? [], { headers: asOwner(url) })
  }
}

/** A stock y-websocket client, unmodified. */
export const stockClient = (sync: string, room = 'default', doc = new Y.Doc()) => {
  const provider = new WebsocketProvider(sync, room, doc, {
    disableBc: true,
    WebSocketPolyfill: OwnSocket as never,
  })
  const synced = new Promise<void>((resolve) => {
    provider.on('sync', (is: boolean) => is && resolve())
  })
  const close = (): void => {
    provider.destroy()
    provider.awareness.destroy() // its timer would keep the process
  }
  return { doc, provider, synced, close }
}

/** Resolves once `holds` does, looked at after every change of the document. */
export const untilDoc = (doc: Y.Doc, holds: () => boolean): Promise<void> =>
  new Promise((resolve) => {
    const look = () => {
      if (!holds()) return
      doc.off('afterTransaction', look)
      resolve()
    }
    doc.on('afterTransaction', look)
    look()
  })

/** Milliseconds from one look of `until` to the next: a tenth of the time it has waited, between these. */
const LOOK_MS = [5, 50] as const
/** A condition that a quiet machine sees at once takes longer than 20 s on one with ten busy processes a core. */
const PATIENCE_MS = 60_000

/** Resolves once `holds` does; looks again and again, and gives up after `ms`. */
export const until = async (
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = PATIENCE_MS,
): Promise<void> => {
  const began = Date.now()
  while (!(await holds())) {
    const waited = Date.now() - began
    if (waited > ms) throw new Error(`gave up waiting until ${what}`)
    const pause = Math.min(Math.max(waited / 10, LOOK_MS[0]), LOOK_MS[1])
    // Timers alone, of some who look for longer than they wait, would leave files and sockets no turn at all.
    await new Promise((next) => setTimeout(() => setImmediate(next), pause))
  }
}

/** Writes a frame from numbers (varuints) and byte strings (length-prefixed). */
export const frame = (...parts: (number | Uint8Array)[]): Uint8Array =>
  encoding.encode((encoder) => {
    for (const part of parts) {
      if (typeof part === 'number') encoding.writeVarUint(encoder, part)
      else encoding.writeVarUint8Array(encoder, part)
    }
  })

/** Headers of an upgrade request: who it is, and whether it asks for heads. */
type ShownHeaders = { authorization?: string; [HEADS_HEADER]?: string }

/** A bare client on the sync socket: sends exactly what it is told to, and records what comes. */
export class RawClient {
  readonly ws: WebSocket
  /** Payloads of messages, by first number: sync messages as [0, step, bytes], barriers as [100, nonce]. */
  readonly messages: Uint8Array[] = []
  readonly #waiting = new Map<number, () => void>()
  #nonce = 0
  readonly closed: Promise<number>
  onUpdate: (update: Uint8Array) => void = () => {}

  /** `headers` show who it is; left out, the owner. */
  constructor(url: string, headers: ShownHeaders = asOwner(url)) {
    this.ws = new WebSocket(url, { headers })
    this.ws.binaryType = 'nodebuffer'
    this.closed = new Promise((resolve) => this.ws.on('close', resolve))
    this.ws.on('error', () => {})
    this.ws.on('message', (data: Buffer) => this.#read(new Uint8Array(data)))
  }

  /** As the owner it makes the workspace, where there is none. */
  static async open(url: string, headers?: ShownHeaders): Promise<RawClient> {
    const { origin, pathname } = new URL(url.replace(/^ws/, 'http'))
    const workspace = /^\/sync\/(?!default$)([a-z0-9-]+)$/.exec(pathname)?.[1]
    if (headers === undefined && workspace !== undefined) {
      await makeWorkspaces(origin, workspace).catch(() => {}) // why shows in what follows
    }
    const client = new RawClient(url, headers)
    await once(client.ws, 'open')
    return client
  }

  #read(message: Uint8Array): void {
    this.messages.push(message)
    const decoder = decoding.createDecoder(message)
    const type = decoding.readVarUint(decoder)
    if (type === 100) this.#waiting.get(decoding.readVarUint(decoder))?.()
    if (type !== 0) return
    if (decoding.readVarUint(decoder) !== 0) this.onUpdate(decoding.readVarUint8Array(decoder))
  }

  send(bytes: Uint8Array): void {
    this.ws.send(bytes)
  }

  update(update: Uint8Array): void {
    this.send(frame(0, 2, update))
  }

  /** Resolves when the server has everything sent so far on disk; never, if the connection ends before. */
  barrier(): Promise<void> {
    const nonce = ++this.#nonce
    return new Promise((resolve) => {
      this.#waiting.set(nonce, resolve)
      this.send(frame(100, nonce))
    })
  }

  /** Asks for everything from an empty state; `onUpdate` gets it. */
  subscribe(): void {
    this.send(frame(0, 0, new Uint8Array([0])))
  }

  async close(): Promise<void> {
    this.ws.close()
    await this.closed
  }
}

/**
 * A Y.Doc kept in step with the server over a bare client: every local edit is sent, every update applied. Rejects where
 * the connection ends before the server has it all.
 */
export const liveDoc = async (
  url: string,
  doc = new Y.Doc(),
  headers?: { authorization?: string },
) => {
  const client = await RawClient.open(url, headers)
  client.onUpdate = (update) => Y.applyUpdate(doc, update, client)
  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== client && client.ws.readyState === WebSocket.OPEN) client.update(update)
  })
  client.send(frame(0, 0, Y.encodeStateVector(doc)))
  client.send(frame(0, 1, Y.encodeStateAsUpdate(doc)))
  const ended = client.closed.then((code) => {
    throw new Error(`the connection ended with ${code}`)
  })
  await Promise.race([client.barrier(), ended])
  return { client, doc }
}

/** A small seeded random number generator (mulberry32): [0, 1). */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** How often to do what can go wrong at any moment; `CLAWLINK_TEST_LONG=1` (`npm run proof -- kills`) is for more. */
export const orLong = (few: number, many: number): number =>
  process.env.CLAWLINK_TEST_LONG === '1' ? many : few

/** The seed of this run: from SEED, or new; printed, so that a failure can be run again. */
export const runSeed = (name: string): number => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  console.log(`${name}: SEED=${seed}`)
  return seed
}
