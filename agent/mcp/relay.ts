/** The two ends of a relay; `open` resolves to true once `toLink` leads to another link. */
export interface Ends {
  toHost: (line: string) => void
  toLink: (line: string) => void
  open: () => Promise<boolean>
}

type Id = string | number

/** The parts of a message that a relay looks at. */
interface Message {
  id?: unknown
  method?: unknown
  params?: { uri?: unknown; requestId?: unknown; _meta?: { [key: string]: unknown } }
  /** Not MCP: the link was taken down. */
  link?: unknown
}

/** A request that the host waits for. */
interface Waiting {
  line: string
  /** Links that were lost over it (count). */
  lost: number
  isListening: boolean
}

/** Links that may be lost over one request; then it is answered with an error, as it may be the cause. */
const MAX_LOST = 3
/** Subscriptions that are repeated to the next link (count). */
const MAX_SUBSCRIBED = 256
/** Bytes of requests that wait; a host that sends more gets errors. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024
/** JSON-RPC 2.0: internal error. */
const INTERNAL_ERROR = -32_603
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

const isId = (id: unknown): id is Id => typeof id === 'string' || typeof id === 'number'

const parse = (line: string): Message | null => {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}

/**
 * Carries messages between a host, which lasts, and links, which do not. The next link gets the handshake again, the
 * subscriptions, and each request that has no answer. A repeated request has the same id, so its effect is not repeated.
 */
export class Relay {
  readonly #ends: Ends
  readonly #waiting = new Map<Id, Waiting>()
  #waitingBytes = 0
  /** The handshake of the era before 2026-07-28. */
  #initialize: { id: Id; line: string } | null = null
  #initialized: string | null = null
  readonly #subscribed = new Map<string, { id: Id; line: string }>()
  /** Ids of repeated requests that the host has the answer to. */
  readonly #repeated = new Set<Id>()
  /** Subscriptions that the host knows to be acknowledged. */
  readonly #acknowledged = new Set<Id>()
  /** Requests of this link to the host. */
  readonly #asked = new Set<Id>()
  #isOpen = true
  #isOpening = false
  #isDown = false
  #isClosed = false

  constructor(ends: Ends) {
    this.#ends = ends
  }

  /** Takes a line of the host. The link gets lines that are not messages as well, and answers with an error. */
  fromHost(line: string): void {
    const message = parse(line)
    if (message === null) {
      this.#send(line)
      return
    }
    const { id, method, params } = message
    if (typeof method !== 'string') {
      // The link that asked is gone, or has withdrawn the question.
      if (isId(id) && this.#asked.delete(id)) this.#send(line)
      return
    }
    if (method === 'notifications/cancelled' && isId(params?.requestId)) {
      this.#forget(params.requestId)
    }
    if (method === 'notifications/initialized') this.#initialized = line
    if (!isId(id)) {
      this.#send(line)
      return
    }
    if (this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.#fail(id, 'too many requests wait for an answer')
      return
    }
    if (method === 'initialize') this.#initialize = { id, line }
    if (typeof params?.uri === 'string') this.#follow(method, params.uri, { id, line })
    // A second request of the same id is refused by the link; the first one still waits.
    if (!this.#waiting.has(id)) {
      this.#waiting.set(id, { line, lost: 0, isListening: method === 'subscriptions/listen' })
      this.#waitingBytes += line.length
    }
    if (this.#isOpen) this.#ends.toLink(line)
    else this.#reopen()
  }

  #follow(method: string, uri: string, request: { id: Id; line: string }): void {
    if (method === 'resources/unsubscribe') this.#subscribed.delete(uri)
    if (method !== 'resources/subscribe' || this.#subscribed.size >= MAX_SUBSCRIBED) return
    this.#subscribed.set(uri, request)
  }

  /** Without a link a notification has nobody to go to. */
  #send(line: string): void {
    if (this.#isOpen) this.#ends.toLink(line)
  }

  #forget(id: Id): void {
    this.#waitingBytes -= this.#waiting.get(id)?.line.length ?? 0
    this.#waiting.delete(id)
    this.#acknowledged.delete(id)
  }

  /** A line of the link. */
  fromLink(line: string): void {
    const message = parse(line)
    const { id, method, params } = message ?? {}
    if (message?.link === 'down') {
      this.#isDown = true
      return
    }
    if (typeof method === 'string') {
      if (isId(id)) this.#asked.add(id)
      if (method === 'notifications/cancelled' && isId(params?.requestId)) {
        this.#asked.delete(params.requestId)
      }
      if (method === 'notifications/subscriptions/acknowledged') {
        const subscription = params?._meta?.[SUBSCRIPTION_ID]
        if (isId(subscription) && this.#acknowledged.has(subscription)) return
        if (isId(subscription)) this.#acknowledged.add(subscription)
      }
    } else if (isId(id)) {
      if (this.#repeated.delete(id)) return
      this.#forget(id)
    }
    this.#ends.toHost(line)
  }

  /**
   * The link is gone. Where the host waits for something the next one is opened at once, else with the host's next
   * request; after `down` always so, as somebody wants it to be down.
   */
  lost(): void {
    this.#isOpen = false
    this.#repeated.clear()
    for (const requestId of this.#asked) {
      const params = { requestId, reason: 'the link was lost' }
      this.#ends.toHost(
        JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }),
      )
    }
    this.#asked.clear()
    for (const [id, one] of this.#waiting) {
      one.lost += 1
      if (this.#isDown) this.#fail(id, 'the link was taken down')
      else if (one.lost > MAX_LOST && !one.isListening) {
        this.#fail(id, `the link ended ${one.lost} times over this`)
      }
    }
    const isNeeded = this.#waiting.size > 0 || this.#subscribed.size > 0
    if (isNeeded && !this.#isDown) this.#reopen()
    this.#isDown = false
  }

  #reopen(): void {
    if (this.#isOpening || this.#isClosed) return
    this.#isOpening = true
    void this.#ends
      .open()
      .catch(() => false)
      .then((isOpen) => {
        this.#isOpening = false
        if (this.#isClosed) return
        this.#isOpen = isOpen
        if (isOpen) {
          this.#repeat()
          return
        }
        for (const id of this.#waiting.keys()) this.#fail(id, 'no link can be started')
      })
  }

  #repeat(): void {
    const begins = this.#initialize
    if (begins !== null && !this.#waiting.has(begins.id)) {
      this.#repeated.add(begins.id)
      this.#ends.toLink(begins.line)
      if (this.#initialized !== null) this.#ends.toLink(this.#initialized)
    }
    for (const { id, line } of this.#subscribed.values()) {
      if (this.#waiting.has(id)) continue
      this.#repeated.add(id)
      this.#ends.toLink(line)
    }
    for (const { line } of this.#waiting.values()) this.#ends.toLink(line)
  }

  #fail(id: Id, message: string): void {
    this.#forget(id)
    const error = { code: INTERNAL_ERROR, message, data: { hint: 'call again' } }
    this.#ends.toHost(JSON.stringify({ jsonrpc: '2.0', id, error }))
  }

  /** The host is gone. */
  close(): void {
    this.#isClosed = true
    this.#isOpen = false
  }
}
