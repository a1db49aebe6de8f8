import { request } from 'node:http'
import { hostname } from 'node:os'
import { text } from 'node:stream/consumers'

/** What `requests` raises for an error: all that ClawLink 1.x's CLI shows of one. */
export class HttpError extends Error {
  readonly status: number
  readonly body: string

  constructor(status: number, reason: string, url: string, body: string) {
    super(`${status} ${status < 500 ? 'Client' : 'Server'} Error: ${reason} for url: ${url}`)
    this.status = status
    this.body = body
  }
}

// biome-ignore lint/suspicious/noExplicitAny: JSON, as Python has it
type Json = any

/**
 * ClawLink 1.x's client.py, request by request: `token` as 1.0.1 sends it, or in the URL as its password, which is all that
 * 1.0.0 can. Each request has a connection of its own; an agent has a new id at each registration, and keeps the one that is
 * answered.
 */
export class Client1x {
  readonly #base: string
  readonly #token: string | null
  agentId: string | null = null

  constructor(base: string, token: string | null) {
    this.#base = base
    this.#token = token
  }

  async call(method: string, endpoint: string, data?: object): Promise<Json> {
    const { origin, pathname, username, password } = new URL(`${this.#base}/${endpoint}`)
    const basic = Buffer.from(`${username}:${password}`).toString('base64')
    const answer = await new Promise<{ status: number; reason: string; body: string }>(
      (resolve, reject) => {
        const asked = request(`${origin}${pathname}`, {
          ...{ method, agent: false },
          headers: {
            ...{ 'user-agent': 'python-requests/2.32.3', accept: '*/*', connection: 'close' },
            'content-type': 'application/json',
            ...(this.#token !== null && { authorization: `Bearer ${this.#token}` }),
            ...(password !== '' && { authorization: `Basic ${basic}` }),
          },
        })
        asked.once('error', reject)
        asked.once('response', (response) => {
          const { statusCode: status = 0, statusMessage: reason = '' } = response
          text(response).then((body) => resolve({ status, reason, body }), reject)
        })
        asked.end(data === undefined ? undefined : JSON.stringify(data))
      },
    )
    const { status, reason, body } = answer
    if (status >= 400) throw new HttpError(status, reason, `${origin}${pathname}`, body)
    return JSON.parse(body)
  }

  async register(name: string, capabilities: string[] = [], machine = hostname()): Promise<Json> {
    const agent_id = crypto.randomUUID().slice(0, 8)
    const given = { agent_id, name, capabilities, machine, description: '' }
    const result = await this.call('POST', 'register', given)
    this.agentId = result.agent.agent_id
    return result
  }

  async discover(): Promise<Json[]> {
    return (await this.call('GET', 'discover')).agents
  }

  heartbeat(): Promise<Json> {
    return this.call('POST', 'heartbeat', { agent_id: this.agentId })
  }

  delegate(to_agent: string, task: Json, context: Json = {}, priority: Json = 'normal') {
    const from_agent = this.agentId
    return this.call('POST', 'delegate', { from_agent, to_agent, task, context, priority })
  }

  broadcast(content: Json, topic = 'general', tags: string[] = []): Promise<Json> {
    return this.call('POST', 'broadcast', { from_agent: this.agentId, content, topic, tags })
  }

  async poll(): Promise<Json[]> {
    return (await this.call('GET', `poll/${this.agentId ?? 'None'}`)).messages
  }

  /** Polls until that many have come: what is delegated is offered a moment later. */
  async polls(count: number): Promise<Json[]> {
    const all = await this.poll()
    while (all.length < count) all.push(...(await this.poll()))
    return all
  }

  respond(to_agent: string, message_id: string, result: Json, status = 'completed') {
    const from_agent = this.agentId
    return this.call('POST', 'respond', { from_agent, to_agent, message_id, result, status })
  }

  filePut(file_key: string, content: string, file_type = 'text'): Promise<Json> {
    return this.call('POST', 'files', { file_key, content, agent_id: this.agentId, file_type })
  }

  fileGet(file_key: string): Promise<Json> {
    return this.call('GET', `files/${file_key}`)
  }

  async fileList(): Promise<Json[]> {
    return (await this.call('GET', 'files')).files
  }

  info(): Promise<Json> {
    return this.call('GET', '')
  }
}
