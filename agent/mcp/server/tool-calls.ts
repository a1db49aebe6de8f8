import {
  type CallToolResult,
  type InputRequiredResult,
  isInputRequiredResult,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { ClawError, type ErrorBody } from '../../../protocol/errors.ts'
import { commandLineOf } from '../tools/command-lines.ts'
import { MAX_RESULT_CHARACTERS } from '../tools/limits.ts'
import { type Input, readInput, toolNamed } from '../tools/read-input.ts'
import type { Calling, Received, Said, Team } from '../tools/team.ts'
import { TOOLS } from '../tools/tools.ts'
import { Approvals } from './approvals.ts'

type Result = CallToolResult | InputRequiredResult
type Id = string | number

/** The part of a call that is not its arguments. */
export interface Caller {
  context: ServerContext
  /** True if the host can show a dialog. */
  canAsk: boolean
}

const block = (text: string) => ({ type: 'text' as const, text })

const cut = (text: string): string => {
  const more = text.length - MAX_RESULT_CHARACTERS
  return more <= 0 ? text : `${text.slice(0, MAX_RESULT_CHARACTERS)}…(+${more} characters)`
}

/** An error as the CLI prints it. A model can look up its code. */
export const errorLine = ({ code, message, hint }: ErrorBody): string =>
  `error: ${message}${hint === '' ? '' : ` — ${hint}`} (${code})`

/** The output of a command as the result of a tool. */
export const resultOf = ({ text, notes, error }: Said): CallToolResult => {
  const parts = text === '' ? [] : [block(cut(text))]
  const lines = error === null ? notes : [...notes, errorLine(error)]
  if (lines.length > 0 || parts.length === 0) parts.push(block(lines.join('\n') || 'done'))
  if (error === null) return { content: parts }
  const { code, hint, retryable } = error
  return { content: parts, isError: true, _meta: { 'clawlink/error': { code, hint, retryable } } }
}

/** Leaves out the line of `prime` that names the next commands: a model has tools. */
const withoutCommands = (said: Said): Said => ({
  ...said,
  text: said.text.replace(/\n?^next: .*$/m, ''),
})

const failed = (error: ErrorBody): CallToolResult => resultOf({ text: '', notes: [], error })

/** The calls of one client. */
export class Tools {
  readonly #team: Team
  readonly #approvals: Approvals
  readonly #running = new Set<Promise<unknown>>()
  /** Messages that a call returns, by the id of its request, until the answer is on its way. */
  readonly #returned = new Map<Id, Received>()
  /** Messages whose answer is on its way: the next call acknowledges them. */
  #handedOut: Received[] = []

  constructor(team: Team) {
    this.#team = team
    this.#approvals = new Approvals(team)
  }

  /** Never throws: an error is the result. */
  call(name: string, args: unknown, caller: Caller): Promise<Result> {
    const result = this.#call(name, args, caller).catch((thrown) => {
      const error = ClawError.from(thrown)
      if (error.code === 'bug') this.#team.log(`mcp: ${name}: ${(thrown as Error).stack}`)
      return failed(error.toBody())
    })
    this.#running.add(result)
    return result.finally(() => this.#running.delete(result))
  }

  async #call(name: string, args: unknown, { context, canAsk }: Caller): Promise<Result> {
    const { id, signal } = context.mcpReq
    const calling = { key: this.#team.keyOf(id), at: Date.now(), signal }
    const given = this.#handedOut.splice(0)
    for (const received of given) await received.acknowledge()
    const tool = toolNamed(TOOLS, name)
    const input = readInput(tool, args)
    const stop = this.#progress(context)
    try {
      if (name === 'inbox') return await this.#inbox(id, input, calling)
      const line = commandLineOf(name, Object.keys(args ?? {}), input)
      const does = input.text('do')
      const approves = name === 'task' && (does === 'approve' || does === 'done')
      const judged = approves
        ? await this.#approvals.judge(input.text('id')!, does, { context, canAsk, calling })
        : null
      if (judged !== null) return isInputRequiredResult(judged) ? judged : resultOf(judged as Said)
      const said = await this.#team.run(line, calling)
      return resultOf(name === 'prime' ? withoutCommands(said) : said)
    } finally {
      stop()
    }
  }

  async #inbox(id: Id, input: Input, calling: Calling): Promise<CallToolResult> {
    const received = await this.#team.receive(input.number('wait') ?? 0, calling)
    if (received.error === null && !calling.signal.aborted) this.#returned.set(id, received)
    return resultOf(received)
  }

  /** The answer to this request is on its way to the client. */
  answered(id: Id): void {
    const received = this.#returned.get(id)
    this.#returned.delete(id)
    if (received !== undefined) this.#handedOut.push(received)
  }

  /** Tells the client, if it wants to know, that the call still runs. The result ends that. */
  #progress({ mcpReq }: ServerContext): () => void {
    const token = mcpReq._meta?.progressToken
    if (token === undefined) return () => {}
    let progress = 0
    const timer = setInterval(() => {
      progress += 1
      const params = { progressToken: token, progress, message: 'waiting' }
      mcpReq
        .notify({ method: 'notifications/progress', params })
        .catch((error: Error) => this.#team.log(`mcp: ${error.message}`))
    }, this.#team.progressMs)
    return () => clearInterval(timer)
  }

  /** Resolves when no call runs any more. */
  async ended(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running)
  }
}
