import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { ask } from '../auth/members.ts'
import type { Server } from '../server.ts'

/** A token for agents that speak plain HTTP. */
export const httpToken = async (
  server: Pick<Server, 'url'>,
  wanted: { workspace?: string; role?: 'read' | 'write'; http?: string } = {},
): Promise<string> => {
  const made = await ask<{ secret: string }>(server, '/api/admin/invite', {
    ...{ http: '', expires_in: null, workspace: 'default', create: true, ...wanted },
  })
  if (made.error !== undefined) throw new Error(made.error.message)
  return made.data.secret
}

export interface PlainAnswer {
  http: number
  // biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of each field
  [field: string]: any
}

/** A client as anybody writes one: JSON, and a token in the header. */
export class Plain {
  readonly base: string
  readonly headers: Record<string, string>

  constructor(base: string, token: string) {
    this.base = base
    this.headers = { authorization: `Bearer ${token}` }
  }

  async get(path: string): Promise<PlainAnswer> {
    const answer = await globalThis.fetch(this.base + path, { headers: this.headers })
    return { http: answer.status, ...((await answer.json()) as object) }
  }

  /** Polls as most clients do: on a connection of its own, which ends with the answer. */
  poll(agent: string, wait = 0): Promise<PlainAnswer> {
    return new Promise((resolve, reject) => {
      const url = `${this.base}/poll/${agent}?wait=${wait}`
      const options = { agent: false, headers: { ...this.headers, connection: 'close' } } as const
      const asked = request(url, options, (answer) => {
        text(answer).then((body) => {
          resolve({ http: answer.statusCode!, ...(JSON.parse(body) as object) })
        }, reject)
      })
      asked.once('error', reject)
      asked.end()
    })
  }

  async post(path: string, body: object, more: Record<string, string> = {}): Promise<PlainAnswer> {
    const answer = await globalThis.fetch(this.base + path, {
      method: 'POST',
      headers: { ...this.headers, ...more },
      body: new TextEncoder().encode(JSON.stringify(body)), // no Content-Type
    })
    return { http: answer.status, ...((await answer.json()) as object) }
  }
}

export type PlainMessage = PlainAnswer['messages'][number]

/** Polls until what came in is enough; all of it, in order. */
export const polled = async (
  httpAgent: Plain,
  agent: string,
  isEnough: (all: PlainMessage[]) => boolean,
): Promise<PlainMessage[]> => {
  const all: PlainMessage[] = []
  const until = Date.now() + 20_000
  while (!isEnough(all)) {
    if (Date.now() > until) throw new Error(`only ${JSON.stringify(all)} came for ${agent}`)
    all.push(...(await httpAgent.poll(agent, 5)).messages)
  }
  return all
}
