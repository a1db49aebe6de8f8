import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ERRORS, type ErrorCode } from '../../../protocol/errors.ts'
import { type Agent, agentHere, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let lead: Agent & { id: string }
let stranger: HttpServer
let strangerUrl: string

beforeAll(async () => {
  server = await startHere()
  lead = await registeredHere(server.url, 'Lead')
  await registeredHere(server.url, 'Scout')
  stranger = createServer((_request, response) => response.end('<html>hello</html>'))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  strangerUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`
})
afterAll(async () => {
  stranger.closeAllConnections()
  stranger.close()
  await server.stop()
})

/** The command fails with `code`, in text and in JSON, each in its shape, and says `what`. */
const fails = async (who: Agent, args: string[], code: ErrorCode, what: RegExp): Promise<void> => {
  const [text, json] = await Promise.all([who.run(...args), who.run(...args, '--json')])
  const label = args.join(' ')
  expect(text, label).toMatchObject({ code: ERRORS[code].exit, stdout: '' })
  expect(text.stderr, label).toMatch(/^error: .+\n$/)
  expect(text.stderr.split('\n'), label).toHaveLength(2)
  expect(text.stderr, label).toMatch(what)

  expect(json, label).toMatchObject({ code: ERRORS[code].exit, stderr: '' })
  expect(json.stdout.split('\n'), label).toHaveLength(2)
  expect(json.json(), label).toEqual({
    ok: false,
    error: {
      code,
      message: expect.stringMatching(/./),
      hint: expect.any(String),
      retryable: 'retryable' in ERRORS[code],
    },
  })
}

describe('usage', () => {
  it.each<[string[], RegExp]>([
    [[], /no verb given — run clawlink-agent --help/],
    [['regster'], /no verb "regster" — did you mean register\?/],
    [['discover', '--peek'], /discover has no flag --peek — usage: /],
    [['poll', '--pek'], /poll has no flag --pek — did you mean --peek\?/],
    [['delegate', '--to', 'Scout'], /--task or --file is missing — like: clawlink-agent delegate /],
    [['delegate', '--to', 'Scout', '--task'], /--task has no value/],
    [['delegate', '--to', '--task', 'x'], /--to has no value/],
    [['discover', 'now'], /unexpected argument "now"/],
    [['poll', '--limit', 'many'], /--limit many is not/],
    [['poll', '--peek=1'], /--peek takes no value/],
    [['delegate', '--to', 'Scout', '--task', 'x', '--priority', 'hihg'], /did you mean high\?/],
    [['--as', '../x', 'whoami'], /cannot be a profile's name/],
  ])('%j', (args, what) => fails(lead, args, 'usage', what))
})

it.each<[string[], ErrorCode, RegExp]>([
  [['delegate', '--to', 'Scuot', '--task', 'x'], 'unknown_agent', /did you mean Scout\?/],
  [
    ['delegate', '--to', 'Scout', '--task', 'x', '--context', '{"a":'],
    'bad_json',
    /--context is not JSON: .*(?:end|position)/,
  ],
  [
    ['respond', '--to', 'Scout', '--msg-id', 't-x', '--result', 'r', '--status', 'complete'],
    'bad_status',
    /did you mean .*one of/,
  ],
  [['respond', '--to', 'Scout', '--msg-id', 't-x', '--result', 'r'], 'unknown_task', /"t-x"/],
  [['file-get', '--key', 'nope.md'], 'unknown_file', /nope\.md/],
  [['file-put', '--key', '../up', '--file', 'x'], 'bad_path', /\.\./],
  [
    ['file-put', '--key', 'up', '--file', 'missing.md'],
    'no_such_local_file',
    /missing\.md: no such file/,
  ],
  [['register', '--name', ' '], 'bad_name', /name is empty/],
  [['--relay', 'ftp://x', 'discover'], 'bad_url', /use http:/],
  [['--relay', 'not a url', 'discover'], 'bad_url', /use http:/],
  [['--workspace', 'Not One', 'discover'], 'bad_name', /lower-case/],
  [['--relay', '127.0.0.1:1', 'discover'], 'unreachable', /ECONNREFUSED.* — start one/],
  [['--relay', '127.0.0.1:1', 'info'], 'unreachable', /ECONNREFUSED.* — start one/],
  [['--relay', '127.0.0.1:1', 'broadcast', '--content', 'x'], 'unreachable', /start one/],
  [
    ['--relay', '127.0.0.1:1', 'respond', '--to', 'x', '--msg-id', 'y', '--result', 'z'],
    'unreachable',
    /start one/,
  ],
])('%j is %s', (args, code, what) => fails(lead, args, code, what))

it.each(['discover', 'info'])('[CLI-2] %s: a web server that is not ours', (verb) =>
  fails(lead, [verb, '--relay', strangerUrl], 'not_clawlink', /is not a ClawLink server/),
)

it('[CLI-5] stays registered where it was after a wrong --relay', async () => {
  expect(await lead.ask('discover')).toMatchObject({ count: 2 })
})

it('[CLI-2] a limit is named when it is passed', async () => {
  const ran = await lead.runWith({ stdin: 'x'.repeat(70_000) }, 'broadcast', '--content', '-')
  expect(ran).toMatchObject({ code: 2, stdout: '' })
  expect(ran.stderr).toMatch(/70000 bytes; the limit is 65536/)
})

it('[CLI-2] bytes that are no text are refused', async () => {
  const bytes = new Uint8Array([0x66, 0xff, 0x0a])
  const ran = await lead.runWith({ stdin: bytes }, 'broadcast', '--content', '-')
  expect(ran).toMatchObject({ code: 2 })
  expect(ran.stderr).toMatch(/stdin is not UTF-8/)
})

it('[TEXT-11] [TEXT-12] [TEXT-13] JSON that would not be kept, and texts that show nothing, are refused', async () => {
  const give = ['delegate', '--to', 'Scout', '--task']
  const deep = '['.repeat(5_000) + ']'.repeat(5_000)
  const refused: [stdin: string, args: string[], what: RegExp][] = [
    ['{"n":1196451234567890123}', [...give, 'x', '--context', '-'], /would be rounded — put it in/],
    [deep, [...give, 'x', '--context', '-'], /--context: it is nested deeper than 16 levels/],
    ['', [...give, '-'], /the task is empty — check the command/],
    ['\u200b\n', ['broadcast', '--content', '-'], /the content is blank/],
    ['', ['send', '--to', 'Scout', '--content', ' '], /the content is blank/],
    ['', ['respond', '--to', 'Scout', '--msg-id', 't-x', '--result', '-'], /the result is empty/],
    ['', ['answer', 't-x', '-'], /the answer is empty/],
  ]
  for (const [stdin, args, what] of refused) {
    const ran = await lead.runWith({ stdin }, ...args)
    expect(ran, args.join(' ')).toMatchObject({ code: 2, stdout: '' })
    expect(ran.stderr).toMatch(what)
  }
  const bom = await lead.runWith(
    { stdin: '\ufeff{"branch":"main"}\r\n' },
    ...give,
    'x',
    '--context',
    '-',
    '--json',
  )
  expect(bom.json().data).toMatchObject({ task: { context: { branch: 'main' } } })
})

it('[FILE-5] a put onto a file that one has not read is a conflict, unless forced', async () => {
  const scout = await registeredHere(server.url, 'Second')
  const put = ['file-put', '--key', 'shared.md', '--file', '-']
  expect(await lead.runWith({ stdin: 'a\n' }, ...put)).toMatchObject({ code: 0 })
  const refused = await scout.runWith({ stdin: 'b\n' }, ...put)
  expect(refused).toMatchObject({ code: 4 })
  expect(refused.stderr).toMatch(/file-get it first/)
  expect(await scout.runWith({ stdin: 'b\n' }, ...put, '--force')).toMatchObject({ code: 0 })
  expect((await lead.run('file-get', '--key', 'shared.md')).stdout).toBe('b\n')
})

it('[CLI-2] nothing but register works unregistered, and says what to run', async () => {
  const nobody = agentHere(server.url)
  for (const args of [['poll'], ['heartbeat'], ['whoami'], ['broadcast', '--content', 'x']]) {
    await fails(nobody, args, 'not_registered', /run: clawlink-agent register --name/)
  }
  expect(await nobody.ask('discover')).toMatchObject({ agents: expect.any(Array) })
})

it('[CLI-6] [CLI-13] --help and --version work anywhere and load nothing', async () => {
  expect((await lead.run('--help')).stdout).toMatch(/exit codes: 0 done/)
  expect((await lead.run('delegate', '--help')).stdout).toMatch(/clawlink-agent delegate --to/)
  expect((await lead.run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
})
