import { type Dialect, sendEvents, textIn } from './dialect.ts'

interface Tool {
  name?: string
  type: string
  /** Of a namespace. */
  tools?: Tool[]
}
interface Item {
  type?: string
  role?: string
  call_id?: string
  output?: unknown
  content?: unknown
  /** Newer models get their tools as an item of the input. */
  tools?: Tool[]
}
interface Body {
  input: Item[]
  tools?: Tool[]
  /** With a format, the host asks for a value, such as a title. */
  text?: { format?: object }
}

const isOfModel = ({ type, role }: Item): boolean =>
  role === 'assistant' || type === 'reasoning' || (type?.endsWith('_call') ?? false)

const namesOf = (tools: readonly Tool[]): string[] =>
  tools.flatMap(({ type, name, tools }) => (tools === undefined ? [name ?? type] : namesOf(tools)))

/** OpenAI's Responses API, which Codex speaks. The shell tool is JavaScript that calls the shell. */
export const responses: Dialect = {
  path: '/v1/responses',
  read: (raw) => {
    const { input, tools = [], text } = raw as Body
    const last = input.slice(input.findLastIndex(isOfModel) + 1)
    const isTurn = text?.format === undefined
    const names = namesOf([...tools, ...input.flatMap(({ tools }) => tools ?? [])])
    return {
      results: last
        .filter(({ call_id }) => call_id !== undefined)
        .map(({ call_id, output }) => ({ id: call_id!, text: textIn(output) })),
      text: textIn(last.filter(({ role }) => role === 'user').map(({ content }) => content)),
      shell: ['exec', 'exec_command'].find((name) => isTurn && names.includes(name)) ?? null,
      tools: names,
      isStream: true,
    }
  },
  shellInput: (tool, command) => {
    const input = { cmd: command, yield_time_ms: 30_000 }
    if (tool === 'exec_command') return input
    return { script: `text((await tools.exec_command(${JSON.stringify(input)})).output)` }
  },
  send: (response, answer) => {
    const item = 'call' in answer ? callItem(answer) : messageItem(answer.say)
    const usage = {
      ...{ input_tokens: 1, input_tokens_details: null },
      ...{ output_tokens: 1, output_tokens_details: null, total_tokens: 2 },
    }
    sendEvents(response, [
      { type: 'response.created', response: { id: 'resp_1' } },
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response: { id: 'resp_1', output: [item], usage } },
    ])
  },
}

const messageItem = (say: string): object => ({
  ...{ type: 'message', role: 'assistant', id: 'msg_1' },
  content: [{ type: 'output_text', text: say }],
})

const callItem = ({ call, id, input }: { call: string; id: string; input: object }): object => {
  const about = { id: `fc_${id}`, call_id: id, name: call }
  if ('script' in input) return { type: 'custom_tool_call', ...about, input: input.script }
  return { type: 'function_call', ...about, arguments: JSON.stringify(input) }
}
