import { equal, match } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { killLink } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import type { Model, Play } from './model/scripted-model.ts'
import { idle, type Session } from './session.ts'
import type { Team } from './team.ts'

/** A wake that takes longer than this failed (ms). */
const WAKE_MS = 60_000

/** What happens before a delegation; `long idle`: more than half an hour of nothing. */
export const TROUBLES = ['none', 'link killed', 'server restarted'] as const
export type Trouble = (typeof TROUBLES)[number] | 'long idle'

/** A wake that came, or did not. */
export interface Wake {
  trouble: Trouble
  /** From the start of `delegate` to the request of the model, in milliseconds; null: no turn began. */
  ms: number | null
  /** Turns that began; exactly one is right. */
  turns: number
  /** From start to exit of `node -e 0` just before, in milliseconds: how busy the machine is. */
  node?: number
}

/** The model of all hosts: it greets a person, and when woken polls, claims, writes a file, responds. */
export const work: Play = function* ({ text }) {
  if (/^hello$/m.test(text)) return 'Hello.'
  const messages = yield 'clawlink-agent poll'
  for (const [, task] of messages.matchAll(/task_delegation (t-\w+) from/g)) {
    match(yield `clawlink-agent claim ${task}`, /is yours/)
    yield `echo ${task} >> done.txt`
    const respond = `clawlink-agent respond --to ana --msg-id ${task} --result "done: ${task}"`
    match(yield respond, /completed(?!")/)
  }
  return 'I have looked.'
}

const timeNode = async (): Promise<number> => {
  const began = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
  return performance.now() - began
}

const trouble = async (kind: Trouble, { home }: Session, team: Team): Promise<void> => {
  if (kind === 'link killed') await killLink(home.clawlink)
  if (kind === 'server restarted') await team.restartServer()
}

/** One delegation to an idle session, watched until the session is idle again. */
export const wakeOnce = async (
  session: Session,
  { team, model, kind }: { team: Team; model: Model; kind: Trouble },
): Promise<Wake> => {
  const { name } = session
  const node = await timeNode()
  await trouble(kind, session, team)
  const before = model.turns.length
  const { task, began } = await team.delegate(name, 'Write your name into done.txt')
  const turns = () => model.turns.slice(before).filter((turn) => turn.session === name)
  try {
    await until(`${name} woke`, () => turns().length > 0, WAKE_MS)
  } catch {
    return { trouble: kind, ms: null, turns: 0, node }
  }
  await team.hasResult(`done: ${task}`)
  const error = model.error()
  if (error !== null) throw error
  await idle(model, name)
  return { trouble: kind, ms: turns()[0]!.at - began, turns: turns().length, node }
}

/** How many turns begin in `ms` in which nothing comes. */
export const turnsInSilence = async (model: Model, name: string, ms: number): Promise<number> => {
  const before = model.turns.filter(({ session }) => session === name).length
  await sleep(ms)
  return model.turns.filter(({ session }) => session === name).length - before
}

/** How many turns broadcasts, a new file, its change and a newcomer begin; none is right. */
export const turnsOfNews = async (
  session: Session,
  { team, model, ms }: { team: Team; model: Model; ms: number },
): Promise<number> => {
  const { name, home } = session
  const { ana } = team
  for (const text of ['one', 'two', 'three']) await ana.ask('broadcast', text)
  const file = `news-of-${name}.md`
  for (const text of ['a', 'a\nb\n']) {
    await ana.ask('file-append', '--key', file, '--text', text)
  }
  await (await team.newMember(`newcomer-of-${name}`, home.env.PATH!)).run('clawlink-agent', 'down')
  const turns = await turnsInSilence(model, name, ms)
  // They were not lost: the next look has them.
  const unread = await home.run('clawlink-agent', 'poll', '--peek')
  equal(/broadcast/.test(unread), true, unread)
  return turns
}
