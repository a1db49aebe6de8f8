import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { completions } from './completions.ts'
import type { Answer, Asked, Dialect } from './dialect.ts'
import { messages } from './messages.ts'
import { responses } from './responses.ts'

const DIALECTS: readonly Dialect[] = [messages, responses, completions]

/** A turn that a host began. */
export interface Turn {
  /** Whose it is: the first part of the path that its host was given. */
  session: string
  /** When its first request was there whole, in milliseconds of `performance.now()`. */
  at: number
  text: string
  tools: string[]
}

/** A step of a play: a command for the shell tool, or a call of any tool by its name. */
export type Step = string | { tool: string; input: object }

/** What the model does in a turn: steps, each with its real output, and at last what it says. */
export type Play = (turn: Turn) => Generator<Step, string, string>

export interface Model {
  /** The base address for a session; the host appends `/v1/…`, or has it in its settings. */
  url: (session: string) => string
  turns: Turn[]
  /** How many requests have come, titles and summaries included, by session. */
  requests: Map<string, number>
  /** The last words of a session's turn. */
  said: (session: string) => string | undefined
  /** The first thing that went wrong in a play; null: none. */
  error: () => Error | null
  close: () => void
}

/**
 * A model server on loopback that speaks the APIs of all hosts and follows a script: `playOf` picks
 * what is done in a turn. The script sees what the host sent and nothing else.
 */
export const startModel = async (
  playOf: (turn: Turn) => Play,
  report: (session: string, line: string) => void = () => {},
): Promise<Model> => {
  const turns: Turn[] = []
  const requests = new Map<string, number>()
  const going = new Map<string, Generator<Step, string, string>>()
  const said = new Map<string, string>()
  let calls = 0
  let failed: Error | null = null

  const answerTo = (session: string, asked: Asked, dialect: Dialect, at: number): Answer => {
    if (asked.shell === null) return { say: 'ClawLink' }
    const result = asked.results.findLast(({ id }) => going.has(id))
    let play = result && going.get(result.id)
    if (play === undefined) {
      const turn = { session, at, text: asked.text, tools: asked.tools }
      turns.push(turn)
      report(session, `« ${asked.text}`)
      play = playOf(turn)(turn)
    } else {
      going.delete(result!.id)
      report(session, result!.text)
    }
    const step = result === undefined ? play.next() : play.next(result.text)
    report(session, step.done ? `» ${step.value}` : `$ ${JSON.stringify(step.value)}`)
    if (step.done) said.set(session, step.value)
    if (step.done) return { say: step.value }
    const id = `call${++calls}`
    going.set(id, play)
    if (typeof step.value !== 'string') {
      return { call: step.value.tool, id, input: step.value.input }
    }
    return { call: asked.shell, id, input: dialect.shellInput(asked.shell, step.value) }
  }

  const server = createServer(async (request, response) => {
    const body = await text(request)
    const at = performance.now()
    const { pathname } = new URL(request.url!, 'http://host')
    const session = pathname.split('/')[1]!
    const dialect = DIALECTS.find(({ path }) => pathname.endsWith(path))
    if (dialect === undefined || request.method !== 'POST') {
      response.setHeader('content-type', 'application/json')
      response.statusCode = pathname.endsWith('/models') ? 200 : 404
      response.end('{"object":"list","data":[]}')
      return
    }
    requests.set(session, (requests.get(session) ?? 0) + 1)
    const asked = dialect.read(JSON.parse(body))
    let answer: Answer
    try {
      answer = answerTo(session, asked, dialect, at)
    } catch (error) {
      failed ??= error as Error
      answer = { say: `The script failed: ${error}` }
    }
    dialect.send(response, answer, asked.isStream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: (session) => `http://127.0.0.1:${port}/${session}`,
    turns,
    requests,
    said: (session) => said.get(session),
    error: () => failed,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
