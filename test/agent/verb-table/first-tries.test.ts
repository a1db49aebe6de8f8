import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { agentHere, type Ran } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import { bin, tempDir } from '../../support/server.ts'
import { noTerminal, openTerminal } from '../../support/terminal.ts'

/** A command line's words; quoted ones are one. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|\S+/g)].map(
    ([all, double, single]) => double ?? single ?? all,
  )

/**
 * What a newcomer types first, in this order. Without an answer it succeeds. With one, the answer has these words, and
 * the command that a reader of it types next succeeds.
 */
type Try = readonly [typed: string, answer?: string, next?: string]

const agentTries = (url: string): readonly Try[] => [
  ['register alice'],
  ['register bob --as bob'],
  ['register --as bob2 bob', 'register by another name', 'register --as bob2 bob2'],
  ['agents'],
  ['who'],
  ['me'],
  ['version'],
  ['help delegate'],
  ['delegate bob "do it"'],
  ['delegate bob do it', 'put a text of several words in quotes', 'delegate bob "do it"'],
  ['delegate Bbo "do it"', 'did you mean bob?', 'delegate bob "do it"'],
  ['send bob hello'],
  ['send bob --msg hello', 'did you mean --content?', 'send bob --content hello'],
  ['send bob', 'usage: clawlink-agent send', 'send bob hello'],
  ['broadcast "hi"'],
  ['message bob hello', 'did you mean send?', 'send bob hello'],
  ['assign bob "do it"', 'did you mean delegate?', 'delegate bob "do it"'],
  ['file-put notes.md notes.md'],
  ['file-get notes.md'],
  ['file-get note.md', 'did you mean notes.md?', 'file-get notes.md'],
  ['file-get plan.txt', 'file-list shows what there is', 'file-list'],
  ['file-edit notes.md one two'],
  ['file-append notes.md "one more line"'],
  ['file-put --file folder notes.md', 'clawlink-agent mirror DIR', 'mirror folder'],
  ['cat notes.md', 'did you mean file-get?', 'file-get notes.md'],
  ['ls'],
  ['ls notes'],
  ['file list', 'did you mean file-list?', 'file-list'],
  ['history'],
  ['todo'],
  ['inbox', 'did you mean poll?', 'poll'],
  ['messages', 'did you mean poll?', 'poll'],
  ['start', 'did you mean up?', 'up'],
  ['status --message busy', 'did you mean --set?', 'status --set busy'],
  ['doctor', 'did you mean status', 'status'],
  [
    `--relay ${url.replace('http:', 'https:')} discover`,
    `use --relay ${url}`,
    `--relay ${url} discover`,
  ],
  [`--relay ${url}/foo discover`, 'leave the path out', `--relay ${url} discover`],
  ['--workspace defualt discover', 'did you mean default?', '--workspace default discover'],
  ['stop', 'did you mean down?', 'down'],
  ['uninstall', 'did you mean down, then npm uninstall', 'down'],
]

const syncTries: readonly Try[] = [
  ['version'],
  ['who'],
  ['history'],
  ['revoke', 'usage: clawlink-sync revoke AGENT', 'revoke bob2'],
  ['backup', 'usage: clawlink-sync backup DIR', 'backup BACKUP'],
  ['export', 'usage: clawlink-sync export', 'export EXPORT'],
  ['completion tcsh', 'one of: bash, zsh, fish', 'completion bash'],
  ['token', 'did you mean invite --http?', 'invite --http'],
  ['check', 'did you mean doctor, verify?', 'verify'],
]

const check = async (
  tries: readonly Try[],
  run: (...args: string[]) => Promise<Pick<Ran, 'code' | 'stdout' | 'stderr'>>,
): Promise<void> => {
  for (const [typed, answer, next] of tries) {
    const said = await run(...wordsOf(typed))
    if (answer === undefined) {
      expect([said.code, said.stderr], typed).toEqual([0, expect.not.stringMatching(/error/)])
      continue
    }
    expect(said.code, typed).toBeGreaterThan(1)
    expect(said.stderr, typed).toContain(answer)
    expect(said.stderr.trimEnd().split('\n'), typed).toHaveLength(1)
    // A reader finds the next command in the answer.
    const verb = next!.split(' ').find((word) => said.stderr.includes(word))
    expect(verb, `${typed}: ${said.stderr}`).toBeDefined()
    const after = await run(...wordsOf(next!))
    expect([after.code, after.stderr], `${typed}, then ${next}`).toEqual([0, expect.anything()])
  }
}

it('[ARGS-8] the first 40 tries of a newcomer succeed, or are answered with a command that does', async () => {
  const server = await startHere()
  const ann = agentHere(server.url)
  writeFileSync(join(ann.cwd, 'notes.md'), 'one\n')
  mkdirSync(join(ann.cwd, 'folder'))
  const tries = agentTries(server.url)
  expect(tries).toHaveLength(40)
  await check(tries, ann.atLink)
  await server.stop()
})

it('[ARGS-8] the first tries of a host succeed, or are answered with a command that does', async () => {
  const server = await startHere()
  const ann = agentHere(server.url)
  await ann.ask('register', 'bob2')
  const dirs = tempDir('tries')
  const run = (...args: string[]) =>
    new Promise<Pick<Ran, 'code' | 'stdout' | 'stderr'>>((resolve) => {
      const paths = args.map((arg) => (/^[A-Z]+$/.test(arg) ? join(dirs, arg) : arg))
      // `version` says nothing of data.
      const data = args[0] === 'version' ? [] : ['--data', server.data]
      const argv = [bin('clawlink-sync.cjs'), ...paths, ...data]
      execFile(process.execPath, argv, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
      })
    })
  await check(syncTries, run)
  await server.stop()
})

it.skipIf(noTerminal !== null)(
  '[ARGS-8] join alone asks a person for the link; without a keyboard it says how to give one',
  async () => {
    const server = await startHere()
    const { stderr, code } = await agentHere(server.url).run('join')
    expect([code, stderr]).toEqual([2, expect.stringContaining('give it on stdin (join -)')])
    const link = await new Promise<string>((resolve) => {
      const argv = [bin('clawlink-sync.cjs'), 'invite', '--data', server.data]
      execFile(process.execPath, argv, (_, stdout) => resolve(stdout.trim()))
    })
    const terminal = openTerminal(100, 20, { CLAWLINK_HOME: tempDir('home'), CLAWLINK_LINK: 'off' })
    terminal.type(`node ${bin('clawlink-agent.cjs')} join`)
    terminal.press('Enter')
    await terminal.shows('Paste the join link, then press Enter:')
    terminal.type(link)
    terminal.press('Enter')
    await terminal.shows('joined default')
    terminal.close()
    await server.stop()
  },
)
