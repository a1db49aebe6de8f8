import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { ClawError } from '../../../protocol/errors.ts'
import type { Holdings, NodeAddress } from '../holdings.ts'
import { forwardRequest, forwardUpgrade, type Outcome } from './forwarding.ts'
import { peekJson } from './peek.ts'
import { Pipes } from './pipes.ts'
import { FORWARDED_HEADER, HeadSigner, HeadVerifier } from './signed-head.ts'
import {
  type Asked,
  type Target,
  targetOfBody,
  targetOfRequest,
  targetOfUpgrade,
} from './target.ts'

/** Between two looks for nodes that are gone, while clients are connected to others (milliseconds). */
const LOOK_MS = 1_000
/** A request whose owner is not reached waits for another owner: between two looks, and at most (milliseconds). */
const AGAIN_MS = 200
const LONGEST_WAIT_MS = 4_000

export interface RouterEnv {
  holdings: Holdings
  /** The id of this node. */
  self: string
  /** The secret that the nodes share. */
  key: Buffer
  /** Milliseconds since the epoch. */
  now: () => number
  /** The address of a request's client, as limits count it. */
  addressOf: (request: IncomingMessage) => string
  /** A node forwards this request for a client at `address`, which it counts for. Throws `too_many`. */
  noteClient: (request: IncomingMessage, address: string) => void
  /** Answers a request with an error; with MOVED_HEADER for `moved`. */
  refuse: (request: IncomingMessage, response: ServerResponse, thrown: unknown) => void
  refuseUpgrade: (request: IncomingMessage, socket: Socket, thrown: unknown) => void
  /** Called when this node ended its clients' connections to another one. */
  onCut: (node: string, connections: number) => void
}

/** Sends each request to the node that owns its workspace. */
export class Router {
  readonly #env: RouterEnv
  readonly #signer: HeadSigner
  readonly #verifier: HeadVerifier
  readonly #pipes = new Pipes()
  /** The epoch of each node that clients are connected to. */
  readonly #epochs = new Map<string, string>()
  #timer: NodeJS.Timeout | null = null
  #isClosed = false
  #forwarded = 0

  constructor(env: RouterEnv) {
    this.#env = env
    this.#signer = new HeadSigner(env.key, env.now)
    this.#verifier = new HeadVerifier(env.key, env.self, env.now)
  }

  /** Requests and connections that were sent on to other nodes, so far, and those that are open (count). */
  get counts(): { forwarded: number; open: number } {
    return { forwarded: this.#forwarded, open: this.#pipes.size }
  }

  /** Calls `local` if this node answers the request, else sends it on. */
  request(request: IncomingMessage, response: ServerResponse, local: () => void): void {
    const refuse = (thrown: unknown): void => this.#env.refuse(request, response, thrown)
    let isForwarded: boolean
    try {
      isForwarded = this.#isForwarded(request)
    } catch (thrown) {
      response.setHeader('connection', 'close')
      refuse(thrown)
      return
    }
    const target = targetOfRequest(asked(request))
    if (this.#isHere(target)) {
      local()
      return
    }
    const find = async (): Promise<string | null> => {
      const isInBody = target.by === 'body'
      const real = isInBody ? targetOfBody(asked(request), await peekJson(request)) : target
      return this.#workspaceOf(real)
    }
    this.#route(find, isForwarded, () => response.destroyed, {
      local,
      forward: (to) => {
        const forwarding = { request, to, signed: this.#sign(request, to), pipes: this.#pipes }
        return forwardRequest(forwarding, response)
      },
    }).catch((thrown) => {
      if (response.headersSent) request.socket.destroy()
      else refuse(thrown)
    })
  }

  /** The same for an upgrade request. */
  upgrade(request: IncomingMessage, socket: Socket, first: Buffer, local: () => void): void {
    const refuse = (thrown: unknown): void => this.#env.refuseUpgrade(request, socket, thrown)
    let isForwarded: boolean
    try {
      isForwarded = this.#isForwarded(request)
    } catch (thrown) {
      refuse(thrown)
      return
    }
    const target = targetOfUpgrade(asked(request))
    if (this.#isHere(target)) {
      local()
      return
    }
    this.#route(
      () => this.#workspaceOf(target),
      isForwarded,
      () => socket.destroyed,
      {
        local,
        forward: (to) => {
          const forwarding = { request, to, signed: this.#sign(request, to), pipes: this.#pipes }
          return forwardUpgrade(forwarding, socket, first)
        },
      },
    ).catch(refuse)
  }

  /** Ends the connections to a node that is gone. */
  cut(node: string): void {
    const count = this.#pipes.cut(node)
    this.#epochs.delete(node)
    if (count > 0) this.#env.onCut(node, count)
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#pipes.cutAll()
  }

  /** Checks the signature of a request that another node sends. Throws `not_allowed`, `too_many`. */
  #isForwarded(request: IncomingMessage): boolean {
    const { [FORWARDED_HEADER]: header } = request.headers
    if (header === undefined) return false
    const address = this.#verifier.verify(asked(request), String(header))
    if (address === null) throw forged()
    this.#env.noteClient(request, address)
    return true
  }

  #isHere(target: Target): boolean {
    if (target.by === 'node') return true
    return target.by === 'workspace' && this.#env.holdings.owns(target.name)
  }

  /** The workspace that decides; null: any node answers. */
  async #workspaceOf(target: Target): Promise<string | null> {
    if (target.by === 'workspace') return target.name
    if (target.by !== 'secret') return null
    return (await this.#env.holdings.workspaceOf(target.hash)) ?? target.otherwise
  }

  async #route(
    workspaceOf: () => Promise<string | null>,
    isForwarded: boolean,
    isGone: () => boolean,
    ways: { local: () => void; forward: (to: NodeAddress) => Promise<Outcome> },
  ): Promise<void> {
    const workspace = await workspaceOf()
    const until = performance.now() + LONGEST_WAIT_MS
    // The preferred node claims what is free; this one does for another node, and if that one was not reached.
    let mayDefer = !isForwarded
    for (let isAgain = false; !isGone(); mayDefer = false) {
      const owner = workspace === null ? 'here' : await this.#env.holdings.find(workspace, mayDefer)
      if (owner === 'here') {
        if (!isGone()) ways.local()
        return
      }
      // Nothing is forwarded twice, so that two nodes that disagree cannot send a request round in circles.
      if (isForwarded || this.#isClosed) throw moved(workspace!)
      this.#watch()
      this.#forwarded++
      const outcome = await ways.forward(owner)
      if (outcome === 'done') return
      if (outcome === 'moved') {
        if (isAgain) throw moved(workspace!)
        isAgain = true
      } else {
        if (performance.now() > until) throw moved(workspace!)
        await pause(AGAIN_MS)
      }
    }
  }

  #sign(request: IncomingMessage, to: NodeAddress): string {
    return this.#signer.sign(asked(request), to.id, this.#env.addressOf(request))
  }

  #watch(): void {
    if (this.#timer !== null || this.#isClosed) return
    this.#timer = setInterval(() => void this.#look(), LOOK_MS).unref()
  }

  /** Ends the connections to nodes that are gone, or have lost what they owned: a client that is silent would not notice. */
  async #look(): Promise<void> {
    const connected = this.#pipes.nodes
    if (connected.length === 0) {
      clearInterval(this.#timer!)
      this.#timer = null
      this.#epochs.clear()
      return
    }
    // Without an answer this node knows nothing of the others.
    const nodes = await this.#env.holdings.nodes().catch(() => null)
    if (nodes === null) return
    const byId = new Map(nodes.map((node) => [node.id, node]))
    for (const id of connected) {
      const node = byId.get(id)
      const before = this.#epochs.get(id)
      if (node?.state !== 'up' || (before !== undefined && before !== node.epoch)) this.cut(id)
      else this.#epochs.set(id, node.epoch)
    }
  }
}

const asked = ({ method = 'GET', url = '/', headers }: IncomingMessage): Asked => ({
  ...{ method, url, headers },
})

const moved = (workspace: string): ClawError =>
  new ClawError(
    'moved',
    `the workspace ${workspace} moves to another node right now`,
    'try again at once',
    1,
  )

const forged = (): ClawError =>
  new ClawError(
    'not_allowed',
    `the header ${FORWARDED_HEADER} is not signed by a node of this cluster, or was sent before`,
    'leave it out; nodes need the same database, and clocks less than a minute apart',
  )
