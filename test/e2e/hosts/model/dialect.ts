import type { ServerResponse } from 'node:http'

/** What a host asks of its model in one request, as far as the script reads it. */
export interface Asked {
  /** Ids of the tool calls whose results end this request; empty: a new turn, or one that is steered. */
  results: { id: string; text: string }[]
  /** What the turn is told, whatever comes after the last answer of the model. */
  text: string
  /** The name of the tool that runs a command; null: the host asks for a title, a summary or the like. */
  shell: string | null
  /** Names of all tools. */
  tools: string[]
  isStream: boolean
}

/** What the script answers: words that end the turn, or a tool call. */
export type Answer = { say: string } | { call: string; id: string; input: object }

/** One API that hosts speak to their model. */
export interface Dialect {
  /** How a request's path ends. */
  path: string
  read: (body: unknown) => Asked
  /** The input of the shell tool of that name which runs `command`. */
  shellInput: (tool: string, command: string) => object
  send: (response: ServerResponse, answer: Answer, isStream: boolean) => void
}

/** The text in a content: a string, or parts with a text, a content or the name of a tool. */
export const textIn = (content: unknown): string => {
  if (typeof content === 'string') return content
  if (Array.isArray(content)) return content.map(textIn).filter(Boolean).join('\n')
  const part = (content ?? {}) as { text?: unknown; content?: unknown; tool_name?: unknown }
  const inner = part.text ?? part.content ?? part.tool_name
  return inner === undefined ? '' : textIn(inner)
}

/** Server-sent events, one JSON value each. */
export const sendEvents = (response: ServerResponse, events: readonly object[], end = ''): void => {
  response.setHeader('content-type', 'text/event-stream')
  for (const event of events) {
    const name = 'type' in event ? `event: ${event.type}\n` : ''
    response.write(`${name}data: ${JSON.stringify(event)}\n\n`)
  }
  response.end(end)
}
