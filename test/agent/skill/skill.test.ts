import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, it, onTestFinished } from 'vitest'
import { readArgs } from '../../../agent/verb-table/args.ts'
import { VERBS } from '../../../agent/verb-table/verbs.ts'
import { registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import { syncJsonHere } from '../../support/ops/commands.ts'
import { root, tempDir } from '../../support/server.ts'
import { shellHere, stageFor, transcriptOf } from '../../support/transcript.ts'

const dir = join(root, 'skills/clawlink')
const read = (file: string) => readFileSync(join(dir, file), 'utf8')
const files = ['SKILL.md', ...readdirSync(join(dir, 'references')).map((f) => `references/${f}`)]

it.each(files.filter((file) => file !== 'SKILL.md'))(
  '[HOST-1] the sessions in %s are what these commands print',
  async (file) => {
    const server = await startHere()
    onTestFinished(async () => void (await server.stop()))
    const stage = stageFor(server, shellHere())
    const { link } = await syncJsonHere<{ link: string }>('invite', '--data', server.data)
    writeFileSync(join(stage.dirOf('ana'), 'join.txt'), link)
    const steps = transcriptOf(read(file))
    expect(steps.length).toBeGreaterThan(10)
    for (const step of steps) {
      const { shown, expected } = await stage.play(step)
      expect(shown, step.command).toBe(expected)
    }
  },
)

const body = () => read('SKILL.md').replace(/^---\n[\s\S]*?\n---\n/, '')

it('[HOST-20] the text of the skill is at most 1,500 tokens', () => {
  expect(countTokens(body())).toBeLessThanOrEqual(1_500)
})

it('[HOST-1] every command line in the blocks of the skill is one', () => {
  const lines = [...body().matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block!.trimEnd().split('\n'),
  )
  expect(lines.length).toBeGreaterThan(10)
  for (const line of lines) {
    const [command] = line.replace(/^clawlink-agent /, '').split(/ +# /, 1)
    readArgs([...command!.matchAll(/"([^"]*)"|(\S+)/g)].map(([, text, word]) => text ?? word!))
  }
})

const isVerb = (word: string) => VERBS.some(({ name }) => name === word)

/** The command lines in the text itself: `clawlink-agent VERB …`, and `VERB …` with something behind it. */
const inline = (text: string): string[] =>
  [...text.replaceAll(/^```[\s\S]*?^```/gm, '').matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => {
    const [, program, line] = /^(clawlink-agent )?(.*)$/.exec(code!)!
    const [verb, ...more] = line!.split(' ')
    return program !== undefined || (isVerb(verb!) && more.length > 0) ? [line!] : []
  })

it('[HOST-1] every command in the text of the skill is one, and does what it says', async () => {
  const server = await startHere()
  onTestFinished(async () => void (await server.stop()))
  const ana = await registeredHere(server.url, 'ana')
  const ben = await registeredHere(server.url, 'ben')
  await ana.ask('file-append', '--key', 'K', 'old')
  await ana.ask('file-append', '--key', 'K', 'second')
  await ana.ask('file-get', '--key', 'K')
  const newTask = async (ended: boolean) => {
    const { task } = await ana.ask<{ task: { task_id: string } }>(
      ...['delegate', '--to', 'ben', '--task', 'T'],
    )
    if (ended) {
      await ben.ask('respond', '--to', 'ana', '--msg-id', task.task_id, '--result', 'done')
    }
    return task.task_id
  }
  const commands = [...new Set(files.flatMap((file) => inline(read(file))))]
  expect(commands.length).toBeGreaterThan(20)
  for (const command of commands) {
    const words = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, word]) => quoted ?? word!,
    )
    const verb = words[0]!
    if (verb === 'openclaw' || verb === 'hosts') {
      readArgs(words) // carried out by e2e:openclaw and test/agent/hosts
      continue
    }
    // What waits has something to find.
    const needsTask = words.includes('TASK') || verb === 'wait' || verb === 'claim'
    const task = needsTask ? await newTask(verb === 'wait') : ''
    if (verb === 'release') await ben.ask('claim', task)
    const byBen = ['claim', 'release', 'decline'].includes(verb)
    const values: Record<string, string> = { TASK: task, R: 'why', N: '1', DIR: tempDir('mirror') }
    const ran = await (byBen ? ben : ana).run(...words.map((word) => values[word] ?? word))
    expect(ran, `${command}: ${ran.stderr}`).toMatchObject({ code: 0 })
  }
})

const frontMatter = () => /^---\n([\s\S]*?)\n---\n/.exec(read('SKILL.md'))![1]!
const field = (name: string) => new RegExp(`^${name}: "?(.*?)"?$`, 'm').exec(frontMatter())![1]!

it('[HOST-2] the front matter is the Agent Skills specification’s, and OpenClaw’s', () => {
  const keys = [...frontMatter().matchAll(/^([\w-]+):/gm)].map(([, key]) => key)
  expect(keys).toEqual(['name', 'description', 'license', 'compatibility', 'metadata'])
  expect(field('name')).toBe('clawlink')
  expect(field('description').length).toBeLessThanOrEqual(1024)
  const first = field('description').slice(0, 160)
  for (const word of ['Connect', 'delegate', 'ask my other agent', 'share', 'files']) {
    expect(first).toContain(word)
  }
  for (const word of ['connect instances', 'swarm', 'mesh', 'delegate', 'another agent']) {
    expect(field('description')).toContain(word)
  }
  expect(field('compatibility').length).toBeLessThanOrEqual(500)
  expect(read('SKILL.md').split('\n').length).toBeLessThan(500)
})

it('[HOST-2] what the skill links to is there, and every variable it names is declared', () => {
  const linked = [...read('SKILL.md').matchAll(/\]\(([^)#]+)\)/g)].map(([, path]) => path!)
  expect(linked.filter((path) => !existsSync(join(dir, path)))).toEqual([])
  expect(new Set(linked.filter((path) => path.startsWith('references/'))).size).toBe(
    files.length - 1,
  )
  const body = files.map((file) => read(file).replace(frontMatter(), '')).join('\n')
  const named = new Set(body.match(/\bCLAWLINK_[A-Z_]+\b/g))
  for (const variable of named) expect(frontMatter()).toContain(`name: ${variable}`)
})

it('[HOST-2] skills-ref takes it', (context) => {
  const ran = spawnSync('skills-ref', ['validate', dir], { encoding: 'utf8' })
  if (ran.error !== undefined) context.skip('skills-ref is not installed')
  expect(ran.stdout + ran.stderr, ran.stdout).toMatch(/^Valid skill/)
})
