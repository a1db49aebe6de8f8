import type { Duplex } from 'node:stream'
import {
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type McpRequestContext,
  preloadSchemas,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { MAX_SUBSCRIPTIONS } from '../tools/limits.ts'
import type { Team } from '../tools/team.ts'
import { INSTRUCTIONS, TOOLS } from '../tools/tools.ts'
import { listResources, listTemplates, readResource } from './resources.ts'
import { Subscriptions } from './subscriptions.ts'
import { Tools } from './tool-calls.ts'
import { LineTransport } from './transport.ts'

/** The tools are the same as long as a link runs; a client may keep the list for this long, in milliseconds. */
const TOOLS_TTL_MS = 60 * 60_000
/** A person may take this long for the host's dialog, in milliseconds. */
const DIALOG_MS = 10 * 60_000

/** The parts of a server besides the SDK. */
interface Parts {
  team: Team
  tools: Tools
  subscriptions: Subscriptions
}

const newServer = ({ era }: McpRequestContext, { team, tools, subscriptions }: Parts): Server => {
  const server = new Server(
    { name: 'clawlink', version: team.version },
    {
      capabilities: { tools: {}, resources: { subscribe: true, listChanged: true } },
      instructions: INSTRUCTIONS,
      inputRequired: { roundTimeoutMs: DIALOG_MS },
      cacheHints: { 'tools/list': { ttlMs: TOOLS_TTL_MS, cacheScope: 'public' } },
    },
  )
  const canAsk = ({ mcpReq }: ServerContext): boolean => {
    const envelope: { [key: string]: unknown } = { ...mcpReq.envelope }
    const declared = era === 'modern' ? envelope[CLIENT_CAPABILITIES_META_KEY] : undefined
    const capabilities = (declared as ClientCapabilities) ?? server.getClientCapabilities()
    return capabilities?.elicitation !== undefined
  }
  server.setRequestHandler('tools/list', () => ({ tools: structuredClone(TOOLS) as never }))
  server.setRequestHandler('tools/call', ({ params }, context) =>
    tools.call(params.name, params.arguments, { context, canAsk: canAsk(context) }),
  )
  server.setRequestHandler('resources/list', async () => {
    subscriptions.followList()
    return { resources: await listResources(team) }
  })
  server.setRequestHandler('resources/templates/list', () => listTemplates())
  server.setRequestHandler('resources/read', ({ params }, { mcpReq }) =>
    readResource(team, params.uri, mcpReq),
  )
  if (era === 'legacy') {
    server.setRequestHandler('resources/subscribe', ({ params }) => {
      subscriptions.add(params.uri)
      return {}
    })
    server.setRequestHandler('resources/unsubscribe', ({ params }) => {
      subscriptions.remove(params.uri)
      return {}
    })
  }
  subscriptions.tell = {
    updated: (uri) => server.sendResourceUpdated({ uri }),
    listChanged: () => server.sendResourceListChanged(),
  }
  return server
}

/** Builds the SDK's schemas, which the first message would wait for. */
export const warm = (): void => preloadSchemas()

/**
 * Serves one MCP client over `stream`, in the protocol era that its first message selects. Resolves when the client
 * has gone, or after `leaving` has aborted: with the reason `next` another link goes on where this one ends.
 */
export const serveClient = async (
  stream: Duplex,
  team: Team,
  leaving: AbortSignal,
): Promise<void> => {
  const transport = new LineTransport(stream)
  const subscriptions = new Subscriptions(team)
  const tools = new Tools(team)
  transport.onHeard = (message) => subscriptions.hear(message)
  transport.onAnswered = (id) => tools.answered(id)
  const closed = new Promise<void>((resolve) => {
    stream.once('close', resolve)
    if (stream.destroyed) resolve()
  })
  const handle = serveStdio((context) => newServer(context, { team, tools, subscriptions }), {
    transport,
    maxSubscriptions: MAX_SUBSCRIPTIONS,
    onerror: (error) => team.log(`mcp: ${error.message}`),
  })
  const leave = async (): Promise<void> => {
    if (leaving.reason === 'next') transport.mute()
    // Calls that wait end by the same signal, and answer before the connection does.
    await tools.ended()
    await new Promise((resolve) => setImmediate(resolve)) // the SDK sends the results
    if (leaving.reason === 'down') transport.tell({ link: 'down' })
    await handle.close()
  }
  if (leaving.aborted) void leave()
  else leaving.addEventListener('abort', () => void leave(), { once: true })
  await closed
  subscriptions.close()
  await handle.close()
  await tools.ended()
}
