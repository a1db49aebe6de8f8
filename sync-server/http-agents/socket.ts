import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import * as z from 'zod'
import { Mutex } from '../../lib/mutex.ts'
import { randomHex } from '../../lib/random.ts'
import { ClawError } from '../../protocol/errors.ts'
import { CLOSE } from '../../protocol/frames.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { forged } from '../auth/stored/refusals.ts'
import { MAX_UNDONE_FRAMES, REVOKED_MS, SLOW_READER_MS } from '../config/limits.ts'
import { httpWords } from '../http/http-words.ts'
import { parse, parseJson } from '../http/request.ts'
import { requestError } from '../storage/store-error.ts'
import type { ActionContext } from './context.ts'
import type { AgentsEnv } from './env.ts'
import type { HttpAgent } from './http-agent.ts'
import { firstOf, inbox } from './inbox.ts'
import {
  BroadcastBody,
  broadcastPlain,
  DelegateBody,
  delegatePlain,
  heartbeatPlain,
} from './v1-bodies.ts'
import { RespondBody, respondPlain } from './v1-respond.ts'
import { error1x, messages1x } from './v1-shapes.ts'

/** The handler of each frame by its `type`; the answer has a `type` too. */
const FRAMES: Readonly<Record<string, (act: ActionContext, frame: unknown) => Promise<object>>> = {
  heartbeat: async (act) => ({ type: 'heartbeat_ack', ...heartbeatPlain(act) }),
  delegate: async (act, frame) => ({
    type: 'delegated',
    ...(await delegatePlain(act, parse(DelegateBody, frame))),
  }),
  broadcast: async (act, frame) => ({
    type: 'broadcast_sent',
    ...(await broadcastPlain(act, parse(BroadcastBody, frame))),
  }),
  respond: async (act, frame) => ({
    type: 'response_sent',
    ...(await respondPlain(act, parse(RespondBody, frame))),
  }),
}
const Frame = z.looseObject({
  type: z.string().max(64),
  from_agent: z.string().nullish(),
  agent_id: z.string().nullish(),
  /** As the header Idempotency-Key. */
  idempotency_key: z.string().min(1).max(128).nullish(),
})

const inWords = (error: ClawError) => {
  const body = error.toBody()
  return error1x({ ...body, hint: httpWords(body.hint, true) })
}

/**
 * ClawLink 1.x's WebSocket: delivers an agent's messages; the agent is present while it is
 * connected. A ping follows each batch. Its pong acknowledges the batch: every WebSocket library
 * sends pongs by itself and in order. A batch without a pong at the end of the connection is
 * delivered again; until then no other request gets it.
 */
export class HttpAgentSocket {
  readonly httpAgent: HttpAgent
  readonly #ws: WebSocket
  readonly #socket: Socket
  readonly #check: () => void
  readonly #unsent: (bytes: number) => void
  /** Bytes received at the last heartbeat; null before the first. */
  #heardAtBeat: number | null = null
  readonly #env: AgentsEnv
  readonly #ended = new AbortController()
  readonly #leave: () => void
  readonly #frames = new Mutex()
  #undone = 0
  /** The unanswered ping, and its time. */
  #asked: { nonce: string; at: number; answered: () => void } | null = null

  /**
   * `check` throws once the credential has ended; `unsent` receives the bytes that wait to
   * be sent.
   */
  constructor(
    ws: WebSocket,
    socket: Socket,
    httpAgent: HttpAgent,
    env: AgentsEnv,
    check: () => void,
    unsent: (bytes: number) => void,
  ) {
    this.#ws = ws
    this.#unsent = unsent
    this.#check = check
    this.#socket = socket
    this.httpAgent = httpAgent
    this.#env = env
    this.#leave = env.httpAgents.enter(httpAgent)
    ws.on('pong', (data) => {
      if (data.toString('hex') === this.#asked?.nonce) this.#asked.answered()
    })
    ws.once('close', () => {
      this.#ended.abort()
      this.#leave()
    })
    void this.#run()
  }

  async #run(): Promise<void> {
    const { httpAgent } = this
    const signal = AbortSignal.any([this.#ended.signal, this.#env.httpAgents.ending])
    const act = { env: this.#env, httpAgent, key: null }
    try {
      while (!signal.aborted) {
        const { lot } = await inbox(act, {}, signal, firstOf, true)
        if (lot.length === 0) continue
        for (const message of messages1x(lot)) this.#send(message)
        if (await this.#arrived(signal)) await httpAgent.acknowledge(lot)
        else httpAgent.giveBack(lot)
      }
    } catch (thrown) {
      const error = requestError(thrown, this.#env.trouble())
      if (error.code === 'bug') this.#env.log.error({ err: thrown }, 'a WebSocket failed')
      this.#send({ type: 'error', ...inWords(error) })
      this.close(CLOSE.storageFailed, error.message)
    }
  }

  /** True once the client has received all sent frames; false if the connection ended before. */
  #arrived(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    const nonce = randomHex(8)
    return new Promise((resolve) => {
      const end = (arrived: boolean): void => {
        this.#asked = null
        signal.removeEventListener('abort', onAbort)
        resolve(arrived)
      }
      const onAbort = (): void => end(false)
      signal.addEventListener('abort', onAbort)
      const at = this.#env.now()
      this.#asked = { nonce, at, answered: () => end(true) }
      this.#ws.ping(Buffer.from(nonce, 'hex'))
    })
  }

  /** Handles a frame of the agent; calls `done` after the answer. */
  receive(text: string, done: () => void): void {
    // The socket pauses at this number of unanswered frames.
    if (++this.#undone === MAX_UNDONE_FRAMES) this.#ws.pause()
    void this.#frames
      .run(async () => {
        if (!this.#ended.signal.aborted) this.#send(await this.#do(text))
        done()
        if (this.#undone-- === MAX_UNDONE_FRAMES) this.#ws.resume()
      })
      .catch((err) => {
        // The answer cannot be written as JSON.
        this.#env.log.error({ err }, 'a frame could not be answered')
        this.close(CLOSE.storageFailed, 'it could not be answered')
      })
  }

  /** Handles one frame. Never rejects: errors are answers. */
  async #do(text: string): Promise<object> {
    try {
      const frame = parse(Frame, parseJson(text))
      const { httpAgent } = this
      const named = [frame.from_agent, frame.agent_id].find(
        (id) => id != null && id !== httpAgent.agent,
      )
      if (named != null) {
        throw forged(`this connection is ${httpAgent.agent}'s, and speaks for nobody else`)
      }
      const answer = Object.hasOwn(FRAMES, frame.type) ? FRAMES[frame.type] : undefined
      if (answer === undefined) {
        const known = Object.keys(FRAMES).join(', ')
        throw new ClawError('usage', `unknown frame type "${frame.type}"`, `one of: ${known}`)
      }
      this.#env.httpAgents.seen(httpAgent)
      return await answer({ env: this.#env, httpAgent, key: frame.idempotency_key ?? null }, frame)
    } catch (thrown) {
      const error = requestError(thrown, this.#env.trouble())
      if (error.code === 'bug') this.#env.log.error({ err: thrown }, 'a frame failed')
      return {
        ...{ type: 'error', ...inWords(error) },
        server_time: isoTime(this.#env.now()),
      }
    }
  }

  #send(what: object): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.send(JSON.stringify(what))
    this.#unsent(this.#ws.bufferedAmount)
  }

  /**
   * Sends a ping. Cuts the connection if nothing came since the last ping, or if a message is not acknowledged in
   * time.
   */
  beat(now: number): void {
    const { bytesRead } = this.#socket
    const isSilent = bytesRead === this.#heardAtBeat
    this.#heardAtBeat = bytesRead
    this.#unsent(this.#ws.bufferedAmount)
    if (isSilent) this.#ws.terminate()
    else if (this.#asked !== null && now - this.#asked.at > SLOW_READER_MS) {
      this.close(CLOSE.slowReader, 'a message was not acknowledged in time')
    } else if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping()
    try {
      this.#check()
    } catch (error) {
      this.close(CLOSE.unauthorized, ClawError.from(error).message)
    }
  }

  /** Nothing that the other side does can hold it up for long. */
  close(code: number, reason: string): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.close(code, reason.slice(0, 120))
    setTimeout(() => this.#ws.terminate(), REVOKED_MS).unref()
  }
}

/** The WebSockets of HTTP agents: an agent has one at a time. */
export class HttpAgentSockets {
  readonly #sockets = new Map<string, HttpAgentSocket>()

  /** Replaces the agent's former WebSocket. */
  open(...what: ConstructorParameters<typeof HttpAgentSocket>): HttpAgentSocket {
    const [ws, , httpAgent] = what
    const key = `${httpAgent.room.name}/${httpAgent.agent}`
    this.#sockets
      .get(key)
      ?.close(CLOSE.replaced, 'another connection of this agent takes its place')
    const socket = new HttpAgentSocket(...what)
    this.#sockets.set(key, socket)
    ws.once('close', () => {
      if (this.#sockets.get(key) === socket) this.#sockets.delete(key)
    })
    return socket
  }

  of(agent: string, workspace: string): HttpAgentSocket | undefined {
    return this.#sockets.get(`${workspace}/${agent}`)
  }

  get all(): Iterable<HttpAgentSocket> {
    return this.#sockets.values()
  }
}
