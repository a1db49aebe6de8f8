import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, agent, registeredHere } from '../support/agent.ts'
import { until } from '../support/client.ts'
import { startHere } from '../support/in-process.ts'
import { bin, root, type ServerAt, tempDir } from '../support/server.ts'
import { noTerminal, openTerminal, type Terminal } from '../support/terminal.ts'

/** The tasks of a person in a real terminal: one server, one session, one agent. */
if (noTerminal !== null) console.log(`clawlink is not tested in a terminal: ${noTerminal}`)
const inTerminal = it.skipIf(noTerminal !== null)

let server: ServerAt
let terminal: Terminal
let bot: Agent
let ann: Agent

beforeAll(async () => {
  if (noTerminal !== null) return
  server = await startHere()
  const home = tempDir('person')
  terminal = openTerminal(120, 40, { CLAWLINK_HOME: home })
  terminal.type(`node ${bin('clawlink.mjs')} ${server.url}`)
  terminal.press('Enter')
  await terminal.shows('Who are you?')
  terminal.type('Ann')
  terminal.press('Enter')
  await terminal.shows('Ann (you)')
  ann = agent(server.url, home)
  bot = await registeredHere(server.url, 'bot')
  await terminal.shows('● bot')
})
afterAll(() => terminal?.close())

const PAGE = readFileSync(join(root, 'docs/tui.md'), 'utf8')

/** Presses the keys in the view that is furthest away; what is typed counts nothing. They are at most those of the table. */
const does = async (task: string, keys: readonly string[], typed = '', last: string[] = []) => {
  const row = PAGE.split('\n').find((line) => line.startsWith(`| ${task}`))
  expect(keys.length + last.length).toBeLessThanOrEqual(Number(row!.split('|')[2]))
  terminal.press(...keys)
  if (typed !== '') terminal.type(typed)
  terminal.press(...last)
}

const stateOf = async (id: string): Promise<string> => {
  const { task } = await bot.ask<{ task: { status: string } }>('task', '--task', id)
  return task.status
}

/** A task of Ann for the bot, which has claimed it. */
const claimed = async (...flags: string[]): Promise<string> => {
  const given = ['--as', 'me', 'delegate', '--to', 'bot', '--task', 'count the words', ...flags]
  const { task } = await ann.ask<{ task: { task_id: string } }>(...given)
  const { task_id } = task
  await until('the task is known', async () => (await stateOf(task_id)) === 'submitted')
  await bot.ask('claim', '--task', task_id)
  return task_id
}

const respond = (id: string, status: string, result: string) =>
  bot.ask('respond', '--msg-id', id, '--status', status, '--result', result)

inTerminal('[TUI-84] a question is answered, a result approved', async () => {
  const asked = await claimed()
  await respond(asked, 'input-required', 'Which language?')
  terminal.press('3')
  await terminal.shows('✉ 1')
  await does('answer a question', ['0', 'r'], 'Rust', ['Enter'])
  await until('the question is answered', async () => (await stateOf(asked)) === 'working')
  // The form closes once it knows that; until then keys are its own.
  await terminal.hides(/^ *Answer \*/m)
  await respond(asked, 'completed', 'done')

  const checked = await claimed('--approve-by', 'Ann')
  await respond(checked, 'completed', '1,024 words')
  terminal.press('0')
  await terminal.shows('a approve')
  terminal.press('3')
  await does('approve a result', ['0', 'a'])
  await until('the result is approved', async () => (await stateOf(checked)) === 'completed')
})

inTerminal('[TUI-84] a file is found, its author seen; a deletion is undone', async () => {
  await bot.runWith(
    { stdin: 'first the parser' },
    ...['file-put', '--key', 'docs/roadmap.md', '--file', '-'],
  )
  terminal.press('4')
  await terminal.shows('roadmap.md')
  terminal.press('3')
  await does('open a file by four letters', ['f', 'r', 'o', 'a', 'd', 'Enter'])
  await terminal.shows('first the parser')
  await does('find who wrote a line', ['C-t'])
  await terminal.shows('by bot')
  terminal.press('C-q', '4', 'G', 'D', 'y', 'Enter')
  const exists = async () => (await bot.run('file-get', '--key', 'docs/roadmap.md')).code === 0
  await terminal.shows('roadmap.md removed')
  await until('the bot sees that', async () => !(await exists()))
  terminal.press('3')
  await does('undo a deletion', ['4', 'U'])
  await until('the file is back', exists)
})

inTerminal('[TUI-84] somebody is invited', async () => {
  terminal.press('3')
  await does('invite somebody', ['i'])
  await terminal.shows('#w=default')
})
