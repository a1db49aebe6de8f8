// Real hosts, each with a scripted model on loopback: a delegation made on another home starts a turn in an idle
// session, which polls, works and responds. Installs the hosts from npm.
//   npm run e2e:hosts -- [--host NAME,…] [--wakes N] [--troubles N] [--silence SECONDS] [--write]
//   npm run e2e:hosts -- --idle MINUTES [--host NAME,…] [--write]    all at once, after so long without anything
//   npm run e2e:hosts -- --shared TASKS [--write]                    two hosts on one profile
//   npm run e2e:hosts -- --tools                                     the tools of `clawlink-agent mcp`
import { parseArgs } from 'node:util'
import { binOf, installed, installOwn, nodeFolder, versionOf } from '../support/e2e/packages.ts'
import { noTerminal } from '../support/terminal.ts'
import { claudeCode } from './hosts/claude-code.ts'
import { codex } from './hosts/codex.ts'
import { type Found, type Kept, loadPerCore, pageOf, writeFound } from './hosts/figures.ts'
import type { Kind } from './hosts/kind.ts'
import { startModel, type Turn } from './hosts/model/scripted-model.ts'
import { openclaw, openOpenClaw } from './hosts/openclaw.ts'
import { opencode } from './hosts/opencode.ts'
import { openSession, type Session } from './hosts/session.ts'
import { startTeam } from './hosts/team.ts'
import { callTools, listTools, wakeByTool } from './hosts/tools.ts'
import { shareProfile } from './hosts/two-sessions.ts'
import type { Trouble, Wake } from './hosts/wakes.ts'
import { TROUBLES, turnsInSilence, turnsOfNews, wakeOnce, work } from './hosts/wakes.ts'

type AnyKind = Kind | typeof openclaw
const KINDS: readonly AnyKind[] = [claudeCode, codex, opencode, openclaw]
const isTerminal = (kind: AnyKind): kind is Kind => 'setUp' in kind
/** OpenClaw lets 30 s pass between two wakes: it gets one for so many of the others. */
const FEWER = 10
/** News that begin no turn are given this time (ms). */
const NEWS_MS = 15_000
const SHOWN = 300

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: KINDS.map(({ name }) => name).join() },
    wakes: { type: 'string', default: '60' },
    troubles: { type: 'string', default: '20' },
    silence: { type: 'string', default: '120' },
    idle: { type: 'string' },
    shared: { type: 'string' },
    tools: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
})

const start = performance.now()
const say = (who: string, text: string): void => {
  const at = ((performance.now() - start) / 1000).toFixed(1).padStart(7)
  console.log(`${at} ${who.padEnd(11)} ${text}`)
}

const node = nodeFolder()
const withNode = `${node}:${process.env.PATH}`
const own = installOwn(withNode)
const team = await startTeam()
const isWaiting = ({ session }: Turn) => session.endsWith('-wait')
const playOf = (turn: Turn) => (values.tools ? callTools(isWaiting(turn)) : work)
const model = await startModel(playOf, (session, line) => {
  if (values.verbose) say(session, line.slice(0, SHOWN))
})

/** A PATH with these hosts and no others. */
const pathWith = (...kinds: AnyKind[]): string => {
  const dirs = kinds.map((kind) => binOf(installed(kind.package, kind.version, withNode)))
  return [node, ...dirs, binOf(own), '/usr/local/bin', '/usr/bin', '/bin'].join(':')
}

const open = async (kind: AnyKind): Promise<{ session: Session; found: Found }> => {
  const path = pathWith(kind)
  const version = versionOf(kind.program, path).split('\n').at(-1)!
  const session = await openKind(kind, path)
  say(kind.name, `${version} is idle`)
  const day = new Date().toISOString().slice(0, 10)
  return { session, found: { version, wakes: [], silence: [], day, load: 0 } }
}

const openKind = async (kind: AnyKind, path: string): Promise<Session> => {
  const { name } = kind
  if (!isTerminal(kind)) return openOpenClaw({ name, path, server: team.server().url, model })
  if (noTerminal !== null) throw new Error(noTerminal)
  const home = await team.newMember(name, path)
  kind.setUp(home, model.url(name))
  await home.run('clawlink-agent', 'hosts', 'install', name)
  return openSession(kind, { home, name, model })
}

const wake = async (session: Session, trouble: Trouble): Promise<Wake> => {
  const kind = trouble === 'long idle' ? 'none' : trouble
  const woken = { ...(await wakeOnce(session, { team, model, kind })), trouble }
  say(session.name, `${trouble}: ${woken.turns} turn, ${woken.ms?.toFixed(0)} ms`)
  return woken
}

/** Wakes one host again and again, then leaves it in peace, then tells it news. */
const tryHost = async (kind: AnyKind): Promise<Found> => {
  const { session, found } = await open(kind)
  const { name } = session
  try {
    for (const trouble of TROUBLES) {
      const count = Number(trouble === 'none' ? values.wakes : values.troubles)
      const all = kind.name === 'openclaw' ? Math.ceil(count / FEWER) : count
      for (let i = 0; i < all; i++) found.wakes.push(await wake(session, trouble))
    }
    const seconds = Number(values.silence)
    const turns = await turnsInSilence(model, name, seconds * 1_000)
    found.silence.push({ minutes: seconds / 60, turns })
    say(name, `${turns} turns in ${seconds} s of silence`)
    found.news = await turnsOfNews(session, { team, model, ms: NEWS_MS })
    say(name, `${found.news} turns by news`)
    return { ...found, load: loadPerCore() }
  } catch (error) {
    console.log(session.screen())
    throw error
  } finally {
    await session.close()
  }
}

/** Opens all hosts, lets nothing come for some minutes, and wakes each. */
const tryIdle = async (kinds: readonly AnyKind[], minutes: number): Promise<Kept['hosts']> => {
  const all: { kind: AnyKind; session: Session; found: Found }[] = []
  for (const kind of kinds) {
    await attempt(kind, async () => {
      const opened = await open(kind)
      await wake(opened.session, 'none')
      all.push({ kind, ...opened })
    })
  }
  try {
    const started = all.map(({ session }) => turnsInSilence(model, session.name, minutes * 60_000))
    for (const [i, { session, found, kind }] of all.entries()) {
      found.silence.push({ minutes, turns: await started[i]! })
      await attempt(kind, async () => void found.wakes.push(await wake(session, 'long idle')))
      found.load = loadPerCore()
    }
  } finally {
    for (const { session } of all) await session.close()
  }
  return Object.fromEntries(all.map(({ session, found }) => [session.kind, found]))
}

/** Tries something with a host; says why where that failed. */
const attempt = async (kind: AnyKind, act: () => Promise<void>): Promise<void> => {
  try {
    pathWith(kind)
  } catch (error) {
    say(kind.name, `SKIP: it cannot be installed: ${(error as Error).message.slice(0, SHOWN)}`)
    return
  }
  try {
    await act()
  } catch (error) {
    say(kind.name, `FAILED: ${(error as Error).stack}`)
    process.exitCode = 1
  }
}

const kinds = KINDS.filter(({ name }) => values.host.split(',').includes(name))
const kept: Kept = { hosts: {} }
try {
  if (values.shared !== undefined) {
    const two = [claudeCode, opencode] as const
    const tasks = Number(values.shared)
    const shared = await shareProfile(two, { team, model, tasks, path: pathWith(...two) })
    say('shared', JSON.stringify(shared))
    kept.shared = { ...shared, hosts: 'Claude Code and opencode' }
  } else if (values.tools) {
    for (const kind of kinds.filter(isTerminal)) {
      await attempt(kind, async () => {
        await listTools(kind, { team, model, path: pathWith(kind) })
        say(kind.name, 'lists six tools and calls one')
      })
    }
    await attempt(claudeCode, async () => {
      const ms = await wakeByTool(claudeCode, { team, model, path: pathWith(claudeCode) })
      say(claudeCode.name, `an open call of inbox starts a turn: ${ms.toFixed(0)} ms`)
    })
  } else if (values.idle !== undefined) {
    kept.hosts = await tryIdle(kinds, Number(values.idle))
  } else {
    for (const kind of kinds) {
      await attempt(kind, async () => {
        kept.hosts[kind.name] = await tryHost(kind)
      })
    }
  }
  console.log(pageOf(kept))
  if (values.write) writeFound(kept)
} finally {
  model.close()
  await team.close()
}
