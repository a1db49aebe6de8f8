import type { Socket } from 'node:net'
import type { Ask, Say } from '../../client/resident/wire.ts'
import type { Env } from '../command/call.ts'
import type { AgentProgram } from '../command/program.ts'
import type { Runtime } from '../command/runtime.ts'

/** One command's connection to the link. */
export class Connection {
  readonly #socket: Socket
  readonly #gone = new AbortController()
  readonly #onAsk: (connection: Connection, ask: Ask) => void
  readonly #request: Buffer[] = []
  #asked = false
  #acknowledged: ((is: boolean) => void) | null = null

  constructor(socket: Socket, onAsk: (connection: Connection, ask: Ask) => void) {
    this.#socket = socket
    this.#onAsk = onAsk
    socket.on('data', this.#read)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#gone.abort()
      this.#acknowledged?.(false)
    })
  }

  #read = (chunk: Buffer): void => {
    const ends = chunk.includes('\n')
    if (this.#asked) {
      if (ends) this.#acknowledged?.(true)
      return
    }
    this.#request.push(chunk)
    if (!ends) return
    this.#asked = true
    try {
      this.#onAsk(this, JSON.parse(Buffer.concat(this.#request.splice(0)).toString()) as Ask)
    } catch {
      this.#socket.destroy() // not a ClawLink command
    }
  }

  /** Says that MCP may begin, and hands over the socket. */
  beginMcp(): Socket {
    this.#send({ mcp: true })
    return this.take()
  }

  /** Hands over the socket for an attachment; this object reads it no longer. */
  take(): Socket {
    this.#socket.off('data', this.#read)
    return this.#socket
  }

  /** Sends the command to the next link, as this one is leaving. */
  refer(): void {
    this.#send({ next: true })
    this.#socket.end()
  }

  /** Runs the command and sends its result; `leaving` aborts if the next link must run it. */
  async answer(
    ask: Ask,
    host: Runtime,
    { execute }: AgentProgram,
    leaving: AbortSignal,
  ): Promise<void> {
    const { argv, cwd, terminal, progress = false, at, stdin } = ask
    const key = ask.key || crypto.randomUUID() // other programs may send none
    const response = await execute(
      {
        argv,
        cwd,
        terminal,
        progress,
        at,
        key,
        env: ask.env as Env,
        stdin: stdin === null ? null : Buffer.from(stdin, 'base64'),
        signal: AbortSignal.any([this.#gone.signal, leaving]),
        print: async (out) => {
          if (await this.#show({ out })) return
          throw new Error('nobody reads this')
        },
        say: (err) => this.#send({ err }),
        ifStopped: (ifStopped) => this.#send({ ifStopped }),
      },
      host,
    )
    const { stdout: out, stderr: err, code, after, done } = response
    try {
      if (leaving.reason === 'next' && code !== 0) return this.refer()
      if (after === undefined) return this.#send({ out, err, code })
      if (!(await this.#show({ out, err, again: false }))) return
      try {
        await after()
        this.#send({ code })
      } catch (error) {
        this.#send({ err: `error: not acknowledged: ${(error as Error).message}\n`, code: 1 })
      }
    } finally {
      await done()
      this.#socket.end()
    }
  }

  /** Resolves to true once stdout has taken it; false if the caller is gone. */
  #show(said: Say): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#gone.signal.aborted) return resolve(false)
      this.#acknowledged = resolve
      this.#send({ ...said, ack: true })
    })
  }

  #send(said: Say): void {
    this.#socket.write(`${JSON.stringify(said)}\n`)
  }
}
