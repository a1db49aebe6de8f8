import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Caller } from '../sync/principal.ts'

/** Hono's types for this server: Node's request and response, and what authentication found. */
export interface HttpEnv {
  Bindings: HttpBindings
  Variables: {
    /** Unset: the request showed no credential, or the route asks for none. */
    caller?: Caller
    /** The credential that the caller showed. */
    secret?: string
  }
}

export type HttpContext = Context<HttpEnv>

/** Node's request. */
export const requestOf = (c: HttpContext): IncomingMessage => c.env.incoming

/** Node's response to a request. */
export const responseTo = (c: HttpContext): ServerResponse => c.env.outgoing as ServerResponse
