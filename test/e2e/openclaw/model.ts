import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { MODEL } from '../../support/e2e/openclaw-instance.ts'

/** What a model is sent in one request, as far as this reads it. */
interface Message {
  role: string
  content: string | { text?: string }[] | null
  tool_call_id?: string
}
interface Completion {
  stream?: boolean
  messages: Message[]
  tools?: { function: { name: string } }[]
}

export interface ToolCall {
  tool: string
  args: { [name: string]: unknown }
}

/** A turn of an agent: its instructions, what it is told, and the tools it has. */
export interface Turn {
  agent: string
  system: string
  text: string
  tools: string[]
}

/** What an agent does in a turn: tool calls, each of which gets its real result, and at last what it says. */
export type Play = (turn: Turn) => Generator<ToolCall, string, string>

export interface Model {
  url: string
  /** All that was sent, in order. */
  turns: (Turn & { agent: string })[]
  /** The first thing that went wrong in a play. */
  error: () => Error | null
  close: () => void
}

const textOf = ({ content }: Message): string =>
  typeof content === 'string' ? content : (content ?? []).map(({ text }) => text ?? '').join('')

/** What goes on beside the turn OpenClaw appends as another message: events, running programs. */
const isAside = (message: Message): boolean =>
  textOf(message).startsWith('<<<BEGIN_OPENCLAW_INTERNAL')

/**
 * An OpenAI-compatible model that follows a script: `playOf` picks what an agent, known by its API key, does in a turn.
 * The script sees what was really sent and nothing else.
 */
export const startModel = async (
  playOf: (turn: Turn) => Play,
  report: (agent: string, line: string) => void,
): Promise<Model> => {
  const turns: Model['turns'] = []
  const going = new Map<string, { play: Generator<ToolCall, string, string>; agent: string }>()
  let calls = 0
  let failed: Error | null = null

  const answer = (agent: string, { messages, tools = [] }: Completion) => {
    const at = messages.findLastIndex((message) => !isAside(message))
    const last = messages[at]!
    let step: IteratorResult<ToolCall, string>
    let play: Generator<ToolCall, string, string>
    if (last.role === 'tool') {
      play = going.get(last.tool_call_id!)!.play
      going.delete(last.tool_call_id!)
      report(agent, textOf(last))
      step = play.next(textOf(last))
    } else {
      const system = messages
        .filter(({ role }) => role === 'system')
        .map(textOf)
        .join('\n')
      const turn = {
        agent,
        system,
        text: messages.slice(at).map(textOf).join('\n'),
        tools: tools.map((one) => one.function.name),
      }
      turns.push(turn)
      report(agent, `« ${turn.text}`)
      play = playOf(turn)(turn)
      step = play.next()
    }
    if (step.done) {
      report(agent, `» ${step.value}`)
      return { role: 'assistant', content: step.value }
    }
    const { tool, args } = step.value
    report(agent, `$ ${tool === 'exec' ? args.command : `${tool} ${args.path}`}`)
    const id = `call${++calls}`
    going.set(id, { play, agent })
    const call = { name: tool, arguments: JSON.stringify(args) }
    return {
      role: 'assistant',
      content: null,
      tool_calls: [{ id, type: 'function', function: call }],
    }
  }

  const server = createServer(async (request, response) => {
    const agent = /^Bearer key-(\w+)$/.exec(request.headers.authorization ?? '')?.[1] ?? 'nobody'
    const body = await text(request)
    if (!request.url!.endsWith('/chat/completions')) {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ object: 'list', data: [{ id: MODEL, object: 'model' }] }))
      return
    }
    const asked = JSON.parse(body) as Completion
    try {
      send(response, asked.stream === true, answer(agent, asked))
    } catch (error) {
      failed ??= error as Error
      send(response, asked.stream === true, {
        role: 'assistant',
        content: `The script failed: ${error}`,
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    turns,
    error: () => failed,
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

const send = (
  response: ServerResponse,
  stream: boolean,
  message: { content: string | null; role: string; tool_calls?: object[] },
): void => {
  const reason = message.tool_calls === undefined ? 'stop' : 'tool_calls'
  const about = { id: 'c1', created: 1, model: MODEL }
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
  if (!stream) {
    response.setHeader('content-type', 'application/json')
    const choices = [{ index: 0, message, finish_reason: reason }]
    response.end(JSON.stringify({ ...about, object: 'chat.completion', choices, usage }))
    return
  }
  response.setHeader('content-type', 'text/event-stream')
  const chunk = (delta: object, finish_reason: string | null) =>
    `data: ${JSON.stringify({
      ...about,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason }],
      ...(finish_reason !== null && { usage }),
    })}\n\n`
  const tool_calls = message.tool_calls?.map((call, index) => ({ index, ...call }))
  response.write(chunk({ ...message, ...(tool_calls && { tool_calls }) }, null))
  response.end(`${chunk({}, reason)}data: [DONE]\n\n`)
}
