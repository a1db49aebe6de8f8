import { createHmac, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { randomHex } from '../../../lib/random.ts'
import { ReplayWindow } from './replay-window.ts'

/** In a request that a node forwards: its client's address, signed. Clients that send it are rejected. */
export const FORWARDED_HEADER = 'clawlink-forwarded'
/** The version of this header; a node rejects others. */
const VERSION = '1'
/** Largest difference between the clocks of two nodes (milliseconds), and age of a signature. */
export const SKEW_MS = 60_000

/** The parts of a request that a signature covers, beside the client's address. */
export interface Head {
  method: string
  url: string
}

/** Signs the heads of the requests that one node forwards. */
export class HeadSigner {
  readonly #key: Buffer
  readonly #now: () => number
  /** Names this process: counters begin anew with each start. */
  readonly #series = randomHex(8)
  #count = 0

  /** `key`: the secret that the nodes share. */
  constructor(key: Buffer, now: () => number) {
    this.#key = key
    this.#now = now
  }

  /** The header of a request to the node `to` for a client at `address`. */
  sign(head: Head, to: string, address: string): string {
    const said = [VERSION, this.#now(), this.#series, ++this.#count, address].join(' ')
    return `${said} ${codeOf(this.#key, said, head, to)}`
  }
}

/** Checks the signed heads of the requests that other nodes forward to this one. */
export class HeadVerifier {
  readonly #key: Buffer
  readonly #self: string
  readonly #now: () => number
  readonly #seen: ReplayWindow

  /** `self`: the id of this node; a head signed for another one is rejected. */
  constructor(key: Buffer, self: string, now: () => number) {
    this.#key = key
    this.#self = self
    this.#now = now
    this.#seen = new ReplayWindow(2 * SKEW_MS)
  }

  /** The client's address; null: the header is forged, old, of another request, or was sent before. */
  verify(head: Head, header: string): string | null {
    const [version, at, series, count, address, code, ...more] = header.split(' ')
    if (version !== VERSION || code === undefined || more.length > 0) return null
    const said = header.slice(0, header.length - code.length - 1)
    if (!isSame(code, codeOf(this.#key, said, head, this.#self))) return null
    const now = this.#now()
    if (!(Math.abs(now - Number(at)) <= SKEW_MS) || !isAddress(address!)) return null
    return this.#seen.isNew(series!, Number(count), now) ? address! : null
  }
}

const codeOf = (key: Buffer, said: string, { method, url }: Head, to: string): string =>
  createHmac('sha256', key)
    .update(JSON.stringify(['clawlink-forwarded', said, to, method, url]))
    .digest('base64url')

const isSame = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

/** An address as limits count it: IPv4, or the network of an IPv6 address. */
const isAddress = (text: string): boolean => isIP(text.replace(/\/64$/, '')) !== 0
