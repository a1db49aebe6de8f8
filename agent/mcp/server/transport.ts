import type { Duplex } from 'node:stream'
import {
  type JSONRPCMessage,
  parseJSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/server'
import {
  BURST,
  MAX_DEPTH,
  MAX_LINE_BYTES,
  MAX_RUNNING,
  MAX_UNREAD_BYTES,
  PER_SECOND,
} from '../tools/limits.ts'
import { depthOf } from './depth.ts'

type Id = string | number

const NEWLINE = 0x0a
/** JSON-RPC 2.0, section 5.1; -32000 is the server's own. */
const PARSE_ERROR = -32_700
const INVALID_REQUEST = -32_600
const TOO_MANY = -32_000

const fieldsOf = (message: JSONRPCMessage) =>
  message as { id?: Id; method?: string; params?: { [name: string]: unknown } }

/**
 * MCP over a stream: one JSON-RPC message per line. A client that floods waits; one that sends garbage, too large or
 * too deep messages, or too many requests at a time, gets an error for each of them.
 */
export class LineTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  /** Called with each message of the client, before the server gets it. */
  onHeard: (message: JSONRPCMessage) => void = () => {}
  /** Called once the result of a request is on its way to the client. */
  onAnswered: (id: Id) => void = () => {}
  readonly #stream: Duplex
  /**
   * Marks the ids of requests to the client. Its answer to a request of an earlier link, which has the same number, is
   * not taken for one of this link.
   */
  readonly #mark = `${crypto.randomUUID()}:`
  readonly #running = new Set<Id>()
  #chunks: Buffer[] = []
  #bytes = 0
  #tokens = BURST
  #filledAt = performance.now()
  #lines: Buffer[] = []
  #timer: NodeJS.Timeout | undefined
  #isMuted = false
  #isClosed = false

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  start(): Promise<void> {
    this.#stream.on('data', this.#read)
    this.#stream.on('error', () => {}) // `close` follows
    this.#stream.on('end', () => void this.close())
    this.#stream.on('close', () => void this.close())
    if (this.#stream.destroyed) void this.close()
    return Promise.resolve()
  }

  #read = (chunk: Buffer): void => {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#lines.push(Buffer.concat([...this.#chunks, chunk.subarray(from, end)]))
      this.#chunks = []
      this.#bytes = 0
      from = end + 1
    }
    if (from < chunk.length) {
      this.#chunks.push(chunk.subarray(from))
      this.#bytes += chunk.length - from
    }
    this.#handleLines()
    if (this.#bytes <= MAX_LINE_BYTES) return
    this.#refuse(null, INVALID_REQUEST, `a message has at most ${MAX_LINE_BYTES} bytes`)
    void this.close()
  }

  /** Handles the lines that the client may send by now; the stream rests while some are left. */
  #handleLines(): void {
    const now = performance.now()
    this.#tokens = Math.min(BURST, this.#tokens + ((now - this.#filledAt) * PER_SECOND) / 1000)
    this.#filledAt = now
    while (this.#lines.length > 0 && this.#tokens >= 1 && !this.#isClosed) {
      this.#tokens -= 1
      this.#handle(this.#lines.shift()!)
    }
    if (this.#lines.length === 0 || this.#isClosed) return
    this.#stream.pause()
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#stream.resume()
      this.#handleLines()
    }, 1000 / PER_SECOND)
  }

  #handle(line: Buffer): void {
    const text = line.toString().trim()
    if (text === '') return
    if (line.length > MAX_LINE_BYTES) {
      this.#refuse(null, INVALID_REQUEST, `a message has at most ${MAX_LINE_BYTES} bytes`)
      return
    }
    if (depthOf(text) > MAX_DEPTH) {
      this.#refuse(null, INVALID_REQUEST, `JSON is nested at most ${MAX_DEPTH} levels deep`)
      return
    }
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      this.#refuse(null, PARSE_ERROR, `not JSON: ${(error as Error).message}`)
      return
    }
    let message: JSONRPCMessage
    try {
      message = parseJSONRPCMessage(value)
    } catch {
      const { id } = (value ?? {}) as { id?: unknown }
      const known = typeof id === 'string' || typeof id === 'number' ? id : null
      this.#refuse(known, INVALID_REQUEST, 'not a JSON-RPC 2.0 message')
      return
    }
    this.#deliver(message)
  }

  #deliver(message: JSONRPCMessage): void {
    const { id, method, params } = fieldsOf(message)
    if (method === undefined) {
      const mine = typeof id === 'string' && id.startsWith(this.#mark)
      if (!mine) return // an answer to an earlier link
      Object.assign(message, { id: Number(id.slice(this.#mark.length)) })
    } else if (id !== undefined) {
      if (this.#running.has(id)) {
        this.#refuse(id, INVALID_REQUEST, `a request with the id ${id} is still running`)
        return
      }
      if (this.#running.size >= MAX_RUNNING) {
        this.#refuse(id, TOO_MANY, `at most ${MAX_RUNNING} requests run at a time`)
        return
      }
      this.#running.add(id)
    } else if (method === 'notifications/cancelled') {
      this.#running.delete(params?.requestId as Id)
    }
    this.onHeard(message)
    this.onmessage?.(message)
  }

  #refuse(id: Id | null, code: number, message: string): void {
    this.#write({ jsonrpc: '2.0', id, error: { code, message } })
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { id, method, params } = fieldsOf(message)
    if (method === undefined && id !== undefined) {
      if (!this.#running.delete(id)) return Promise.resolve() // it was cancelled
      this.#write(message)
      this.onAnswered(id)
    } else if (id !== undefined) {
      this.#write({ ...message, id: `${this.#mark}${id}` })
    } else if (method === 'notifications/cancelled') {
      const requestId = `${this.#mark}${params?.requestId}`
      this.#write({ ...message, params: { ...params, requestId } })
    } else this.#write(message)
    return Promise.resolve()
  }

  #write(message: object): void {
    if (this.#isClosed || this.#isMuted) return
    this.#stream.write(`${JSON.stringify(message)}\n`)
    if (this.#stream.writableLength > MAX_UNREAD_BYTES) this.#stream.destroy()
  }

  /** Answers nothing from now on: the next link does, to whom the client repeats what is running. */
  mute(): void {
    this.#isMuted = true
  }

  /** Tells the pipe, which does not tell the client. */
  tell(said: { link: 'down' }): void {
    this.#write(said)
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#lines = []
    this.#stream.end()
    this.onclose?.()
    return Promise.resolve()
  }
}
