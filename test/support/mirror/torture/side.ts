import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Agent } from '../../agent.ts'
import { tempDir } from '../../server.ts'
import { treeNow } from '../tree.ts'
import type { Ledger, Name } from './ledger.ts'

/** What is in every secret, and in the name of every file of secrets; nobody else writes it. */
export const SECRET = 'SECRET'
const run = promisify(execFile)

/** One of the two folders, with the agent that mirrors it. */
export interface Side {
  name: Name
  dir: string
  agent: Agent
  ledger: Ledger
  random: () => number
  /** What is ignored on this side: its secrets, by path. */
  secrets: Map<string, string>
  /** What was done here, for who looks for the reason of a fault. */
  trace: string[]
  hasGit: boolean
  /** What is mounted on `vol`; null: nothing is. */
  volume: string | null
  /** Whether its disk is a small one. */
  isSmall: boolean
}

export const below = (side: Side, n: number): number => Math.floor(side.random() * n)
export const oneOf = <T>(side: Side, all: readonly T[]): T => all[below(side, all.length)]!
export const pause = (side: Side, ms: number): Promise<void> =>
  new Promise((next) => setTimeout(next, below(side, ms)))

/** Whether both sides are to have a path. */
export const isPublic = (rel: string): boolean =>
  !rel.includes(SECRET) && !rel.startsWith('ballast')

/** The files of a side that both are to have. */
export const publicTree = (side: Side): Map<string, string> => {
  for (let tries = 0; tries < 100; tries++) {
    const tree = treeNow(side.dir) // null: its mirror was at work meanwhile
    if (tree !== null) return new Map([...tree].filter(([rel]) => isPublic(rel)))
  }
  throw new Error(`${side.dir} cannot be read`)
}

const isRules = (rel: string): boolean => /ignore$/.test(rel)

/** The files of a side that operations choose from. */
export const editable = (side: Side): string[] =>
  [...publicTree(side).keys()].filter((rel) => !isRules(rel) && !rel.endsWith('~'))

export const read = (side: Side, rel: string): string | null => {
  try {
    return readFileSync(join(side.dir, rel), 'utf8')
  } catch {
    return null
  }
}

export const write = (side: Side, rel: string, text: string): void => {
  mkdirSync(dirname(join(side.dir, rel)), { recursive: true })
  writeFileSync(join(side.dir, rel), text)
}

/** Writes what must stay on this side. */
export const hide = (side: Side, rel: string): void => {
  const text = `${side.secrets.get(rel) ?? ''}${SECRET}-${side.name}-${below(side, 1e9)}\n`
  side.secrets.set(rel, text)
  write(side, rel, text)
}

/** Whether git did it. */
export const git = async (side: Side, ...args: string[]): Promise<boolean> => {
  const own = ['-c', 'user.name=t', '-c', 'user.email=t@t', '-c', 'protocol.file.allow=always']
  try {
    await run('git', ['-C', side.dir, ...own, ...args], {
      env: { ...process.env, GIT_EDITOR: 'true' },
    })
    return true
  } catch {
    return false
  }
}

const withoutRules = (tree: Map<string, string>): Map<string, string> =>
  new Map([...tree].filter(([rel]) => !isRules(rel)))

/** Runs tools that change files as they will, and has the ledger know what came of that. */
export const byTools = async (side: Side, tools: () => Promise<unknown>): Promise<void> => {
  const before = withoutRules(publicTree(side))
  const began = Date.now()
  await tools()
  const after = withoutRules(publicTree(side))
  side.ledger.changed(side.name, before, after, Date.now() - began)
}

export const mount = (from: string, to: string): void => {
  if (!existsSync(to)) mkdirSync(to, { recursive: true })
  execFileSync('mount', ['--bind', from, to], { stdio: 'ignore' })
}

export const mountSmall = (to: string, kib: number): void => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'small', to], { stdio: 'ignore' })
}

/** Also where somebody is in it. */
export const unmount = (at: string): void => {
  execFileSync('umount', ['-l', at], { stdio: 'ignore' })
}

/** Whether this process may mount; asked once. */
export const canMount: boolean = (() => {
  const [from, to] = [tempDir('from'), tempDir('to')]
  try {
    mount(from, to)
    unmount(to)
    return true
  } catch {
    return false // not root, or in a sandbox
  }
})()
