import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Ask } from '../../client/resident/wire.ts'
import { ClawError } from '../../protocol/errors.ts'
import { Call, type Env, type Request } from '../command/call.ts'
import { presenceOf, readState } from '../command/profile.ts'
import type { AgentProgram, Performed } from '../command/program.ts'
import type { Runtime } from '../command/runtime.ts'
import type { Args } from '../command/verb.ts'
import { approvalIn } from './approval.ts'
import { listOf, markOf } from './shown.ts'
import type { CommandLine } from './tools/command-lines.ts'
import { PROGRESS_MS } from './tools/limits.ts'
import type { Approval, Calling, Listed, Received, Said, Team } from './tools/team.ts'

/** Interval of looks whether a profile has joined meanwhile, in milliseconds. */
const LOOK_MS = 2_000
/** The flags of every command line of a client. */
const OWN_FLAGS = ['relay', 'workspace', 'as', 'token'] as const

/** Carries out command lines; injected, as the verbs stand above this folder. */
export interface Program {
  read: AgentProgram['read']
  perform: (request: Request, host: Runtime) => Promise<Performed>
}

const failed = (thrown: unknown): Said => ({
  text: '',
  notes: [],
  error: ClawError.from(thrown).toBody(),
})

/** The profile of an MCP client: each call is a command line of its own, as the CLI gives it to a link. */
export class ProfileTeam implements Team {
  readonly version: string
  readonly progressMs: number
  readonly log: (line: string) => void
  readonly #ask: Ask
  readonly #host: Runtime
  readonly #program: Program
  readonly #leaving: AbortSignal
  readonly #flags: readonly string[]

  constructor(
    {
      ask,
      host,
      leaving,
      log,
    }: { ask: Ask; host: Runtime; leaving: AbortSignal; log: Team['log'] },
    program: Program,
    args: Args,
  ) {
    this.version = process.env.CLAWLINK_VERSION ?? 'unknown'
    this.progressMs = Number(ask.env.CLAWLINK_MCP_PROGRESS) * 1000 || PROGRESS_MS
    this.log = log
    this.#ask = ask
    this.#host = host
    this.#program = program
    this.#leaving = leaving
    this.#flags = OWN_FLAGS.flatMap((name) => {
      const value = args.values.get(name)
      return value === undefined ? [] : [`--${name}=${value}`]
    })
  }

  keyOf(id: string | number): string {
    return `${this.#ask.key}:${JSON.stringify(id)}`.slice(0, 128)
  }

  #request({ argv, stdin }: CommandLine, { key, at, signal }: Calling): Request {
    return {
      argv: [...this.#flags, ...argv],
      cwd: this.#ask.cwd,
      env: this.#ask.env as Env,
      stdin: stdin === null ? null : Buffer.from(stdin),
      terminal: false,
      at,
      key,
      signal: AbortSignal.any([signal, this.#leaving]),
      print: () => Promise.resolve(),
      say: () => {},
    }
  }

  #call(argv: readonly string[], calling: Calling): Call {
    const request = this.#request({ argv, stdin: null }, calling)
    return new Call(request, this.#program.read(request.argv), this.#host)
  }

  /** A call of the client's own, without a command line of it. */
  #quiet(): Call {
    const { signal } = new AbortController()
    return this.#call(['whoami'], { key: crypto.randomUUID(), at: Date.now(), signal })
  }

  async run(line: CommandLine, calling: Calling): Promise<Said> {
    const request = this.#request(line, calling)
    const { outcome, notes, close } = await this.#program.perform(request, this.#host)
    try {
      if (outcome instanceof ClawError) return { ...failed(outcome), notes }
      const { lines, content, after } = outcome
      await after?.()
      const text = content ?? lines.join('\n')
      return { text, notes: [...notes, ...(outcome.notes ?? [])], error: null }
    } catch (thrown) {
      return failed(thrown)
    } finally {
      await close().catch((error: Error) => this.log(`mcp: ${error.message}`))
    }
  }

  async receive(seconds: number, calling: Calling): Promise<Received> {
    const line = { argv: ['poll', `--wait=${seconds}`], stdin: null }
    const request = this.#request(line, calling)
    const { outcome, notes, close } = await this.#program.perform(request, this.#host)
    const closed = () => close().catch((error: Error) => this.log(`mcp: ${error.message}`))
    // Until they are acknowledged, other commands go on.
    await closed()
    if (outcome instanceof ClawError) {
      return { ...failed(outcome), notes, acknowledge: () => Promise.resolve() }
    }
    const { lines, after } = outcome
    const acknowledge = async (): Promise<void> => {
      try {
        await after?.()
      } catch (error) {
        // They come again, with the same ids.
        this.log(`mcp: not acknowledged: ${(error as Error).message}`)
      } finally {
        await closed()
      }
    }
    const all = [...notes, ...(outcome.notes ?? [])]
    return { text: lines.join('\n'), notes: all, error: null, acknowledge }
  }

  async approvalOf(task: string, does: 'approve' | 'done', calling: Calling): Promise<Approval> {
    let call: Call | null = null
    try {
      call = this.#call(['task', `--task=${task}`], calling)
      return await approvalIn(call, task, does)
    } catch (thrown) {
      return { kind: 'refused', error: ClawError.from(thrown).toBody() }
    } finally {
      await call?.close().catch((error: Error) => this.log(`mcp: ${error.message}`))
    }
  }

  /** Reads the replica, without the server; null where there is none. */
  async #look<T>(read: (call: Call) => Promise<T>): Promise<T | null> {
    let call: Call | null = null
    try {
      call = this.#quiet()
      if (!existsSync(call.at.dir)) return null
      return await read(call)
    } catch (error) {
      this.log(`mcp: ${(error as Error).message}`)
      return null
    } finally {
      await call?.close().catch(() => {})
    }
  }

  async list(): Promise<Listed[]> {
    const listed = await this.#look(async (call) => listOf((await call.place()).replica.doc))
    return listed ?? []
  }

  async changed(signal: AbortSignal): Promise<void> {
    const ends = AbortSignal.any([signal, this.#leaving])
    const listening = await this.#look(async (call) => {
      const place = await call.place()
      // In the background: a host that shows resources is not an agent that waits for its messages.
      const wanted = { changes: true, isBackground: true } as const
      return this.#host.listen(place, presenceOf(readState(call.profile.dir)), wanted)
    })
    if (listening === null) await sleep(LOOK_MS, null, { signal: ends }).catch(() => {})
    else await listening.heard(ends)
  }

  async marksOf(uris: readonly string[]): Promise<Map<string, string>> {
    const marks = await this.#look(async (call) => {
      const { replica } = await call.place()
      const me = call.profile.state.agent_id ?? null
      const unread = me === null ? 0 : await replica.unread(me)
      return new Map(uris.map((uri) => [uri, markOf(replica.doc, uri, { me, unread })]))
    })
    return marks ?? new Map(uris.map((uri) => [uri, '']))
  }
}
