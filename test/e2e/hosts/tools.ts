import { deepEqual, match } from 'node:assert/strict'
import { until } from '../../support/client.ts'
import type { Kind } from './kind.ts'
import type { Model, Play, Turn } from './model/scripted-model.ts'
import { IDLE_MS, idle, openSession, type Session } from './session.ts'
import type { Team } from './team.ts'

const TOOLS = ['file', 'find', 'inbox', 'prime', 'say', 'task']
/** Names of the tools begin so in Claude Code: by the plugin, and by `claude mcp add`. */
const SERVERS = ['mcp__plugin_clawlink_clawlink__', 'mcp__clawlink__']
/** Claude Code moves a call to the background after this long (ms). */
const BACKGROUND_MS = 4_000
const WAKE_MS = 60_000

/** Names of ClawLink's tools by their last word. */
const shortOf = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    names.filter((name) => /clawlink/.test(name)).map((name) => [name.replace(/.*_/, ''), name]),
  )

/** Codex calls tools from JavaScript. */
const script = (code: string) => ({ tool: 'exec', input: { script: code } })

/** A host may take prompts before its tools are there: so many. */
const PROMPTS = 10
const DONE = 'Tools work.'

/** A turn that lists ClawLink's tools, calls one, and with `wait` leaves a call of inbox open. */
export const callTools = (wait: boolean): Play =>
  function* ({ tools, text }: Turn) {
    if (!/^hello$/m.test(text)) return 'I have looked.'
    if (tools.includes('exec')) {
      const listed = yield script('text(ALL_TOOLS.map(({ name }) => name).join(" "))')
      const short = shortOf(listed.split(/\s+/))
      if (short.prime === undefined) return 'I have no tools yet.'
      deepEqual(Object.keys(short).sort(), TOOLS)
      const prime = yield script(`text(JSON.stringify(await tools.${short.prime}({})))`)
      match(prime, /you: a-/)
      return DONE
    }
    // Claude Code names the tools only, until the model asks for them.
    const asked = { query: `select:${SERVERS.flatMap((at) => TOOLS.map((name) => at + name))}` }
    const found = tools.includes('ToolSearch') ? yield { tool: 'ToolSearch', input: asked } : ''
    const short = shortOf([...tools, ...found.split(/\s+/)])
    if (short.prime === undefined) return 'I have no tools yet.'
    deepEqual(Object.keys(short).sort(), TOOLS)
    match(yield { tool: short.prime!, input: {} }, /you: a-/)
    if (wait) match(yield { tool: short.inbox!, input: { wait: 600 } }, /background/i)
    return DONE
  }

/** The host lists the six tools that `hosts install` gives it, and calls one. */
export const listTools = async (
  kind: Kind,
  { team, model, path }: { team: Team; model: Model; path: string },
): Promise<void> => {
  const name = `${kind.name}-tools`
  const home = await team.newMember(name, path)
  kind.setUp(home, model.url(name))
  await home.run('clawlink-agent', 'hosts', 'install', kind.name)
  const session = await openSession(kind, { home, name, model })
  try {
    await promptUntilDone(session, model)
  } finally {
    await session.close()
  }
}

/** Prompts until the host has called the tools. Throws what went wrong in the script. */
const promptUntilDone = async (session: Session, model: Model, busy = 0): Promise<void> => {
  for (let i = 0; model.said(session.name) !== DONE; i++) {
    const error = model.error()
    if (error !== null) throw error
    if (i === PROMPTS) throw new Error(`${session.name} has no tools:\n${session.screen()}`)
    await session.prompt('hello')
    await idle(model, session.name, IDLE_MS + busy)
  }
}

/** Claude Code with the tools alone: from a delegation to the turn that the open call of inbox starts (ms). */
export const wakeByTool = async (
  kind: Kind,
  { team, model, path }: { team: Team; model: Model; path: string },
): Promise<number> => {
  const name = `${kind.name}-wait`
  const home = await team.newMember(name, path)
  kind.setUp(home, model.url(name))
  await home.run(
    'claude',
    'mcp',
    'add',
    '--scope',
    'user',
    'clawlink',
    '--',
    'clawlink-agent',
    'mcp',
  )
  const env = (url: string) => ({
    ...kind.env(url),
    CLAUDE_CODE_MCP_AUTO_BACKGROUND_MS: String(BACKGROUND_MS),
  })
  const busy = 2 * BACKGROUND_MS
  const session = await openSession({ ...kind, env }, { home, name, model, busy })
  try {
    await promptUntilDone(session, model, busy)
    const before = model.turns.length
    const { began } = await team.delegate(name, 'Look')
    const turn = () => model.turns.slice(before).find((one) => one.session === name)
    await until(`${name} woke`, () => turn() !== undefined, WAKE_MS)
    return turn()!.at - began
  } finally {
    await session.close()
  }
}
