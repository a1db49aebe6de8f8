import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { shellWord } from '../../lib/text/quote.ts'
import { type Launch, launcherText } from './launcher.ts'
import type { HostName } from './names.ts'
import { readmeText } from './readme.ts'

/** A file to write. */
export interface HostFile {
  text: string
  isProgram?: true
}

/** Files by their path in a folder, with `/` between its parts. */
export type HostFiles = Readonly<Record<string, HostFile>>

/** The package that this program is part of. */
export interface Package {
  /** Its folder, with `skills/` and `LICENSE`. */
  dir: string
  version: string
}

export const LAUNCHER = 'bin/clawlink-agent'
const DESCRIPTION =
  'One team of AI agents on several machines: tasks, messages, presence and conflict-free shared files.'
/** Time limit of a hook, in seconds: the first command of a session may start the link. */
const HOOK_SECONDS = 30

const json = (value: object): HostFile => ({ text: `${JSON.stringify(value, null, 2)}\n` })

/** All files below a folder, as they are. */
const filesBelow = (dir: string): Record<string, HostFile> =>
  Object.fromEntries(
    readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .map((path) => [
        path.slice(dir.length + 1).replaceAll('\\', '/'),
        { text: readFileSync(path, 'utf8') },
      ]),
  )

/** The skill's files below `at`. */
export const skillFiles = ({ dir }: Package, at: string): Record<string, HostFile> =>
  Object.fromEntries(
    Object.entries(filesBelow(join(dir, 'skills/clawlink'))).map(([path, file]) => [
      `${at}${path}`,
      file,
    ]),
  )

/** The launcher, a README and the licence: what every folder has. */
export const commonFiles = (
  host: HostName,
  { dir, version }: Package,
  launch: Launch,
): HostFiles => ({
  [LAUNCHER]: { text: launcherText(launch), isProgram: true },
  'README.md': { text: readmeText(host, version) },
  LICENSE: { text: readFileSync(join(dir, 'LICENSE'), 'utf8') },
})

/** The events of ClawLink's hook command, in each host's words. */
const HOOKS: Readonly<Partial<Record<HostName, Readonly<Record<string, string>>>>> = {
  'claude-code': {
    ...{ SessionStart: 'session-start', UserPromptSubmit: 'prompt' },
    ...{ Stop: 'stop', SessionEnd: 'session-end' },
  },
  codex: { SessionStart: 'session-start', UserPromptSubmit: 'prompt', Stop: 'stop' },
  gemini: {
    ...{ SessionStart: 'session-start', BeforeAgent: 'prompt' },
    ...{ AfterAgent: 'stop', SessionEnd: 'session-end' },
  },
  cursor: {
    ...{ sessionStart: 'session-start', beforeSubmitPrompt: 'prompt' },
    ...{ stop: 'stop', sessionEnd: 'session-end' },
  },
}

/** `hooks/hooks.json` in the host's own form. */
const hooksOf = (host: HostName, launcher: string): object => {
  const seconds = host === 'gemini' ? HOOK_SECONDS * 1_000 : HOOK_SECONDS
  const hooks = Object.entries(HOOKS[host] ?? {}).map(([event, ours]) => {
    const command = `${shellWord(launcher)} hook ${host} ${ours}`
    const hook = { type: 'command', command, timeout: seconds }
    return [event, host === 'cursor' ? [hook] : [{ hooks: [hook] }]] as const
  })
  return {
    ...(host === 'cursor' && { version: 1 }),
    hooks: Object.fromEntries(hooks),
  }
}

/**
 * The plugin folder at `path` (absolute): Agent Plugins 1.0 (`plugin.json`, `mcp.json`, `skills/`) with the manifests of
 * Claude Code, Codex, Gemini CLI and Cursor beside it. Folders differ in `hooks/hooks.json`, where each host reads its
 * own events. Codex 0.171.0 reads no manifest of its own beside an Agent Plugins one, and so no hooks: it gets none of
 * the latter. Commands name the launcher by its absolute path: only some hosts fill in a variable for the folder.
 */
export const pluginFiles = (
  host: HostName,
  path: string,
  from: Package,
  launch: Launch,
): HostFiles => {
  const launcher = join(path, LAUNCHER)
  const about = { name: 'clawlink', version: from.version, description: DESCRIPTION }
  const more = { license: 'MIT', author: { name: 'ClawLink' } }
  const server = { command: launcher, args: ['mcp'] }
  // Agent Plugins 1.0 takes a bare name or a path inside the folder.
  const contained = { type: 'stdio', ...server, command: `./${LAUNCHER}` }
  const schema = (name: string) => `https://agent-plugins.org/schemas/1.0.0/${name}.schema.json`
  const agentPlugin = { $schema: schema('plugin'), ...about, license: 'MIT' }
  return {
    ...commonFiles(host, from, launch),
    ...skillFiles(from, 'skills/clawlink/'),
    ...(host !== 'codex' && { 'plugin.json': json(agentPlugin) }),
    // Codex looks for a path inside the folder in the session's folder.
    'mcp.json': json(
      host === 'codex'
        ? { mcpServers: { clawlink: server } }
        : { $schema: schema('mcp'), mcpServers: { clawlink: contained } },
    ),
    '.claude-plugin/plugin.json': json({
      ...{ ...about, ...more, mcpServers: { clawlink: server } },
      experimental: { monitors: './monitors/monitors.json' },
    }),
    '.codex-plugin/plugin.json': json({
      ...{ ...about, ...more, skills: './skills/', hooks: './hooks/hooks.json' },
      mcpServers: './mcp.json',
    }),
    '.cursor-plugin/plugin.json': json({
      ...{ ...about, ...more, skills: './skills/', hooks: './hooks/hooks.json' },
      mcpServers: './mcp.json',
    }),
    'gemini-extension.json': json({ ...about, mcpServers: { clawlink: server } }),
    'hooks/hooks.json': json(hooksOf(host, launcher)),
    'monitors/monitors.json': json([
      {
        name: 'clawlink-inbox',
        command: `${shellWord(launcher)} watch --hints --host claude-code`,
        description: 'ClawLink: tasks, answers and messages for this agent',
      },
    ]),
  }
}
