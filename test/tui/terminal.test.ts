import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, agent, killLink, registeredHere } from '../support/agent.ts'
import { until } from '../support/client.ts'
import { startHere } from '../support/in-process.ts'
import { bin, type ServerAt, startServer, tempDir } from '../support/server.ts'
import { noTerminal, openTerminal, type Terminal } from '../support/terminal.ts'

if (noTerminal !== null) console.log(`clawlink is not tested in a terminal: ${noTerminal}`)
const inTerminal = it.skipIf(noTerminal !== null)

let server: ServerAt
beforeAll(async () => {
  server = await startHere()
})
afterAll(() => server.stop())

const open = new Set<Terminal>()
afterAll(() => {
  for (const terminal of open) terminal.close()
})

/** A person at a terminal who has typed `clawlink URL`; `me` reads what their home has by clawlink-agent. */
const person = async (
  url: string,
  size: readonly [number, number] = [120, 40],
  env: Record<string, string> = {},
): Promise<{ terminal: Terminal; me: Agent }> => {
  const home = tempDir('person')
  const terminal = openTerminal(...size, { CLAWLINK_HOME: home, ...env })
  open.add(terminal)
  terminal.type(`echo be''fore; node ${bin('clawlink.mjs')} ${url}; echo EX''IT $?`)
  terminal.press('Enter')
  return { terminal, me: agent(url, home) }
}

const join = async (terminal: Terminal, name: string): Promise<void> => {
  await terminal.shows('Who are you?')
  terminal.type(name)
  await terminal.shows(new RegExp(`Name.*${name}`))
  terminal.press('Enter')
  await terminal.shows(`${name} (you)`)
}

interface Polled {
  messages: { type: string; message_id: string; task: string }[]
}

inTerminal(
  '[TUI-31] [TUI-40] [TUI-79] [TUI-83] a person joins, delegates, watches, edits with an agent, and leaves the terminal as it was',
  async () => {
    const { terminal } = await person(server.url)
    await join(terminal, 'Ann')
    await terminal.shows('connected')

    const bob = await registeredHere(server.url, 'bob')
    await terminal.shows(/● bob/)
    terminal.press('j')
    await terminal.shows(/^.*bob.*$/m)
    terminal.press('d')
    await terminal.shows('Delegate a task')
    await terminal.shows(/To .*bob/)
    terminal.type('count the words')
    terminal.press('Enter')
    await terminal.hides('Delegate a task')
    terminal.press('2')
    await terminal.shows('count the words')

    const { messages } = await bob.ask<Polled>('poll', '--wait', '20')
    const task = messages.find(({ type }) => type === 'task_delegation')!
    expect(task.task).toBe('count the words')
    const { agents } = await bob.ask<{ agents: { name: string; agent_id: string }[] }>('discover')
    const ann = agents.find(({ name }) => name === 'Ann')!.agent_id
    const answer = (result: string, status: string) =>
      bob.ask(
        ...['respond', '--to', ann, '--msg-id', task.message_id],
        ...['--result', result, '--status', status],
      )
    await answer('at it', 'in_progress')
    await terminal.shows(/working/i)
    await answer('1,024 words', 'completed')
    terminal.press('Enter')
    await terminal.shows('1,024 words')
    terminal.press('Escape')
    await terminal.hides('esc back') // with a key right behind it Escape would be Alt

    await bob.runWith({ stdin: 'one\ntwo\n' }, 'file-put', '--key', 'notes.md', '--file', '-')
    terminal.press('4')
    await terminal.shows('notes.md')
    terminal.press('Enter')
    await terminal.shows(/1. one/)
    terminal.type('Ann was here. ')
    await bob.ask('file-edit', '--key', 'notes.md', '--find', 'two', '--replace', 'two, by bob')
    terminal.type('And still is. ')
    await terminal.shows('two, by bob')
    await terminal.shows('Ann was here. And still is. one')
    await terminal.shows(/ sent$/m)
    const row = terminal.screen().findIndex((line) => line.includes('And still is. one'))
    const column = terminal.screen()[row]!.indexOf('one')
    await until('the cursor is where the caret is', () => {
      const { x, y } = terminal.cursor()
      return x === column && y === row && terminal.modes().cursor
    })
    await until('both texts are in the file', async () => {
      const { file } = await bob.ask<{ file: { content: string } }>('file-get', '--key', 'notes.md')
      return file.content === 'Ann was here. And still is. one\ntwo, by bob\n'
    })
    terminal.press('Escape')
    await terminal.shows('m rename') // it is closed
    await bob.ask('discover')
    await terminal.hides('✎ Ann')
    terminal.press('q')
    await terminal.shows('EXIT 0')
    await leftAsItWas(terminal)
  },
)

inTerminal(
  '[TUI-46] [TUI-47] [TUI-48] a file is not emptied by a new one nor removed by enter; a question is answered',
  async () => {
    const { terminal } = await person(server.url)
    await join(terminal, 'Una')
    const bot = await registeredHere(server.url, 'bot')
    const plan = async () => (await bot.run('file-get', '--key', 'plan.md')).stdout
    // What the person's link has the bot's gets a moment later.
    const has = (text: string) => until(`plan.md is ${text}`, async () => (await plan()) === text)
    const make = async (...text: string[]) => {
      terminal.press('n')
      await terminal.shows('New file')
      terminal.type('plan.md')
      terminal.press('Tab')
      for (const part of text) terminal.type(part)
      await terminal.shows(/Path.*plan\.md/)
      terminal.press('C-s')
    }
    terminal.press('4')
    await make('important')
    await terminal.shows(/1. important/)
    terminal.type('very ')
    await has('very important')
    terminal.press('Escape')
    await terminal.shows('m rename')
    await make()
    await terminal.shows('plan.md already exists')
    terminal.press('Escape')
    await terminal.hides('already exists')
    await has('very important')

    // Files of the tests before are in the list, too.
    terminal.press('/')
    terminal.type('plan.md')
    terminal.press('Enter')
    await terminal.hides('notes.md')
    await terminal.shows(/plan\.md .*v2/)
    terminal.press('D')
    await terminal.shows('Remove plan.md?')
    terminal.press('Enter')
    await terminal.hides('Remove plan.md?')
    await has('very important')
    terminal.press('D')
    await terminal.shows('Remove plan.md?')
    terminal.type('y')
    await terminal.shows('[yes]')
    terminal.press('Enter')
    await terminal.shows('plan.md removed')
    terminal.type('U')
    await terminal.shows('plan.md is back')
    await has('very important')

    terminal.type(':')
    terminal.type('delegate bot write the parser')
    await terminal.shows(/:delegate bot write the parser/)
    terminal.press('Enter')
    const { messages } = await bot.ask<Polled>('poll', '--wait', '20')
    const given = messages.find(({ type }) => type === 'task_delegation')!
    await bot.ask(
      ...['respond', '--to', 'Una', '--msg-id', given.message_id],
      ...['--status', 'input-required', '--result', 'Which language?'],
    )
    await terminal.shows('bot asks: Which language?')
    terminal.press('2')
    terminal.press('/')
    terminal.type(`id:${given.message_id}`)
    terminal.press('Enter')
    terminal.press('j')
    // In the bar: a notification has these words, too.
    await terminal.shows('r answer  n note')
    terminal.press('r')
    // The question is in the preview, too.
    await terminal.shows(/^ *Answer \*/m)
    terminal.type('Rust')
    await terminal.shows(/Answer.*Rust/)
    terminal.press('C-s')
    await until('it is told', async () =>
      (await bot.run('task', given.message_id)).stdout.includes('Rust'),
    )
    await terminal.hides(/^ *Answer \*/m) // the form stays until it knows that, too
    terminal.press('q')
    await terminal.shows('EXIT 0')
  },
)

inTerminal(
  '[TUI-38] [TUI-52] [TUI-55] [TUI-57] [TUI-58] who wrote what is seen; a suggestion is accepted, a version restored, work taken back',
  async () => {
    const { terminal } = await person(server.url)
    await join(terminal, 'Ivy')
    const bob = await registeredHere(server.url, 'blamed')
    const cat = await registeredHere(server.url, 'critic')
    const text = async () => (await bob.run('file-get', 'guide.md')).stdout
    const has = (wanted: string) => until(`it is ${wanted}`, async () => (await text()) === wanted)
    await bob.runWith({ stdin: 'first\nsecond\n' }, 'file-put', 'guide.md', '--file', '-')
    await cat.ask('file-edit', 'guide.md', '--find', 'first', '--replace', 'first, by critic')
    await cat.ask('file-suggest', 'guide.md', '--find', 'second', '--replace', '2nd')
    terminal.press('4')
    terminal.press('/')
    terminal.type('guide.md')
    terminal.press('Enter')
    await terminal.shows(/guide\.md ±1 /)
    terminal.press('Enter')
    // The preview has the text, too.
    await terminal.shows(/guide\.md +1:1/)
    terminal.press('C-t')
    await terminal.shows(/by blamed (now|\d)/)
    terminal.press('Escape')
    await terminal.shows('H history')

    terminal.type('E')
    await terminal.shows(/s-1 +open/)
    terminal.press('Enter')
    await terminal.shows('+2nd')
    terminal.type('a')
    await terminal.shows('hunk 1 of s-1 accepted')
    await has('first, by critic\n2nd\n')
    await terminal.shows(/guide\.md by critic .*accepted/)
    terminal.press('Escape')
    await terminal.shows('Suggestions for guide.md')
    terminal.press('Escape')
    await terminal.shows('H history')

    terminal.type('H')
    await terminal.shows(/version 3 of 3/)
    terminal.press('Left')
    await terminal.shows(/1 -first +│ +1 +\+first, by critic/)
    terminal.type('R')
    await terminal.shows('what it was in version 2?')
    terminal.type('y')
    await terminal.shows('[yes]')
    terminal.press('Enter')
    await terminal.shows('is as in version 2')
    await has('first, by critic\nsecond\n')

    terminal.type(':take-back critic')
    terminal.press('Enter')
    await terminal.shows(/Take back the work of critic/)
    await terminal.shows('-first, by critic')
    terminal.type('Z')
    await terminal.shows('Take back the work of critic?')
    terminal.type('y')
    await terminal.shows('[yes]')
    terminal.press('Enter')
    await terminal.shows(/:take-back u-\S+ takes that back/)
    await until('it is out', async () => (await text()).startsWith('first\n'))
    terminal.press('q')
    await terminal.shows('EXIT 0')
  },
)

inTerminal(
  '[TUI-59] [TUI-62] [TUI-63] (W3 W11 W13) a link is asked for and in no process list; why it fails is said; a reader watches',
  async () => {
    const bob = await registeredHere(server.url, 'inviter')
    const { link } = await bob.ask<{ link: string }>('invite', '--role', 'read')
    const [secret] = /cli_[A-Za-z0-9_-]{20,}/.exec(link)!
    const home = tempDir('watcher')
    const terminal = openTerminal(100, 30, { CLAWLINK_HOME: home })
    open.add(terminal)
    terminal.type(`node ${bin('clawlink.mjs')} -; echo EX''IT $?`)
    terminal.press('Enter')
    await terminal.shows('Paste the join link')
    terminal.type('http://127.0.0.1:1/#w=default')
    await terminal.shows('http://127.0.0.1:1/#w=default')
    terminal.press('Enter')
    await terminal.shows(/127\.0\.0\.1:1 .*[\s\S]*Join link/)
    terminal.type(link)
    await terminal.shows('[secret]')
    terminal.press('Enter')
    await terminal.shows('inviter')
    await terminal.shows('watching')
    expect(terminal.screen().join('\n')).not.toContain('Who are you?')
    const shown = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout
    expect(shown).toContain('clawlink.mjs -')
    expect(shown).not.toContain(secret) // others' may be there at this moment
    await bob.runWith({ stdin: 'seen by all' }, 'file-put', 'watched.md', '--file', '-')
    terminal.press('4')
    await terminal.shows('watched.md')
    terminal.press('q')
    await terminal.shows('EXIT 0')
  },
)

/** The shell's screen is back, with what was on it, no mouse reports, a cursor, and echo. */
const leftAsItWas = async (terminal: Terminal): Promise<void> => {
  await terminal.shows(/^before$/m)
  // The program may still be writing them.
  const isSo = ({ otherScreen, mouse, cursor }: ReturnType<Terminal['modes']>): boolean =>
    !otherScreen && !mouse && cursor
  await until('its modes are back', () => isSo(terminal.modes()))
  terminal.type('stty -a | grep -o "[-]*\\becho\\b"; echo mo""de')
  terminal.press('Enter')
  await terminal.shows(/^echo\nmode$/m)
}

inTerminal(
  '[TUI-41] [TUI-78] a restart of the server and the end of the link are seen, and gone on from',
  async () => {
    const own = await startServer()
    const { terminal, me } = await person(own.url, [80, 24])
    await join(terminal, 'Eve')
    await terminal.shows('● connected')
    await own.kill()
    await terminal.hides('● connected')
    terminal.press('b')
    await terminal.shows(/Tell everybody|Broadcast/i)
    terminal.type('written offline')
    terminal.press('C-s')
    await terminal.shows('queued')
    const back = await startServer({ port: own.port, data: own.data })
    await terminal.shows('● connected')
    const other = await registeredHere(back.url, 'reader')
    await until('it arrived', async () => {
      const { broadcasts } = await other.ask<{ broadcasts: { content: string }[] }>('log')
      return broadcasts.some(({ content }) => content === 'written offline')
    })
    await killLink(me.home)
    await terminal.shows('● connected')
    await until('there is another link', async () => (await me.run('status')).code === 0)
    terminal.press('q')
    await terminal.shows('EXIT 0')
    // The link is there: the first frame fills the screen. A key was echoed before it.
    terminal.type(`printf '\\033c1'; node ${bin('clawlink.mjs')}`)
    terminal.press('Enter')
    await terminal.shows('● connected')
    terminal.press('4')
    await terminal.shows('[4 Files]')
    expect(terminal.screen()[0]).toMatch(/^ 0 For me .* ● connected$/)
    terminal.press('q')
    await terminal.hides('● connected')
    await back.stop()
  },
)

inTerminal(
  '[TUI-42] Ctrl-Z gives the terminal to the shell and fg takes it back; a resize redraws',
  async () => {
    const { terminal } = await person(server.url)
    await join(terminal, 'Zed')
    terminal.press('C-z')
    await terminal.shows(/Stopped/)
    expect(terminal.screen()).toContain('before')
    terminal.type('fg')
    terminal.press('Enter')
    await terminal.shows('Zed (you)')
    terminal.resize(80, 24)
    await until('it fits', () => {
      const lines = terminal.screen()
      return lines.length === 24 && lines[0]!.includes('connected') && lines[23]!.includes('quit')
    })
    terminal.press('q')
    await terminal.hides('Zed (you)')
    await leftAsItWas(terminal)
  },
)

inTerminal('[TUI-43] whatever ends it, the terminal is as it was', async () => {
  const hook =
    "process.argv[1]?.endsWith('clawlink.mjs')&&process.on('SIGUSR2',()=>{throw(Error('boom'))})"
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR2'] as const) {
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}` }
    const { terminal } = await person(server.url, [80, 24], env)
    await terminal.shows('Who are you?')
    process.kill(terminal.program(), signal)
    await terminal.hides('Who are you?')
    if (signal === 'SIGUSR2') await terminal.shows('boom')
    else await terminal.shows(`EXIT ${128 + constants.signals[signal]}`)
    await leftAsItWas(terminal)
    terminal.close()
  }
})

it('[TUI-44] without a terminal it says what to use instead', async () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [bin('clawlink.mjs'), ...args], { encoding: 'utf8' })
  expect(run()).toMatchObject({ status: 2, stdout: '' })
  expect(run().stderr).toMatch(/needs a terminal.*clawlink-agent/)
  expect(run('--wrokspace', 'w')).toMatchObject({ status: 2 })
  expect(run('--wrokspace', 'w').stderr).toMatch(/--workspace/)
  expect(run('--help')).toMatchObject({ status: 0, stderr: '' })
})
