import { createHash } from 'node:crypto'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { HostName } from '../../agent/hosts/names.ts'
import { tempDir } from './server.ts'

/** Every path below a folder, with its kind, mode and content. */
export const treeOf = (dir: string): Record<string, string> => {
  const tree: Record<string, string> = {}
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()) {
    const path = join(dir, name)
    const stats = lstatSync(path)
    const mode = (stats.mode & 0o7777).toString(8)
    if (stats.isDirectory()) tree[name] = `folder ${mode}`
    else if (stats.isSymbolicLink()) tree[name] = `link ${readlinkSync(path)}`
    else
      tree[name] = `file ${mode} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
  }
  return tree
}

/** Files of each host as its own program makes them in an empty home. */
const SETTINGS: Readonly<Record<HostName, Readonly<Record<string, string>>>> = {
  'claude-code': {
    '.claude.json': '{\n  "machineID": "5f",\n  "firstStartTime": "2026-11-28T08:07:18.784Z"\n}',
    '.claude/settings.json': '{ "permissions": { "allow": ["Bash(git:*)"] } }\n',
    '.claude/skills/mine/SKILL.md': '---\nname: mine\ndescription: mine\n---\n',
  },
  codex: {
    '.codex/config.toml':
      '# mine, with a tab\there and no newline at the end\nmodel = "x"\nbig = 9_223_372_036_854_775_807\n\n[projects."/home/me"]\ntrust_level = "trusted"',
    '.codex/hooks.json': '{ "hooks": {} }',
  },
  opencode: { '.config/opencode/opencode.jsonc': '{\n  // mine\n  "autoupdate": false,\n}\n' },
  openclaw: { '.openclaw/openclaw.json': '{ "gateway": { "port": 18789 } }\n' },
  gemini: {
    '.gemini/projects.json': '{\n  "projects": {}\n}',
    '.gemini/extensions/extension-enablement.json': '{ "other": { "overrides": ["/home/me/*"] } }',
  },
  cursor: { '.cursor/hooks.json': '{ "version": 1, "hooks": {} }', '.cursor/mcp.json': '{}' },
}

/** A home in which these hosts have their settings. */
export const homeWith = (hosts: readonly HostName[], label = 'user-home'): string => {
  const home = tempDir(label)
  for (const host of hosts) {
    for (const [path, text] of Object.entries(SETTINGS[host])) {
      mkdirSync(dirname(join(home, path)), { recursive: true })
      writeFileSync(join(home, path), text)
      chmodSync(join(home, path), 0o600)
    }
  }
  return home
}
