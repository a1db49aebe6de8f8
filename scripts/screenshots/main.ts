// Makes the pictures of docs/tui.md: a real server, real agents, and clawlink in a real terminal, whose screen is drawn as
// it is.   npm run screenshots
import { type Agent, agent } from '../../test/support/agent.ts'
import { startServer, tempDir } from '../../test/support/server.ts'
import { drawGallery } from './gallery.ts'
import { type Step, shooting } from './shoot.ts'

const server = await startServer()
const register = async (name: string, caps: string, about: string): Promise<Agent> => {
  const one = agent(server.url)
  await one.ask('register', '--name', name, '--caps', caps, '--description', about)
  return one
}
const scout = await register('Scout', 'research,web', 'finds things out')
const builder = await register('Builder', 'typescript,tests', 'writes and tests code')
const critic = await register('Critic', 'review', 'reads what others wrote')
const writer = await register('Writer', 'docs', 'writes what people read')
const tester = await register('Tester', 'tests', 'tries to break it')
await register('Keeper', 'ops', 'runs what is done')

interface Told {
  task: { task_id: string }
}
const delegated = async (from: Agent, to: string, task: string, ...more: string[]) =>
  (await from.ask<Told>('delegate', '--to', to, '--task', task, ...more)).task.task_id
const PARSER = `export const parse = (text: string): Row[] => {
  const rows = text.split('\\n').filter((line) => line !== '')
  return rows.map((line, at) => rowOf(line, at + 1))
}

/** Throws with the line's number. */
const rowOf = (line: string, number: number): Row => {
  const [key, ...rest] = line.split('\\t')
  if (key === undefined || rest.length === 0) {
    throw new ParseError(number, 'a row has a key and values')
  }
  return { key, values: rest }
}
`
await builder.runWith({ stdin: PARSER }, 'file-put', '--key', 'src/parser.ts', '--file', '-')
await scout.ask('file-append', '--key', 'notes/benchmarks.md', '--text', '# Benchmarks\n')
await scout.ask('file-append', '--key', 'README.md', '--text', '# Rows\n')
const parser = await delegated(
  scout,
  'Builder',
  'Make the parser tell the line of an error',
  '--priority',
  'high',
)
const review = await delegated(builder, 'Critic', 'Review src/parser.ts')
const found = await delegated(critic, 'Scout', 'Find out how others report errors of lines')
await delegated(critic, 'Builder', 'Test rows without values')
const move = (who: Agent, to: string, task: string, result: string, status: string) =>
  who.ask('respond', '--to', to, '--msg-id', task, '--result', result, '--status', status)
await builder.ask('claim', parser)
await move(builder, 'Scout', parser, 'half of it is there', 'in_progress')
await move(scout, 'Critic', found, 'Line and column, and the text around it.', 'completed')
await builder.ask('status', '--set', 'errors with lines', '--task', parser)
await critic.ask('status', '--set', 'reading the parser', '--task', review)
await scout.ask(
  'broadcast',
  '--content',
  'The grammar of rows is in notes/benchmarks.md',
  '--topic',
  'parser',
)
await builder.ask(
  'broadcast',
  '--content',
  'main is green again',
  '--topic',
  'ci',
  '--tags',
  'build',
)

const home = tempDir('person')
await agent(server.url, home).ask('--as', 'me', 'register', '--name', 'You', '--person')
const shot = shooting(server.url, { CLAWLINK_HOME: home })
const shoot = async (...what: Parameters<typeof shot>) => console.log(await shot(...what))

await shoot('agents', 'clawlink: who is here', [110, 16], ['Critic'])
await shoot(
  'tasks',
  'clawlink: the task board',
  [110, 24],
  ['Critic', { press: '2' }, 'parser tell'],
)
await shoot(
  'feed',
  'clawlink: messages and activity',
  [110, 24],
  ['Critic', { press: '3' }, 'green again'],
)
const [lineOf, typed] = ['throw new ParseError', ' // the line is what people ask for']
await builder.ask(
  'file-intent',
  '--key',
  'src/parser.ts',
  '--lines',
  '8-10',
  '--note',
  'rewriting rowOf',
)
await shoot(
  'editor',
  'clawlink: a file, edited together',
  [110, 20],
  [
    ...[
      'Critic',
      { press: '4' },
      'parser.ts',
      { type: '/parser' },
      { press: 'Enter' },
      { press: 'G' },
      { press: 'Enter' },
      lineOf,
    ],
    ...[{ press: 'Down' }, { press: 'End' }, { type: typed }, typed],
  ],
)
const question = await delegated(tester, 'Writer', 'Describe the errors of rows')
await writer.ask('claim', question)
await move(writer, 'Tester', question, 'Which of them do people see?', 'input-required')
await writer.ask('send', 'You', 'The page about rows is in notes/rows.md')
await writer.ask(
  ...['file-suggest', '--key', 'src/parser.ts', '--find', 'a row has a key and values'],
  ...['--replace', 'a row begins with its key', '--note', 'says what to do'],
)
await delegated(tester, 'You', 'Say which errors are shown')
await shoot('help', 'clawlink: all keys', [110, 40], ['Critic', { press: '?' }, 'all keys'])
const [esc, back, enter] = [{ press: 'Escape' }, { press: 'BSpace' }, { press: 'Enter' }]
const atFile: Step[] = [{ press: '4' }, { type: '/parser' }, enter, enter]
const blank = await drawGallery(server.url, { CLAWLINK_HOME: home }, [
  ['me', [{ press: '0' }, 'SINCE'], []],
  ['agents', [{ press: '1' }, 'Keeper'], []],
  ['tasks', [{ press: '2' }, 'parser tell'], []],
  ['task', [enter, 'History'], [back]],
  ['feed', [{ press: '3' }, 'green again'], []],
  ['editor', [...atFile, 'throw new'], [{ press: 'C-q' }]],
  ['files', ['v1'], []],
  ['history', [{ press: 'H' }, 'version 1 of'], [back]],
  ['suggestions', [{ press: 'E' }, 'HUNKS'], []],
  ['suggestion', [enter, 'hunk 1'], [back, back]],
  ['finder', [{ press: 'f' }, { type: 'row' }, /task +/], [esc, 'q quit']],
  ['form', [{ press: 'd' }, 'Approved by'], [esc, 'q quit']],
  ['help', [{ press: '?' }, 'all keys'], [back]],
])
if (blank.length > 0) console.log(`blank: ${blank.join(' ')}`)
await server.stop()
process.exit(0)
