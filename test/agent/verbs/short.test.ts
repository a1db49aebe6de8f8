import { afterAll, beforeAll, expect, it } from 'vitest'
import { PROGRAM } from '../../../agent/verb-table/args.ts'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

/** The output of a verb that was not told how much (characters). */
const MOST = 2_000
const MANY = 20
const CAPS = ['one', 'two', 'three', 'four', 'five'].map((word) => `a-long-capability-${word}`)
/** Starting so many processes takes long on a slow machine (ms). */
const SETUP_MS = 180_000

let server: ServerAt
let lead: Agent & { id: string }
let coder: Agent & { id: string }

beforeAll(async () => {
  server = await startHere()
  lead = await registeredHere(server.url, 'lead')
  coder = await registeredHere(server.url, 'coder')
  const long = 'a text of several words that goes on and on '.repeat(3)
  for (let i = 0; i < MANY; i++) {
    await lead.ask('delegate', '--to', 'coder', '--task', `${i} ${long}`, '--reset-trace')
    await lead.ask('broadcast', '--content', `${i} ${long}`, '--reset-trace')
    await lead.ask('file-append', '--key', `a/path/of/a/file/that/is/rather/long/${i}.md`, `${i}`)
    await lead.ask('file-append', '--key', 'one.md', `${i} ${long}`)
    await lead.ask('--as', `p${i}`, 'register', '--name', `agent-${i}`, '--caps', CAPS.join())
  }
}, SETUP_MS)
afterAll(() => server.stop())

it('[TEXT-20] no verb prints more than 2,000 characters unasked, and each says how to get the rest', async () => {
  const hot = [
    ...[['prime'], ['poll', '--peek'], ['tasks'], ['tasks', '--mine'], ['discover'], ['log']],
    ...[['file-list'], ['file-list', '--changed']],
  ]
  for (const args of hot) {
    const ran = await coder.run(...args)
    expect(ran.code, args.join(' ')).toBe(0)
    expect(ran.stdout.length + ran.stderr.length, args.join(' ')).toBeLessThanOrEqual(MOST)
    expect(ran.stdout + ran.stderr, args.join(' ')).toMatch(/… \d+ more/)
  }
  const sent = await lead.run('sent')
  expect(sent.stdout.length).toBeLessThanOrEqual(MOST)
  expect(sent.stdout).toMatch(/^… \d+ more: sent --limit 20\n/)
  const [, how] = /… \d+ more: (tasks --limit \d+)\n/.exec((await coder.run('tasks')).stdout)!
  expect((await coder.run(...how!.split(' '))).stdout.match(/^t-/gm)).toHaveLength(MANY)
})

it('[TEXT-20] --help, and that of the verbs one begins with, has at most 2,000 characters', async () => {
  const first = (await lead.run('--help')).stdout
  expect(first.length).toBeLessThanOrEqual(MOST)
  for (const { name } of PROGRAM.commands)
    expect(first).toMatch(new RegExp(`(^|[ :])${name}\\b`, 'm'))
  const whole = (await lead.run('--help', '--all')).stdout
  for (const { summary } of PROGRAM.commands)
    expect(whole.replaceAll(/\s+/g, ' ')).toContain(summary)
  const hot = ['prime', 'discover', 'delegate', 'poll', 'wait', 'claim', 'respond', 'send']
  for (const verb of [...hot, 'broadcast', 'file-get', 'file-put', 'tasks', 'mirror'])
    expect((await lead.run(verb, '--help')).stdout.length, verb).toBeLessThanOrEqual(MOST)
})
