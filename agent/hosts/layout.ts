import { join } from 'node:path'
import { type Environment, hostOf } from './hosts.ts'
import { fileItem, type Item } from './item.ts'
import type { Launch } from './launcher.ts'
import type { HostName } from './names.ts'
import { opencodePluginText } from './opencode-plugin.ts'
import { commonFiles, LAUNCHER, type Package, pluginFiles, skillFiles } from './plugin.ts'
import type { TomlEntries } from './toml-entries.ts'

/** All that an installation into a host writes. */
export interface Layout {
  /** Folders and files of ClawLink's own; the first one keeps the record. */
  items: readonly [Item, ...Item[]]
  /** Entries in a TOML file that belongs to the host. */
  config?: { path: string; entries: TomlEntries }
}

/** ClawLink's folder at a host, where the record is. */
export const mainFolder = (name: HostName, env: Environment): string => {
  const settings = hostOf(name).settings(env)
  const inside: Record<HostName, readonly string[]> = {
    'claude-code': ['skills', 'clawlink'],
    codex: ['clawlink'],
    opencode: ['skills', 'clawlink'],
    openclaw: ['skills', 'clawlink'],
    gemini: ['extensions', 'clawlink'],
    cursor: ['plugins', 'local', 'clawlink'],
  }
  return join(settings, ...inside[name])
}

export const layoutOf = (
  name: HostName,
  env: Environment,
  from: Package,
  launch: Launch,
): Layout => {
  const main = mainFolder(name, env)
  const settings = hostOf(name).settings(env)
  if (name === 'codex') return codexLayout(settings, main, from, launch)
  if (name !== 'opencode' && name !== 'openclaw')
    return { items: [{ path: main, files: pluginFiles(name, main, from, launch) }] }
  const skill = { ...skillFiles(from, ''), ...commonFiles(name, from, launch) }
  const folder = { path: main, files: skill }
  if (name === 'openclaw') return { items: [folder] }
  const plugin = opencodePluginText(join(main, LAUNCHER))
  return { items: [folder, fileItem(join(settings, 'plugin', 'clawlink.js'), { text: plugin })] }
}

/**
 * Codex runs a plugin from its cache, and lists it by a marketplace: a folder of ClawLink's own. Both are named in
 * config.toml by what `codex plugin marketplace add` and `codex plugin add` write there; Codex itself is not run, because
 * it leaves more behind than it removes.
 */
const codexLayout = (settings: string, main: string, from: Package, launch: Launch): Layout => {
  const inside = 'plugins/clawlink'
  const files = pluginFiles('codex', join(main, inside), from, launch)
  const marketplace = {
    name: 'clawlink',
    interface: { displayName: 'ClawLink' },
    plugins: [
      {
        name: 'clawlink',
        source: { source: 'local', path: `./${inside}` },
        policy: { installation: 'AVAILABLE', authentication: 'ON_INSTALL' },
        category: 'Productivity',
      },
    ],
  }
  const listed = { text: `${JSON.stringify(marketplace, null, 2)}\n` }
  const market = Object.entries(files).map(([path, file]) => [`${inside}/${path}`, file] as const)
  const cached = Object.entries(files).map(
    ([path, file]) => [`clawlink/${from.version}/${path}`, file] as const,
  )
  return {
    items: [
      {
        path: main,
        files: { ...Object.fromEntries(market), '.agents/plugins/marketplace.json': listed },
      },
      { path: join(settings, 'plugins/cache/clawlink'), files: Object.fromEntries(cached) },
    ],
    config: {
      path: join(settings, 'config.toml'),
      entries: [
        { at: ['marketplaces', 'clawlink'], table: { source_type: 'local', source: main } },
        { at: ['plugins', 'clawlink@clawlink'], table: { enabled: true } },
      ],
    },
  }
}
