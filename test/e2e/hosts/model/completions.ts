import { type Dialect, sendEvents, textIn } from './dialect.ts'

interface Message {
  role: string
  content: unknown
  tool_call_id?: string
}
interface Body {
  stream?: boolean
  messages: Message[]
  tools?: { function: { name: string } }[]
}

const ABOUT = { id: 'c1', created: 1, model: 'scripted' }
const USAGE = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }

/** OpenAI's Chat Completions API, which opencode and OpenClaw speak to a model of one's own. */
export const completions: Dialect = {
  path: '/v1/chat/completions',
  read: (raw) => {
    const { messages, tools = [], stream } = raw as Body
    const last = messages.slice(messages.findLastIndex(({ role }) => role === 'assistant') + 1)
    const names = tools.map((tool) => tool.function.name)
    return {
      results: last
        .filter(({ role }) => role === 'tool')
        .map(({ tool_call_id, content }) => ({ id: tool_call_id!, text: textIn(content) })),
      text: textIn(last.filter(({ role }) => role === 'user').map(({ content }) => content)),
      shell: ['bash', 'exec'].find((name) => names.includes(name)) ?? null,
      tools: names,
      isStream: stream === true,
    }
  },
  shellInput: (tool, command) =>
    tool === 'exec' ? { command, yieldMs: 30_000 } : { command, description: 'clawlink' },
  send: (response, answer, isStream) => {
    const isCall = 'call' in answer
    const message = {
      role: 'assistant',
      content: isCall ? null : answer.say,
      ...(isCall && {
        tool_calls: [
          {
            ...{ index: 0, id: answer.id, type: 'function' },
            function: { name: answer.call, arguments: JSON.stringify(answer.input) },
          },
        ],
      }),
    }
    const finish_reason = isCall ? 'tool_calls' : 'stop'
    if (!isStream) {
      const choices = [{ index: 0, message, finish_reason }]
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ ...ABOUT, object: 'chat.completion', choices, usage: USAGE }))
      return
    }
    const chunk = (delta: object, reason: string | null) => ({
      ...{ ...ABOUT, object: 'chat.completion.chunk' },
      choices: [{ index: 0, delta, finish_reason: reason }],
    })
    const last = { ...chunk({}, finish_reason), usage: USAGE }
    sendEvents(response, [chunk(message, null), last], 'data: [DONE]\n\n')
  },
}
