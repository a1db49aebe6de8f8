import { type Dialect, sendEvents, textIn } from './dialect.ts'

interface Block {
  type: string
  tool_use_id?: string
  content?: unknown
  text?: string
}
interface Body {
  model: string
  stream?: boolean
  messages: { role: string; content: string | Block[] }[]
  tools?: { name: string }[]
}

const USAGE = { input_tokens: 1, output_tokens: 1 }

/** Anthropic's Messages API, which Claude Code speaks. */
export const messages: Dialect = {
  path: '/v1/messages',
  read: (raw) => {
    const { messages: all, tools = [], stream } = raw as Body
    const from = all.findLastIndex(({ role }) => role === 'assistant') + 1
    const blocks = all
      .slice(from)
      .flatMap(({ content }) =>
        typeof content === 'string' ? [{ type: 'text', text: content } as Block] : content,
      )
    const names = tools.map(({ name }) => name)
    return {
      results: blocks
        .filter(({ type }) => type === 'tool_result')
        .map(({ tool_use_id, content }) => ({ id: tool_use_id!, text: textIn(content) })),
      text: textIn(blocks.filter(({ type }) => type === 'text')),
      shell: names.includes('Bash') ? 'Bash' : null,
      tools: names,
      isStream: stream === true,
    }
  },
  shellInput: (_, command) => ({ command, description: 'clawlink' }),
  send: (response, answer, isStream) => {
    const isCall = 'call' in answer
    const block = isCall
      ? { type: 'tool_use', id: answer.id, name: answer.call, input: answer.input }
      : { type: 'text', text: answer.say }
    const about = { id: 'msg_1', type: 'message', role: 'assistant', model: 'scripted' }
    const stop = { stop_reason: isCall ? 'tool_use' : 'end_turn', stop_sequence: null }
    if (!isStream) {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ ...about, content: [block], ...stop, usage: USAGE }))
      return
    }
    const empty = isCall ? { ...block, input: {} } : { type: 'text', text: '' }
    const delta = isCall
      ? { type: 'input_json_delta', partial_json: JSON.stringify(answer.input) }
      : { type: 'text_delta', text: answer.say }
    const message = { ...about, content: [], stop_reason: null, stop_sequence: null, usage: USAGE }
    sendEvents(response, [
      { type: 'message_start', message },
      { type: 'content_block_start', index: 0, content_block: empty },
      { type: 'content_block_delta', index: 0, delta },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: stop, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ])
  },
}
