import { deepEqual, match } from 'node:assert/strict'
import { until } from '../../support/client.ts'
import type { Kind } from './kind.ts'
import type { Model, Play, Turn } from './model/scripted-model.ts'
import { openSession } from './session.ts'
import type { Team } from './team.ts'

const TOOLS = ['file', 'find', 'inbox', 'prime', 'say', 'task']
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

/** A turn that lists ClawLink's tools, calls one, and with `wait` leaves a call of inbox open. */
export const callTools = (wait: boolean): Play =>
  function* ({ tools, text }: Turn) {
    if (!/^hello$/m.test(text)) return 'I have looked.'
    if (tools.includes('exec')) {
      const listed = yield script('text(ALL_TOOLS.map(({ name }) => name).join(" "))')
      const short = shortOf(listed.split(/\s+/))
      deepEqual(Object.keys(short).sort(), TOOLS)
      const prime = yield script(`text(JSON.stringify(await tools.${short.prime}({})))`)
      match(prime, /you: a-/)
      return 'Tools work.'
    }
    const short = shortOf(tools)
    deepEqual(Object.keys(short).sort(), TOOLS)
    match(yield { tool: short.prime!, input: {} }, /you: a-/)
    if (wait) match(yield { tool: short.inbox!, input: { wait: 600 } }, /background/i)
    return 'Tools work.'
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
  await session.close()
  const error = model.error()
  if (error !== null) throw error
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
  const session = await openSession({ ...kind, env }, { home, name, model, busy: BACKGROUND_MS })
  try {
    const error = model.error()
    if (error !== null) throw error
    const before = model.turns.length
    const { began } = await team.delegate(name, 'Look')
    const turn = () => model.turns.slice(before).find((one) => one.session === name)
    await until(`${name} woke`, () => turn() !== undefined, WAKE_MS)
    return turn()!.at - began
  } finally {
    await session.close()
  }
}
