import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { clawlink } from './contenders.ts'
import { newHome } from './homes.ts'
import { childEnv, killAtEnd, program, root, tempDir } from './programs.ts'
import { type Findings, integer } from './report.ts'

/** Commands of the agent, and tokens that it reads, the skill included. */
const MAX_CALLS = 12
const MAX_TOKENS = 2_500

const KEY = 'release/notes.md'

interface Step {
  command: string
  tokens: number
}

/** An agent that knows the skill and nothing else: each command is a process, each output is read. */
const openNaive = (steps: Step[]) => {
  const dir = tempDir()
  const env = { ...childEnv, CLAWLINK_HOME: join(dir, 'home') }
  const run = async (...argv: string[]): Promise<string> => {
    const child = spawn(process.execPath, [program('clawlink-agent'), ...argv], {
      ...{ cwd: dir, env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        out += text
      })
    const [code] = (await once(child, 'close')) as [number]
    if (code !== 0 && argv[0] !== 'prime')
      throw new Error(`${argv.join(' ')}: exit ${code}: ${out}`)
    steps.push({ command: argv.join(' '), tokens: countTokens(out) })
    return out
  }
  return { dir, run, linkFile: join(dir, 'home', 'link.json') }
}

const find = (text: string, pattern: RegExp): string => {
  const [, found] = pattern.exec(text) ?? []
  if (found === undefined) throw new Error(`nothing like ${pattern} in: ${text}`)
  return found
}

export const economy = async (log: (line: string) => void): Promise<Findings> => {
  const skill = countTokens(readFileSync(join(root, 'skills/clawlink/SKILL.md'), 'utf8'))
  const data = tempDir()
  const server = await clawlink.start(data)
  const ben = newHome(server.port)
  const steps: Step[] = []
  const ana = openNaive(steps)
  try {
    await ben.up()
    await ben.ask('register', '--name', 'ben', '--caps', 'research')
    const invite = spawnSync(process.execPath, [
      ...[program('clawlink-sync'), 'invite', '--data', data],
      ...['--url', `http://127.0.0.1:${server.port}`],
    ])
    writeFileSync(join(ana.dir, 'join.txt'), find(invite.stdout.toString(), /(https?:\S+)/))

    await ana.run('prime')
    await ana.run('join', '--file', 'join.txt')
    await ana.run('register', '--name', 'ana', '--caps', 'planning')
    killAtEnd((JSON.parse(readFileSync(ana.linkFile, 'utf8')) as { pid: number }).pid)
    await ana.run('discover')
    const given = find(
      await ana.run('delegate', '--to', 'ben', '--task', `list what breaks, in ${KEY}`),
      /(t-\w+)/,
    )
    await ben.ask('file-append', '--key', KEY, 'The option timeout is gone.')
    await ben.ask('file-append', '--key', KEY, 'The config file moved.')
    await ben.ask(
      ...['respond', '--to', 'ana', '--msg-id', given],
      ...['--result', 'two changes', '--artifact', KEY],
    )
    await ben.ask('delegate', '--to', 'ana', '--task', 'When is the release?', '--reset-trace')
    const task = find(await ana.run('poll', '--wait', '60'), /task_delegation (t-\w+)/)
    await ana.run('claim', task)
    await ana.run('respond', '--to', 'ben', '--msg-id', task, '--result', 'on Friday')
    await ana.run('file-get', '--key', KEY, '--output', 'notes.md')
    const notes = join(ana.dir, 'notes.md')
    writeFileSync(notes, readFileSync(notes, 'utf8').replace('is gone', 'is now timeout_ms'))
    await ben.ask('file-edit', '--key', KEY, '--find', 'moved', '--replace', 'is config.toml')
    await ana.run('file-put', '--key', KEY, '--file', 'notes.md')
    await ana.run('leave')

    const { file } = await ben.ask<{ file: { content: string } }>('file-get', '--key', KEY)
    if (file.content !== 'The option timeout is now timeout_ms.\nThe config file is config.toml.\n')
      throw new Error(`an edit is missing: ${file.content}`)
    const { task: answered } = await ben.ask<{ task: { status: string; message: string } }>(
      ...['task', task],
    )
    if (answered.status !== 'completed') throw new Error(`${task} is ${answered.status}`)
  } finally {
    await ben.end('SIGKILL')
    await server.kill()
  }
  const read = steps.reduce((sum, { tokens }) => sum + tokens, 0)
  const total = skill + read
  for (const { command, tokens } of steps) log(`${command}: ${tokens}`)
  log(`${steps.length} calls, ${total} tokens`)
  const named = steps.map(({ command, tokens }) => [
    `\`${command.replaceAll(/t-\w{12}/g, 'TASK')}\``,
    integer(tokens),
  ])
  return {
    title: 'Economy',
    method: METHOD,
    tables: [
      {
        caption: 'Tokens read (o200k)',
        head: ['', 'tokens'],
        rows: [['the skill, with its front matter', integer(skill)], ...named],
      },
    ],
    targets: [
      {
        claim: `calls ≤ ${MAX_CALLS}`,
        measured: integer(steps.length),
        passed: steps.length <= MAX_CALLS,
      },
      {
        claim: `tokens read, the skill included, ≤ ${integer(MAX_TOKENS)}`,
        measured: integer(total),
        passed: total <= MAX_TOKENS,
      },
    ],
    samples: { tokens: steps.map(({ tokens }) => tokens) },
  }
}

const METHOD = `A scripted agent that knows the skill only joins with a link, delegates, receives a result and a task,
answers it, and edits a shared file while another agent edits it. Each command is a process of its own, with a home
and a link of its own; the tokens are those of all that it printed, stdout and stderr. The other agent is not counted.
The run fails unless the task is answered and both edits are in the file.`
