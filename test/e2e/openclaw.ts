// Two real OpenClaw instances become one team: their agents read the skill, register, delegate, are woken, work, answer,
// and edit one file. Only their model is a script; it reacts to what it is really sent (openclaw/plays.ts).
// Installs openclaw, and Node 24 where this one is older, from npm.
//   npm run e2e:openclaw
import { deepEqual, equal, match } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../support/client.ts'
import { type Instance, newInstance } from '../support/e2e/openclaw-instance.ts'
import { installPrograms } from '../support/e2e/openclaw-programs.ts'
import { bin, root, startServer, tempDir } from '../support/server.ts'
import { type Play, startModel, type Turn } from './openclaw/model.ts'
import { delegate, joinAs, takeResult, work } from './openclaw/plays.ts'

/** OpenClaw lets 30 s pass between two wake-ups by events. */
const WAKE_MS = 180_000
const HOOK_TOKEN = 'hook-token-of-ana'
/** What is shown of a line, and of how many lines of an output. */
const SHOWN = { characters: 150, lines: 5 }
/** What was done to OpenClaw is shown whole. */
const WHOLE = /^openclaw /
/** What OpenClaw adds to each turn. */
const NOT_SHOWN =
  /^(Runtime: |Current time: |Reference UTC: |<<<|Conversation data|"(Active exec|## Active))/

/** Without where things happen to be on this machine. */
const neutral = (text: string): string =>
  [...instances.map(({ home }) => [home, '~']), [root, '…']]
    .reduce((said, [path, short]) => said.replaceAll(path!, short!), text)
    .replaceAll(/\/tmp\/[\w-]+/g, '/tmp')
    .replace(/^---\nname: clawlink[\s\S]*/, '(the whole of SKILL.md)')

const instances: Instance[] = []
const began = performance.now()
const say = (who: string, text: string): void => {
  const lines = neutral(text)
    .split('\n')
    .filter((line) => line.trim() !== '' && !NOT_SHOWN.test(line))
  const cut = lines
    .slice(0, SHOWN.lines)
    .map((line) => (WHOLE.test(line) ? line : line.slice(0, SHOWN.characters)))
  if (lines.length > cut.length) cut.push('…')
  for (const [i, line] of cut.entries()) {
    const at = i === 0 ? ((performance.now() - began) / 1000).toFixed(1).padStart(6) : '      '
    console.log(`${at} ${who.padEnd(4)} ${line}`)
  }
}

const programs = installPrograms()
say('', JSON.stringify(programs.versions))

// Ben's machine is the server's; ana has another, and gets in by a join link.
const runDir = tempDir('run')
const server = await startServer({
  env: { CLAWLINK_RUN_DIR: runDir },
  args: ['--log-level', 'error'],
})
const invite = [bin('clawlink-sync.cjs'), 'invite', '--data', server.data]
const [link] = /https?:\S+/.exec(
  execFileSync(process.execPath, invite, { stdio: ['ignore', 'pipe', 'ignore'] }).toString(),
)!

const playOf = ({ agent, text }: Turn): Play => {
  if (/join the team/.test(text)) return joinAs(server.url)
  if (/my other agent/.test(text)) return delegate(ana.workspace)
  if (/ClawLink/.test(text))
    return agent === 'ben' ? work(ben.workspace) : takeResult(ana.workspace)
  throw new Error(`no play for ${agent}: ${text}`)
}
const model = await startModel(playOf, say)
const instance = async (name: string, env: Record<string, string>, config = {}) => {
  const one = await newInstance({ ...{ name, env, config, programs }, modelUrl: model.url })
  instances.push(one)
  await one.run('openclaw', ['skills', 'install', join(programs.clawlink, 'skills/clawlink')])
  return one
}
/** His agent may run this one program, and no shell. */
const ben = await instance(
  'ben',
  { CLAWLINK_RUN_DIR: runDir },
  { tools: { exec: { mode: 'allowlist' } } },
)
await ben.run('openclaw', ['approvals', 'allowlist', 'add', 'clawlink-agent'])
/** Her OpenClaw keeps no streams, so that she is woken by the hook. */
const ana = await instance(
  'ana',
  { CLAWLINK_HOOK_TOKEN: HOOK_TOKEN },
  { cron: { triggers: { enabled: false } }, hooks: { enabled: true, token: HOOK_TOKEN } },
)

/** Runs a command as that instance's person, and shows it. */
const person = async (who: Instance, ...args: string[]): Promise<string> => {
  say(who.name, `% clawlink-agent ${args.join(' ')}`)
  const out = await who.run('clawlink-agent', args)
  say(who.name, out)
  return out
}
const ask = async <T>(who: Instance, ...args: string[]): Promise<T> =>
  (JSON.parse(await who.run('clawlink-agent', [...args, '--json'])) as { data: T }).data
const automations = async (who: Instance): Promise<{ declarationKey?: string }[]> => {
  const { jobs } = JSON.parse(await who.run('openclaw', ['cron', 'list', '--all', '--json'])) as {
    jobs: { declarationKey?: string }[]
  }
  return jobs.filter(({ declarationKey }) => declarationKey?.startsWith('clawlink'))
}
const noTrouble = (): void => {
  const error = model.error()
  if (error !== null) throw error
}

try {
  await Promise.all([ben.startGateway(), ana.startGateway()])
  say('', 'both gateways are ready')

  // Ben's agent does all of it by itself, in a turn of its gateway.
  await ben.run('openclaw', ['agent', '--agent', 'main', '--message', 'Please join the team.'])
  noTrouble()
  match(await person(ben, 'openclaw', 'status'), /^automation clawlink \S+: running$/m)
  match(await person(ben, 'openclaw', 'install'), /: as it was$/m)
  equal((await automations(ben)).length, 1)

  // Ana's does the work without a gateway; her person says how she is woken.
  writeFileSync(join(ana.workspace, 'join.txt'), link)
  const prompt = 'Ask my other agent, ben, to give our report a title. Make report.md first.'
  await ana.run('openclaw', ['agent', 'exec', prompt, '--cwd', ana.workspace])
  noTrouble()
  match(await person(ana, 'openclaw', 'install', '--dry-run'), /nothing was done/)
  match(await person(ana, 'openclaw', 'install'), /hooks\/wake wakes the agent$/m)

  // Looked at from outside: to read a file would be to have it as the base of one's next edit.
  await until(
    'ana has taken the result',
    async () => {
      noTrouble()
      const { files } = await ask<{ files: { version: number }[] }>(ana, 'file-list')
      return files[0]?.version === 3
    },
    WAKE_MS,
  )
  const content = await ana.run('clawlink-agent', ['file-get', '--key', 'report.md'])
  equal(content, 'title: Cats, counted\n---\nverdict: many\n')
  say('', `report.md is ${JSON.stringify(content)}`)
  equal(await ben.run('clawlink-agent', ['file-get', '--key', 'report.md']), content)
  await until(
    'her copy is the merged one',
    () => readFileSync(join(ana.workspace, 'report.md'), 'utf8') === content,
  )
  await until(
    'nothing is unread',
    async () => (await ask<{ tasks: unknown[] }>(ana, 'tasks')).tasks.length === 0,
  )

  // Both ways are shown, changed and taken back, and taking back leaves nothing.
  match(await person(ana, 'openclaw', 'status'), /hooks\/wake wakes the agent/)
  match(await person(ana, 'openclaw', 'uninstall'), /^removed$/m)
  match(await person(ana, 'openclaw', 'status'), /^not installed/)
  const only = ['--type', 'direct_message', '--session', 'isolated', '--agent', 'main']
  match(await person(ben, 'openclaw', 'install', ...only), /: added$/m)
  equal((await automations(ben)).length, 1)
  await person(ana, 'send', '--to', 'ben', '--content', 'Thanks to you it has a title.')
  const isIsolated = ({ agent, text }: Turn) => agent === 'ben' && text.startsWith('[cron:')
  await until('ben is woken in a session of its own', () => model.turns.some(isIsolated), WAKE_MS)
  match(await person(ben, 'openclaw', 'status'), /: running$/m)
  const unread = () => ask<{ count: number }>(ben, 'poll', '--peek')
  await until('ben has read it', async () => (await unread()).count === 0)
  match(await person(ben, 'openclaw', 'uninstall'), /^removed$/m)
  deepEqual(await automations(ben), [])
  match(await person(ben, 'openclaw', 'uninstall'), /^nothing is installed$/m)
  noTrouble()
  say('', `passed: ${model.turns.length} turns of two agents`)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  for (const one of instances) await one.stop().catch((error) => console.error(error))
  model.close()
  await server.stop()
}
