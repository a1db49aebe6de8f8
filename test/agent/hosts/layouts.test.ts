import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { install, installState, uninstall } from '../../../agent/hosts/install.ts'
import { type Layout, layoutOf } from '../../../agent/hosts/layout.ts'
import type { HostName } from '../../../agent/hosts/names.ts'
import { homeWith, treeOf } from '../../support/hosts.ts'
import { root } from '../../support/server.ts'

const PLUGIN_HOSTS = ['claude-code', 'codex', 'opencode', 'gemini', 'cursor'] as const
const launch = { node: process.execPath, script: '/opt/clawlink-agent.cjs', pins: {} }
const layout = (home: string, host: HostName, version = '2.0.0'): Layout =>
  layoutOf(host, { HOME: home }, { dir: root, version }, launch)
const add = (home: string, host: HostName, version = '2.0.0') =>
  install(layout(home, host, version), version, false)
const take = (home: string, host: HostName) => uninstall(layout(home, host), false)
const thrown = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return error
  }
  return null
}

/** All orders of a list. */
const orders = <T>(list: readonly T[]): T[][] =>
  list.length < 2
    ? [[...list]]
    : list.flatMap((one) =>
        orders(list.filter((other) => other !== one)).map((rest) => [one, ...rest]),
      )

describe('[HOST-42] uninstall leaves the home as it was', () => {
  it('in every order of hosts', () => {
    const home = homeWith(PLUGIN_HOSTS)
    const before = treeOf(home)
    // Twelve of the 120 orders: each host comes before and after each other one.
    const all = orders(PLUGIN_HOSTS).filter((_, at) => at % 11 === 0)
    for (const a of PLUGIN_HOSTS)
      for (const b of PLUGIN_HOSTS)
        if (a !== b) expect(all.some((one) => one.indexOf(a) < one.indexOf(b))).toBe(true)
    for (const [at, order] of all.entries()) {
      for (const host of order) add(home, host)
      expect(Object.keys(treeOf(home)).length).toBeGreaterThan(60)
      const back = all[(at * 7 + 3) % all.length]!
      for (const host of back) expect(take(home, host).left).toEqual([])
      expect(treeOf(home), `${order} then ${back}`).toEqual(before)
    }
  })

  it('also where a host had no folder yet', () => {
    for (const host of PLUGIN_HOSTS) {
      const home = homeWith([])
      add(home, host)
      take(home, host)
      expect(treeOf(home), host).toEqual({})
    }
  })

  it('and keeps folders in which others have written since', () => {
    const home = homeWith([])
    add(home, 'gemini')
    writeFileSync(join(home, '.gemini/settings.json'), '{}')
    take(home, 'gemini')
    expect(Object.keys(treeOf(home))).toEqual(['.gemini', '.gemini/settings.json'])
  })
})

it('[HOST-43] twice installed is once installed, and another version replaces what was there', () => {
  for (const host of PLUGIN_HOSTS) {
    const home = homeWith([host])
    const before = treeOf(home)
    expect(add(home, host)).toMatchObject({ what: 'installed' })
    const once = treeOf(home)
    expect(add(home, host)).toEqual({ what: 'unchanged', paths: [] })
    expect(treeOf(home)).toEqual(once)
    const added = join(dirname(layout(home, host).items[0].path), 'clawlink/notes.md')
    writeFileSync(added, 'mine')
    expect(add(home, host, '2.1.0')).toMatchObject({ what: 'replaced' })
    expect(installState(layout(home, host))).toMatchObject({ version: '2.1.0', changed: [] })
    expect(readFileSync(added, 'utf8')).toBe('mine')
    expect(take(home, host).left, host).toEqual([added])
    expect(readFileSync(added, 'utf8')).toBe('mine')
    const left = Object.keys(treeOf(home)).filter((path) => !(path in before))
    expect(
      left.filter((path) => !home.concat('/', added).includes(path)),
      host,
    ).toEqual([])
  }
})

describe('[HOST-44] what hosts install did not write stays', () => {
  it.each(PLUGIN_HOSTS)('in the place of a folder: %s', (host) => {
    for (const put of [
      (path: string) => mkdirSync(path, { recursive: true }),
      (path: string) => {
        mkdirSync(dirname(path), { recursive: true })
        symlinkSync('/nowhere', path)
      },
    ]) {
      const home = homeWith([host])
      put(layout(home, host).items.at(-1)!.path)
      const before = treeOf(home)
      expect(thrown(() => add(home, host))).toMatchObject({ code: 'host_taken' })
      expect(take(home, host).paths).toEqual([])
      expect(treeOf(home)).toEqual(before)
    }
  })

  it.each(PLUGIN_HOSTS)('a file that was changed since: %s', (host) => {
    const home = homeWith([host])
    const before = treeOf(home)
    add(home, host)
    const [main] = layout(home, host).items
    const name = Object.keys(main.files).find((path) => path.endsWith('SKILL.md'))!
    writeFileSync(join(main.path, name), 'mine')
    const edited = treeOf(home)
    expect(thrown(() => add(home, host, '2.1.0'))).toMatchObject({ code: 'host_changed' })
    expect(treeOf(home)).toEqual(edited)
    expect(installState(layout(home, host))?.changed).toEqual([join(main.path, name)])
    expect(take(home, host).left).toEqual([join(main.path, name)])
    expect(readFileSync(join(main.path, name), 'utf8')).toBe('mine')
    const files = Object.entries(treeOf(home)).filter(([, what]) => what.startsWith('file'))
    expect(files.filter(([path]) => !(path in before))).toHaveLength(1)
  })

  it('a record names nothing outside of its host', () => {
    const home = homeWith(['gemini'])
    add(home, 'gemini')
    const victim = join(home, 'victim')
    mkdirSync(victim)
    const path = join(layout(home, 'gemini').items[0].path, 'install.json')
    const record = JSON.parse(readFileSync(path, 'utf8')) as { items: object[]; made: string[] }
    record.items.push({ path: victim, files: {} })
    record.made.push(victim)
    writeFileSync(path, JSON.stringify(record))
    take(home, 'gemini')
    expect(existsSync(victim)).toBe(true)
  })
})

describe('Codex’s config.toml', () => {
  const file = (home: string) => join(home, '.codex/config.toml')
  const text = (home: string) => readFileSync(file(home), 'utf8')

  it('[HOST-41] gets two tables at its end, and keeps the bytes before them', () => {
    const home = homeWith(['codex'])
    const before = text(home)
    add(home, 'codex')
    expect(text(home)).toBe(
      `${before}\n\n[marketplaces.clawlink]\nsource_type = "local"\nsource = ${JSON.stringify(join(home, '.codex/clawlink'))}\n\n[plugins."clawlink@clawlink"]\nenabled = true\n`,
    )
  })

  it.each([
    [
      'at the end',
      (now: string) => `${now}\n[tui]\nx = 1\n`,
      (was: string) => `${was}\n\n[tui]\nx = 1\n`,
    ],
    [
      'before',
      (now: string) => now.replace('model = "x"', 'model = "y"'),
      (was: string) => was.replace('"x"', '"y"'),
    ],
    [
      'between',
      (now: string) => now.replace('\n[plugins.', '\n# a remark\n[tui]\nx = 1\n\n[plugins.'),
      (was: string) => `${was}\n\n# a remark\n[tui]\nx = 1\n`,
    ],
    [
      'inside',
      (now: string) => now.replace('enabled = true', 'enabled = false'),
      (was: string) => was,
    ],
  ])('[HOST-47] loses these alone where Codex has written since: %s', (_, edit, wanted) => {
    const home = homeWith(['codex'])
    const before = text(home)
    add(home, 'codex')
    writeFileSync(file(home), edit(text(home)))
    take(home, 'codex')
    expect(text(home).replace(/\n+$/, '\n')).toBe(
      wanted(before).replace(/\n*$/, '\n').replace(/^\n/, ''),
    )
    expect(existsSync(join(home, '.codex/clawlink'))).toBe(false)
  })

  it.each([
    ['half-written', 'model = "x\n'],
    ['no UTF-8', Buffer.from([0xff, 0xfe, 0x00])],
    ['a value where a table is needed', 'plugins = 1\n'],
    ['an inline table', 'plugins = { other = { enabled = true } }\n'],
  ])('[HOST-45] is left alone and named where it is broken: %s', (_, content) => {
    const home = homeWith(['codex'])
    writeFileSync(file(home), content)
    const before = treeOf(home)
    expect(thrown(() => add(home, 'codex'))).toMatchObject({
      ...{ code: 'host_config', message: expect.stringContaining(file(home)) },
    })
    expect(treeOf(home)).toEqual(before)
  })

  it('[HOST-44] keeps an entry with this name that somebody else made', () => {
    const home = homeWith(['codex'])
    writeFileSync(file(home), '[plugins."clawlink@clawlink"]\nenabled = false\n')
    expect(thrown(() => add(home, 'codex'))).toMatchObject({ code: 'host_taken' })
  })

  it('[HOST-45] that breaks later keeps uninstall from removing anything', () => {
    const home = homeWith(['codex'])
    add(home, 'codex')
    writeFileSync(file(home), `${text(home)}\nbroken = `)
    const before = treeOf(home)
    expect(thrown(() => take(home, 'codex'))).toMatchObject({ code: 'host_config' })
    expect(treeOf(home)).toEqual(before)
  })

  it('[HOST-42] may be a link to a file elsewhere, and stays one', () => {
    const home = homeWith(['codex'])
    const there = join(home, 'dotfiles.toml')
    writeFileSync(there, text(home), { mode: 0o640 })
    const linked = homeWith([])
    mkdirSync(join(linked, '.codex'))
    symlinkSync(there, file(linked))
    const before = [treeOf(home), treeOf(linked)]
    add(linked, 'codex')
    expect(readFileSync(there, 'utf8')).toContain('[marketplaces.clawlink]')
    take(linked, 'codex')
    expect([treeOf(home), treeOf(linked)]).toEqual(before)
  })
})

describe('[HOST-46] nothing is half-installed', () => {
  it.each(PLUGIN_HOSTS)('where the last place cannot be made: %s', (host) => {
    const home = homeWith([])
    const place = layout(home, host).items.at(-1)!.path
    // A file stands where a folder is needed.
    const [top] = place.slice(home.length + 1).split('/')
    const blocked = host === 'codex' || host === 'opencode' ? dirname(place) : join(home, top!)
    mkdirSync(dirname(blocked), { recursive: true })
    writeFileSync(blocked, '')
    const before = treeOf(home)
    expect(thrown(() => add(home, host))).toMatchObject({
      code: expect.stringMatching(/ENOTDIR|EEXIST/),
    })
    expect(treeOf(home)).toEqual(before)
  })

  it('what an installation that was killed has left goes with the next one', () => {
    const home = homeWith(['gemini'])
    const before = treeOf(home)
    const { path } = layout(home, 'gemini').items[0]
    mkdirSync(join(dirname(path), '.clawlink.4711.new.tmp'))
    mkdirSync(join(dirname(path), '.clawlink.4711.old.tmp'))
    add(home, 'gemini')
    take(home, 'gemini')
    expect(treeOf(home)).toEqual(before)
  })
})

it('the plugin of opencode is a module with one plugin in it', async () => {
  const { text } = layout('/home/ana', 'opencode').items[1]!.files[''] ?? { text: '' }
  expect(text).toContain('clawlink-agent')
  const module = await import(`data:text/javascript,${encodeURIComponent(text)}`)
  expect(Object.keys(module)).toEqual(['ClawLink'])
})
