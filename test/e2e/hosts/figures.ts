import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { median, quantile } from '../../../bench/stats.ts'
import { root } from '../../support/server.ts'
import type { Shared } from './two-sessions.ts'
import type { Trouble, Wake } from './wakes.ts'

/** What was found of one host. */
export interface Found {
  version: string
  wakes: Wake[]
  /** Minutes without anything, and how many turns began in them. */
  silence: { minutes: number; turns: number }[]
  /** Turns that broadcasts, file news and a newcomer began. */
  news?: number
  day: string
  /** Runnable processes per core, mean of a minute. */
  load: number
}

/** What is kept for the page. */
export interface Kept {
  hosts: Record<string, Found>
  shared?: Shared & { hosts: string }
}

const KEPT = 'test/e2e/hosts/found.json'
const PAGE = 'docs/hosts.md'
const BEGIN = '<!-- made by `npm run e2e:hosts -- --write` -->\n'
const END = '<!-- end -->'

export const loadPerCore = (): number => Math.round((loadavg()[0]! / cpus().length) * 10) / 10

const readKept = (): Kept => {
  try {
    return JSON.parse(readFileSync(join(root, KEPT), 'utf8')) as Kept
  } catch {
    return { hosts: {} }
  }
}

const LABELS: Readonly<Record<Trouble, string>> = {
  none: 'idle',
  'link killed': 'idle, its link killed (`kill -9`) just before',
  'server restarted': 'idle, the server killed and started just before',
  'long idle': 'idle for over 35 minutes',
}

const rowOf = (host: string, label: string, wakes: readonly Wake[]): string => {
  const times = wakes.flatMap(({ ms }) => ms ?? [])
  const once = wakes.filter(({ turns }) => turns === 1).length
  const woke = wakes.filter(({ turns }) => turns > 0).length
  const [p50, p95, most] = [0.5, 0.95, 1].map((part) => Math.round(quantile(times, part)))
  const node = Math.round(median(wakes.flatMap((wake) => wake.node ?? []))) || '–'
  return `| ${[host, label, `${woke} of ${wakes.length}`, once, p50, p95, most, node].join(' | ')} |`
}

/** The figures as Markdown. */
export const pageOf = ({ hosts, shared }: Kept): string => {
  const rows = Object.entries(hosts).flatMap(([host, { wakes }]) =>
    Object.entries(LABELS).flatMap(([trouble, label]) => {
      const of = wakes.filter((wake) => wake.trouble === trouble)
      return of.length === 0 ? [] : [rowOf(host, label, of)]
    }),
  )
  const runs = Object.entries(hosts).map(([host, { version, silence, news, day, load }]) => {
    const quiet = silence.map(({ turns, minutes }) => `${turns} in ${minutes} min`).join(', ')
    return `| ${[host, version, quiet, news ?? '–', day, load].join(' | ')} |`
  })
  return [
    '| host | session | woke | in exactly one turn | p50 ms | p95 ms | most ms | `node -e 0` ms |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '| host | version | turns in silence | turns by broadcasts, file news, joins | day | load per core |',
    '|---|---|---|---|---|---|',
    ...runs,
    ...(shared === undefined
      ? []
      : [
          '',
          `${shared.hosts} open on one profile: ${shared.once} of ${shared.tasks} tasks were worked on exactly once.`,
        ]),
  ].join('\n')
}

/** New figures of a host beside the older ones of sessions that the new run did not try. */
const merged = (old: Found | undefined, found: Found): Found => {
  const isAnew = ({ trouble }: Wake) => found.wakes.some((one) => one.trouble === trouble)
  const isKept = ({ minutes }: { minutes: number }) =>
    found.silence.every((one) => one.minutes !== minutes)
  if (old === undefined) return found
  return {
    ...old,
    ...found,
    wakes: [...old.wakes.filter((wake) => !isAnew(wake)), ...found.wakes],
    silence: [...old.silence.filter(isKept), ...found.silence],
  }
}

/** Keeps what was found and writes all that is kept into docs/hosts.md. */
export const writeFound = ({ hosts, shared }: Kept): void => {
  const kept = readKept()
  for (const [host, found] of Object.entries(hosts)) {
    kept.hosts[host] = merged(kept.hosts[host], found)
  }
  if (shared !== undefined) kept.shared = shared
  writeFileSync(join(root, KEPT), `${JSON.stringify(kept)}\n`)
  const path = join(root, PAGE)
  const page = readFileSync(path, 'utf8')
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END, page.indexOf(BEGIN))]
  if (from < 0 || to < 0) throw new Error(`${PAGE} has no place for the figures`)
  writeFileSync(path, `${page.slice(0, from + BEGIN.length)}${pageOf(kept)}\n${page.slice(to)}`)
}
