import { type ClientOptions, Client as Modern } from '@modelcontextprotocol/client'
import { StdioClientTransport as ModernTransport } from '@modelcontextprotocol/client/stdio'
import { Client as V1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { bin } from '../server.ts'

/** The protocol eras, and the lines of the SDK that speak them. */
export type Era = 'modern' | 'legacy' | 'v1'
export const ERAS: readonly Era[] = ['modern', 'legacy', 'v1']

/** What a tool answered. */
export interface Called {
  text: string
  isError: boolean
  code: string | null
  hint: string | null
}

interface CallOptions {
  signal?: AbortSignal
  onprogress?: (progress: { progress: number }) => void
  timeout?: number
  resetTimeoutOnProgress?: boolean
}

interface Result {
  content?: unknown
  isError?: unknown
  _meta?: unknown
}

/** A host: a client of the SDK on a real `clawlink-agent mcp`. */
export interface Host {
  client: Modern
  pid: number
  call: (tool: string, args?: Record<string, unknown>, options?: CallOptions) => Promise<Called>
  close: () => Promise<void>
}

export interface HostOptions {
  home: string
  server: string | undefined
  era?: Era
  args?: readonly string[]
  env?: Record<string, string>
  /** Answers the dialogs of the host; absent: it has none. */
  decide?: (message: string) => { action: string; content?: Record<string, unknown> }
  client?: ClientOptions
}

const envOf = ({ home, server, env }: HostOptions): Record<string, string> => {
  const all = { ...process.env, CLAWLINK_HOME: home, CLAWLINK_AGENT: '', CLAWLINK_LINK: '' }
  const given = { ...all, ...(server !== undefined && { CLAWLINK_SERVER: server }), ...env }
  return Object.fromEntries(
    Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}

export const readResult = ({ content, isError, _meta }: Result): Called => {
  const texts = (content as { text?: string }[]).map(({ text = '' }) => text)
  const error = (_meta as { 'clawlink/error'?: { code: string; hint: string } } | undefined)?.[
    'clawlink/error'
  ]
  return {
    text: texts.join('\n'),
    isError: isError === true,
    code: error?.code ?? null,
    hint: error?.hint ?? null,
  }
}

/** Starts a host; its process is a real one. */
export const openHost = async (options: HostOptions): Promise<Host> => {
  const { era = 'modern', args = [], decide } = options
  const started = {
    command: process.execPath,
    args: [bin('clawlink-agent.cjs'), 'mcp', ...args],
    env: envOf(options),
    stderr: 'inherit' as const,
  }
  const about = { name: 'test-host', version: '1.0.0' }
  const capabilities = decide === undefined ? {} : { elicitation: {} }
  const transport = era === 'v1' ? new V1Transport(started) : new ModernTransport(started)
  const mode = era === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' }
  const client =
    era === 'v1'
      ? (new V1(about, { capabilities }) as unknown as Modern)
      : new Modern(about, { capabilities, versionNegotiation: { mode }, ...options.client })
  if (decide !== undefined) {
    if (era === 'v1') {
      const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
      ;(client as unknown as V1).setRequestHandler(
        ElicitRequestSchema,
        ({ params }) => decide(params.message) as never,
      )
    } else {
      client.setRequestHandler(
        'elicitation/create',
        ({ params }) => decide(params.message) as never,
      )
    }
  }
  await client.connect(transport as never)
  return {
    client,
    pid: transport.pid!,
    call: async (name, given = {}, more = {}) => {
      const asked = { name, arguments: given }
      const result =
        era === 'v1'
          ? await (client as unknown as V1).callTool(asked, undefined, more as never)
          : await client.callTool(asked, more as never)
      return readResult(result as Result)
    },
    close: () => client.close(),
  }
}

/** Calls `inbox` until what it returns has `text` in it; other messages may come before. */
export const hear = async (host: Host, text: string, first?: Promise<Called>): Promise<Called> => {
  for (let said = await (first ?? host.call('inbox', { wait: 60 })); ; ) {
    if (said.text.includes(text)) return said
    if (said.isError || said.text === 'nothing new') throw new Error(`no ${text}: ${said.text}`)
    said = await host.call('inbox', { wait: 60 })
  }
}

/** Calls `inbox` until nothing is left in it. */
export const drain = async (host: Host): Promise<void> => {
  while ((await host.call('inbox')).text !== 'nothing new');
}
