import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { inProcess } from '../../../agent/command/runtime.ts'
import { execute } from '../../../agent/execute.ts'
import { COMMANDS_OF } from '../../../lib/command-line/meant.ts'
import { readProgram } from '../../../lib/command-line/read.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { registered } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { PROGRAMS } from '../../support/command-line/programs.ts'
import { bin, startServer, tempDir } from '../../support/server.ts'
import { noTerminal, openTerminal } from '../../support/terminal.ts'

const cwd = tempDir('mistakes')
mkdirSync(`${cwd}/folder`)
/** An invite of the right form, that nobody made. */
const INVITE = `cli_${'a'.repeat(43)}`
const LINK = `http://127.0.0.1:1/#w=default&i=${INVITE}`

/** A command line's words; quoted ones are one. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|\S+/g)].map(
    ([all, double, single]) => double ?? single ?? all,
  )

/** Reads it as its program does: the command and what it was given, or what is wrong. */
const read = (line: string): string => {
  const [name, ...argv] = wordsOf(line)
  const { program } = PROGRAMS.find((one) => one.program.name === name)!
  try {
    const { command, values, has } = readProgram(program, argv)
    if (has.has('help')) return `help ${command?.name ?? ''}`.trim()
    return `${command?.name ?? ''} ${JSON.stringify(Object.fromEntries(values))}`.trim()
  } catch (thrown) {
    const { code, exit, message, hint } = ClawError.from(thrown)
    expect([code, exit], line).toEqual(['usage', 2])
    expect(hint, line).not.toBe('')
    expect(`${message}${hint}`, line).not.toMatch(/\n|please report/)
    return `${message} — ${hint}`
  }
}

/** What is typed after `clawlink-agent`, and what the command is given. */
const TAKEN: readonly (readonly [line: string, given: string])[] = [
  ['delegate bob "do it"', 'delegate {"to":"bob","task":"do it"}'],
  ['delegate --to bob "do it"', 'delegate {"to":"bob","task":"do it"}'],
  ['delegate bob --task "do it"', 'delegate {"task":"do it","to":"bob"}'],
  ['delegate --caps web "do it"', 'delegate {"caps":"web","task":"do it"}'],
  ['delegate --anyone "do it" --wait', 'delegate {"wait":"","task":"do it"}'],
  ['delegate bob --file a.md', 'delegate {"file":"a.md","to":"bob"}'],
  ['send bob hello', 'send {"to":"bob","content":"hello"}'],
  ['send bob -', 'send {"to":"bob","content":"-"}'],
  ['send bob "- one"', 'send {"to":"bob","content":"- one"}'],
  ['send --to=bob --content=hello', 'send {"to":"bob","content":"hello"}'],
  ['broadcast hi', 'broadcast {"content":"hi"}'],
  ['register alice --caps web', 'register {"caps":"web","name":"alice"}'],
  ['file-get notes.md', 'file-get {"key":"notes.md"}'],
  ['file-put notes.md --file a.md', 'file-put {"file":"a.md","key":"notes.md"}'],
  ['file-append log.md "one line"', 'file-append {"key":"log.md","text":"one line"}'],
  ['file-append --key log.md "one line"', 'file-append {"key":"log.md","text":"one line"}'],
  ['file-mv a.md b.md', 'file-mv {"key":"a.md","to":"b.md"}'],
  ['file-rm a.md', 'file-rm {"key":"a.md"}'],
  ['file-log a.md', 'file-log {"key":"a.md"}'],
  ['file-diff a.md', 'file-diff {"key":"a.md"}'],
  ['file-restore a.md --version 2', 'file-restore {"version":"2","key":"a.md"}'],
  ['file-edit a.md --find x --replace y', 'file-edit {"find":"x","replace":"y","key":"a.md"}'],
  ['decline t-1 "no network"', 'decline {"task":"t-1","reason":"no network"}'],
  ['note --task t-1 "a note"', 'note {"task":"t-1","text":"a note"}'],
  ['--wait 60 poll', 'poll {"wait":"60"}'],
  ['file-put notes.md a.md', 'file-put {"key":"notes.md","file":"a.md"}'],
  ['file-edit a.md x y', 'file-edit {"key":"a.md","find":"x","replace":"y"}'],
  ['respond t-1 "it is done"', 'respond {"msg-id":"t-1","result":"it is done"}'],
  ['respond t-1 --note half', 'respond {"note":"half","msg-id":"t-1"}'],
  ['release t-1 "needs a Mac"', 'release {"task":"t-1","reason":"needs a Mac"}'],
  ['cancel t-1 why', 'cancel {"task":"t-1","reason":"why"}'],
  ['file-reject s-3 why', 'file-reject {"id":"s-3","reason":"why"}'],
  ['undo u-1', 'undo {"id":"u-1"}'],
  ['agents', 'discover {}'],
  ['ls notes/', 'file-list {"prefix":"notes/"}'],
  ['files', 'file-list {}'],
  ['history', 'log {}'],
  ['broadcasts', 'log {}'],
  ['help agents', 'help discover'],
  ['help send', 'help send'],
  ['-h send', 'help send'],
  ['send bob a b c -h', 'help send'],
  ['send --frobnicate --help', 'help send'],
  ['help', 'help'],
]

it('[ARGS-4] what can mean one thing only is taken, also without its flag', () => {
  for (const [line, given] of TAKEN) expect(read(`clawlink-agent ${line}`), line).toBe(given)
})

const SAME = 'say the same — give one of them'
const QUOTE = 'put a text of several words in quotes'

/** What is typed, and what must be in the answer. */
const WRONG: readonly (readonly [line: string, answer: string])[] = [
  // Twice: alone, and by a flag.
  ['clawlink-agent register alice --name bob', `--name and "alice" ${SAME}`],
  ['clawlink-agent send bob hi --content ho', `--content and "hi" ${SAME}`],
  ['clawlink-agent send bob hi --file a.md', `--file and "hi" ${SAME}`],
  ['clawlink-agent file-get a.md --key b.md', `--key and "a.md" ${SAME}`],
  ['clawlink-agent delegate bob "do it" --anyone', `--anyone and "bob" ${SAME}`],
  ['clawlink-agent broadcast hi --content ho', `--content and "hi" ${SAME}`],
  // Without quotes, or with those of a text.
  ['clawlink-agent delegate bob fix the tests', `unexpected argument "the" — ${QUOTE}`],
  ['clawlink-agent send bob hello world', `unexpected argument "world" — ${QUOTE}`],
  ['clawlink-agent note t-1 fix it', `unexpected argument "it" — ${QUOTE}`],
  ['clawlink-agent send bob “hello world”', 'typographic quotes do not quote'],
  ['clawlink-agent send —to bob hi', '"—to" begins with a long dash: type --to'],
  ['clawlink-agent send –-to bob hi', 'begins with a long dash: type --to'],
  // Missing.
  [
    'clawlink-agent delegate',
    '--to or --caps or --anyone is missing — like: clawlink-agent delegate',
  ],
  ['clawlink-agent delegate bob', '--task or --file is missing — like: clawlink-agent delegate'],
  ['clawlink-agent send bob', '--content or --file is missing — usage: clawlink-agent send'],
  ['clawlink-agent file-put a.md', '--file is missing — usage: clawlink-agent file-put'],
  ['clawlink-agent file-mv a.md', '--to is missing'],
  ['clawlink-agent task', 'TASK is missing — usage: clawlink-agent task TASK'],
  ['clawlink-agent completion', 'bash|zsh|fish is missing'],
  ['clawlink-agent send --to', '--to has no value'],
  ['clawlink-agent send --to --content x', '--to has no value'],
  ['clawlink-sync revoke', 'AGENT|INVITE|TOKEN is missing — usage: clawlink-sync revoke AGENT'],
  ['clawlink-sync backup', 'DIR is missing — usage: clawlink-sync backup DIR'],
  ['clawlink-sync export', 'DIR is missing'],
  ['clawlink-sync restore', 'BACKUP is missing'],
  ['clawlink-sync completion', 'bash|zsh|fish is missing'],
  ['clawlink-sync --port', '--port has no value'],
  // Too many.
  ['clawlink-agent discover bob', 'unexpected argument "bob" — usage: clawlink-agent discover'],
  ['clawlink-agent discover help', 'run clawlink-agent discover --help'],
  ['clawlink-agent tasks t-1', 'did you mean task t-1?'],
  ['clawlink-agent claim t-1 t-2', 'unexpected argument "t-2"'],
  ['clawlink-agent poll 60', 'usage: clawlink-agent poll [--wait SECONDS]'],
  ['clawlink-agent status working', 'usage: clawlink-agent status [--set TEXT'],
  ['clawlink-agent discover --json=1', '--json takes no value'],
  [`clawlink-agent join '${LINK}' more`, 'unexpected argument "more"'],
  ['clawlink-sync verify a b', 'unexpected argument "b"'],
  ['clawlink http://x y', 'unexpected argument "y"'],
  // Flags by other names.
  ['clawlink-agent status --message x', 'did you mean --set?'],
  ['clawlink-agent send bob --msg hi', 'did you mean --content?'],
  ['clawlink-agent broadcast --message hi', 'did you mean --content?'],
  ['clawlink-agent send --recipient bob hi', 'did you mean --to?'],
  ['clawlink-agent delegate bob --prompt x', 'did you mean --task?'],
  ['clawlink-agent respond --task t-1 --output x', 'did you mean --msg-id?'],
  ['clawlink-agent register --capabilities a', 'did you mean --caps?'],
  ['clawlink-agent file-put --path a.md', 'did you mean --key, --file?'],
  ['clawlink-agent poll --timeout 5', 'did you mean --wait?'],
  ['clawlink-agent wait --wait 5', 'did you mean --timeout?'],
  ['clawlink-agent send -t bob', 'did you mean --to, --topic?'],
  ['clawlink-agent send -to bob', 'did you mean --to?'],
  ['clawlink-agent send --TO bob', 'did you mean --to?'],
  ['clawlink-agent -v', 'did you mean --version?'],
  ['clawlink-agent discover --frobnicate', 'discover has no flag --frobnicate'],
  ['clawlink-sync -p 9000', 'did you mean --port'],
  ['clawlink-sync invite --expiry 7d', 'did you mean --expires?'],
  ['clawlink-sync --data-dir x', 'did you mean --data?'],
  ['clawlink-sync --verbose', 'did you mean --log-level?'],
  ['clawlink --server http://x', 'did you mean --relay?'],
  // Commands by other names, in other spellings, of other programs.
  ...(
    [
      ['start', 'up'],
      ['stop', 'down'],
      ['messages', 'poll'],
      ['inbox', 'poll'],
      ['login', 'join'],
      ['logout', 'leave'],
      ['doctor', 'status, clawlink-sync doctor'],
      ['uninstall', 'down, then npm uninstall --global clawlink'],
      ['cat a.md', 'file-get'],
      ['upload a.md', 'file-put'],
      ['file get a.md', 'file-get'],
      ['file_get a.md', 'file-get'],
      ['DISCOVER', 'discover'],
      ['delegat', 'delegate'],
      ['revoke bob', 'clawlink-sync revoke'],
      ['backup x', 'clawlink-sync backup'],
    ] as const
  ).map(([word, meant]) => [`clawlink-agent ${word}`, `did you mean ${meant}?`] as const),
  ['clawlink-agent clawlink-agent discover', 'leave the second clawlink-agent out'],
  ["clawlink-agent ''", 'no verb "" — run clawlink-agent --help'],
  [`clawlink-agent '${LINK}'`, 'to join by a link: clawlink-agent join -'],
  ['clawlink-sync health', 'did you mean status, doctor?'],
  ['clawlink-sync start', 'did you mean clawlink-sync?'],
  ['clawlink-sync stop', 'did you mean Ctrl-C'],
  ['clawlink-sync register', 'did you mean clawlink-agent register?'],
  ['clawlink-sync Invite', 'did you mean invite?'],
  ['clawlink discover', 'did you mean clawlink-agent discover?'],
  ['clawlink poll', 'did you mean clawlink-agent poll?'],
]

it('[ARGS-4] a mistake is answered with its cause and what to type, in one line, and exit 2', () => {
  for (const [line, answer] of WRONG) {
    const said = read(line)
    expect(said, line).toContain(answer)
    expect(said.length, line).toBeLessThan(320)
    expect(said, line).not.toContain(INVITE.slice(0, 12))
  }
})

it('[ARGS-4] each program knows the commands of the others', () => {
  for (const { program } of PROGRAMS.slice(0, 2)) {
    for (const { name } of program.commands) expect(COMMANDS_OF[program.name]).toContain(name)
  }
  for (const { program } of PROGRAMS) {
    const names = program.commands.map(({ name }) => name)
    const { aliases = {}, synonyms = {} } = program
    for (const word of Object.keys({ ...aliases, ...synonyms })) expect(names).not.toContain(word)
    for (const word of Object.keys(aliases)) expect(synonyms).not.toHaveProperty(word)
    for (const command of Object.values(aliases)) expect(names).toContain(command)
  }
})

/** Carries a command line of clawlink-agent out in this process, with nobody to talk to. */
const run = async (line: string, stdin: string | null = null) => {
  const { code, stderr } = await execute(
    {
      argv: wordsOf(line),
      cwd,
      env: {
        CLAWLINK_HOME: `${cwd}/home`,
        CLAWLINK_SERVER: 'http://127.0.0.1:1',
        CLAWLINK_LINK: 'off',
      },
      stdin: stdin === null ? null : Buffer.from(stdin),
      terminal: false,
      ...{ at: Date.now(), key: 'k', signal: new AbortController().signal },
      ...{ print: async () => {}, say: () => {} },
    },
    inProcess,
  )
  return { code, stderr }
}

const WHOLE = "copy the whole link, and put it in quotes: 'http://…/#w=…&i=…'"

/** What is typed after `clawlink-agent`, its exit code and what must be in the answer. */
const CARRIED_OUT: readonly (readonly [
  line: string,
  code: number,
  answer: string,
  stdin?: string,
])[] = [
  [`join '${LINK}x'`, 2, `has more than the invite at its end — ${WHOLE}`],
  [`join '${LINK.slice(0, -9)}'`, 2, `is cut short — ${WHOLE}`],
  ['join http://127.0.0.1:1/#w=default', 2, 'unquoted, the shell cuts it at &'],
  ['join http://127.0.0.1:1', 2, 'that link has no invite in it'],
  [`join '${LINK}'`, 6, 'ask who gave you the link whether that server runs'],
  ['join -', 2, 'no join link', '\n'],
  ['join -', 2, 'has a space or a line break in it', LINK.replace('&', '&\n')],
  ['join -', 6, 'no answer from a ClawLink server', `“${LINK}”\n`],
  ['join -', 6, 'no answer from a ClawLink server', ` <${LINK}> \r\n`],
  [`--relay 'http://127.0.0.1 :1' discover`, 2, 'has a space or a line break in it'],
  ['--relay http://ann:secret@127.0.0.1:1 discover', 2, '"http://…@127.0.0.1:1" has a user name'],
  ['--relay ftp://127.0.0.1 discover', 2, 'unknown scheme ftp://'],
  [`--relay 'http://127.0.0.1:1/?w=default&i=${INVITE.slice(0, 20)}' discover`, 2, 'has a query'],
  ['--workspace "a b" discover', 2, 'is not a workspace name'],
  ['--as a/b discover', 2, "cannot be a profile's name"],
  ['send bob --file folder', 3, 'cannot read folder: it is a folder — name a file in it'],
  ['send bob --file nope.md', 3, 'cannot read nope.md: no such file — paths are relative to'],
  [`send bob --file ${cwd}/nope.md`, 3, 'no such file — check the path'],
  ["send bob --file ''", 2, 'the name of the local file is empty'],
  ['wait 60', 2, 'for messages: wait --timeout 60'],
  ['wait --timeout 5m', 2, '--timeout 5m is not a number of seconds — like: --timeout 60'],
  ['poll --wait 5s', 2, '--wait 5s is not a number of seconds — like: --wait 60'],
  ['poll --type foo', 2, '"foo" is not a value of --type — one of:'],
  ['poll --limit -1', 2, '--limit -1 is not a number from 1 on — like: --limit 3'],
  ['delegate bob x --wait 5m', 2, '--wait 5m is not a number of seconds'],
  ['delegate bob x --deadline tomorrow', 2, '"tomorrow" is not a time I understand'],
  ['delegate bob x --priority hgih', 2, 'did you mean high?'],
  ['delegate bob x --max-attempts 0', 2, '--max-attempts 0 is not a number from 1 to 99'],
  [
    'delegate bob x --after-failed stop',
    2,
    '"stop" is not a value of --after-failed — one of: fail, run',
  ],
  ["delegate bob x --context '{a:1}'", 2, "like this: --context '{"],
  ['delegate bob x --to-', 2, 'has no flag --to-'],
  [
    'invite --role owner',
    2,
    '"owner" is not a value of --role — one of: read, suggest, write, admin',
  ],
  ['status --task t-1', 2, '--task goes with --set'],
  ['completion tcsh', 2, '"tcsh" is not a value of --shell — one of: bash, zsh, fish'],
  ['openclaw foo', 2, 'one of: install, status, uninstall'],
  ['', 2, 'no verb given — run clawlink-agent --help'],
]

it('[ARGS-4] what a command refuses says why and what to do, and repeats no secret', async () => {
  for (const [line, code, answer, stdin] of CARRIED_OUT) {
    const said = await run(line, stdin)
    expect(said.stderr, line).toContain(answer)
    expect(said.code, line).toBe(code)
    expect(said.stderr, line).not.toMatch(/please report|\n\s+at |cli_|secret@/)
    expect(said.stderr.trimEnd().split('\n'), line).toHaveLength(1)
  }
})

it('[ARGS-4] what a server prints to be pasted works as it is; Ctrl-C says how to wait again; the log has who came', async () => {
  const server = await startServer({ args: ['--log-level', 'info'] })
  const joinLine = /join {3}(.*? invite --data \S+)/.exec(await server.banner())![1]!
  const link = execFileSync('sh', ['-c', joinLine], { encoding: 'utf8', stdio: 'pipe' })
  expect(link).toContain(`:${server.port}/#w=default&i=cli_`)

  const ann = await registered(server.url, 'ann', 'alone')
  const waiting = ann.start('delegate', 'ann', 'look', '--wait')
  let said = ''
  waiting.stderr!.setEncoding('utf8').on('data', (chunk) => {
    said += chunk
  })
  await until('it waits', async () => {
    const { tasks } = await ann.ask<{ tasks: object[] }>('tasks')
    return said.includes('waiting for its end') && tasks.length === 1
  })
  await until('it has ended by Ctrl-C', () => {
    waiting.kill('SIGINT')
    return waiting.exitCode !== null || waiting.signalCode !== null
  })
  await until('the log has it', () => server.log().includes('"msg":"joined"'))
  expect(said).toMatch(/(t-\w+) goes on; to wait again: clawlink-agent wait \1/)
  expect(server.log()).not.toMatch(/cl[ic]_/)
  await server.stop()
})

it('[ARGS-4] ids of another kind are named, a folder is no file, and lists for people have names', async () => {
  const server = await startServer()
  const ann = await registered(server.url, 'Ann')
  const message_id = 'm-3g8kxq0w7t2z'
  const cases: [argv: string[], code: number, answer: string][] = [
    [['task', message_id], 3, 'that is the id of a message'],
    [['claim', message_id], 3, 'that is the id of a message'],
    [['file-put', 'a.md', '--file', '/tmp'], 3, '/tmp: it is a folder'],
    [['register', 'Bob', '--name', 'Ann'], 2, '--name and "Bob" say the same — give one of them'],
  ]
  for (const [argv, code, answer] of cases) {
    const said = await ann.run(...argv)
    expect([said.code, said.stderr], argv.join(' ')).toEqual([
      code,
      expect.stringContaining(answer),
    ])
    expect(said.stderr.trimEnd().split('\n'), argv.join(' ')).toHaveLength(1)
  }
  const sync = (...args: string[]) =>
    execFileSync(process.execPath, [bin('clawlink-sync.cjs'), ...args, '--data', server.data], {
      encoding: 'utf8',
    })
  expect(sync('audit')).toContain('(Ann)')
  await server.stop()
})

it.skipIf(noTerminal !== null)(
  '[ARGS-4] join - at a keyboard asks for the link, and Enter ends it',
  async () => {
    const server = await startServer()
    const link = execFileSync(
      process.execPath,
      [bin('clawlink-sync.cjs'), 'invite', '--data', server.data],
      { encoding: 'utf8' },
    )
    const terminal = openTerminal(100, 20, { CLAWLINK_HOME: tempDir('home'), CLAWLINK_LINK: 'off' })
    terminal.type(`node ${bin('clawlink-agent.cjs')} join -`)
    terminal.press('Enter')
    await terminal.shows('Paste the join link, then press Enter:')
    terminal.type(link.trim())
    terminal.press('Enter')
    await terminal.shows('joined default')
    terminal.close()
    await server.stop()
  },
)
