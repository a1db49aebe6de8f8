import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { joinLink } from '../../../protocol/roles.ts'
import { registered } from '../../support/agent.ts'
import { invite } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { bin, ownPort, type Server, startServer, tempDir } from '../../support/server.ts'
import { openTerminal, type Terminal } from '../../support/terminal.ts'
import { goTo, joinBy, watchFaults } from '../../support/web/browser.ts'

const FILE = 'together.md'

type Say = (text: string) => void

/** A person at a browser, with an agent, a terminal UI and a folder on disk, over a kill -9 of the server. */
export const playWorks = async (browser: Browser, faults: string[], say: Say): Promise<void> => {
  const [data, port] = [tempDir('data'), await ownPort()]
  const start = () => startServer({ data, port })
  let server = await start()
  const bob = await registered(server.url, 'Bob')
  const link = async (role: string) =>
    joinLink(server.url, 'default', await invite(server, { workspace: 'default', role }))
  const context = await browser.newContext()
  const ann = await context.newPage()
  watchFaults(ann, faults)
  await joinBy(ann, await link('write'), 'Ann')
  await ann.getByRole('heading', { name: /Bob/ }).waitFor()
  say('joined by a link, and saw the agents')
  await delegateAndAnswer(ann, bob)
  say('delegated to clawlink-agent, answered its question, and saw the result')

  await bob.runWith({ stdin: 'base\n' }, 'file-put', FILE, '-')
  const mirror = await registered(server.url, 'Mirror')
  const folder = tempDir('mirrored')
  await mirror.ask('mirror', folder)
  const onDisk = join(folder, FILE)
  await until('the mirror has the file', () => contentOf(onDisk) === 'base\n')
  const terminal = await openAtTerminal(server.url)
  try {
    await goTo(ann, 'file', FILE)
    const second = await context.newPage()
    watchFaults(second, faults)
    await second.goto(server.url)
    await second.getByText('connected', { exact: true }).waitFor()
    await goTo(second, 'file', FILE)
    await typeAtEnd(ann, 'page 1\n')
    await typeAtEnd(second, 'tab 1\n')
    terminal.type('terminal 1 ')
    await bob.ask('file-append', '--key', FILE, '--text', 'agent 1\n')
    await until('the mirror has the first round', () =>
      hasAll(contentOf(onDisk), ['page 1', 'tab 1', 'terminal 1', 'agent 1']),
    )
    writeFileSync(onDisk, `disk 1\n${contentOf(onDisk)}`)
    await ann.getByText('disk 1').waitFor()
    say('edited a file with an agent, a second tab, the terminal UI and a mirror')

    await server.kill()
    await ann.getByText(/^not connected/).waitFor()
    await typeAtEnd(ann, 'page 2\n')
    await typeAtEnd(second, 'tab 2\n')
    terminal.type('terminal 2 ')
    writeFileSync(onDisk, `disk 2\n${contentOf(onDisk)}`)
    const appended = bob.ask('file-append', '--key', FILE, '--text', 'agent 2\n')
    await ann.getByText('kept in this browser').waitFor()
    server = await start()
    await appended
    const marks = ['disk', 'page', 'tab', 'terminal', 'agent'].flatMap((who) => [
      ...[`${who} 1`, `${who} 2`],
    ])
    await allEqual(marks, {
      page: () => shownIn(ann),
      tab: () => shownIn(second),
      agent: () => textOf(bob),
      mirror: async () => contentOf(onDisk),
    })
    await terminal.shows('page 2')
    say('after a kill -9 of the server all texts are equal, with each of 10 edits')

    await context.setOffline(true)
    await typeAtEnd(ann, 'offline\n')
    await ann.getByText('kept in this browser').waitFor()
    await bob.ask('file-append', '--key', FILE, '--text', 'meanwhile\n')
    await context.setOffline(false)
    await allEqual([...marks, 'offline', 'meanwhile'], {
      page: () => shownIn(ann),
      agent: () => textOf(bob),
    })
    say('edits made offline came along')
    await second.close()
    await revoke(server, bob, ann, say)
  } finally {
    terminal.close()
    await context.close()
    await server.stop()
  }
}

const delegateAndAnswer = async (
  ann: Page,
  bob: Awaited<ReturnType<typeof registered>>,
): Promise<void> => {
  await goTo(ann, 'board')
  await ann.getByLabel('New task').fill('name the release')
  await ann.getByRole('combobox').selectOption({ label: 'Bob' })
  await ann.getByRole('button', { name: 'Delegate' }).click()
  await ann.getByText('Delegated.').waitFor()
  const { messages } = await bob.ask<{ messages: { type: string; message_id: string }[] }>(
    ...(['poll', '--wait', '20'] as const),
  )
  const { message_id: id } = messages.find(({ type }) => type === 'task_delegation')!
  await bob.ask('claim', id)
  await bob.ask('respond', id, '--status', 'input-required', '--result', 'Which colour?')
  await goTo(ann, 'me')
  await ann.getByText('Which colour?').waitFor()
  await ann.getByRole('textbox', { name: 'Your answer' }).fill('blue')
  await ann.getByRole('button', { name: 'Answer' }).click()
  await ann.getByText('Answered.').waitFor()
  await bob.ask('respond', id, '--result', 'Blue Whale')
  await goTo(ann, 'task', id)
  await ann.getByText('Blue Whale').first().waitFor()
}

const openAtTerminal = async (url: string): Promise<Terminal> => {
  const terminal = openTerminal(120, 40, { CLAWLINK_HOME: tempDir('person') })
  terminal.type(`node ${bin('clawlink.mjs')} ${url}`)
  terminal.press('Enter')
  await terminal.shows('Who are you?')
  terminal.type('Terry')
  await terminal.shows(/Name.*Terry/)
  terminal.press('Enter')
  await terminal.shows('Terry (you)')
  terminal.press('4')
  await terminal.shows(FILE)
  terminal.press('Enter')
  await terminal.shows(/1. base/)
  return terminal
}

const contentOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

const textOf = async (bob: Awaited<ReturnType<typeof registered>>): Promise<string> =>
  (await bob.ask<{ file: { content: string } }>('file-get', '--key', FILE)).file.content

/** The text in the editor: all of its lines are drawn, as they are few. A name at a caret is no part of it. */
const SHOWN = `[...document.querySelector('.editor').shadowRoot.querySelectorAll('.cm-line')].map((line) => {
  const copy = line.cloneNode(true)
  for (const caret of copy.querySelectorAll('.caret')) caret.remove()
  return copy.textContent
}).join('\\n')`

const shownIn = (page: Page): Promise<string> => page.evaluate<string>(SHOWN)

const typeAtEnd = async (page: Page, text: string): Promise<void> => {
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(text)
}

const hasAll = (text: string, marks: readonly string[]): boolean =>
  marks.every((mark) => text.includes(mark))

/** Waits until all have the same text, with each mark once. */
const allEqual = async (
  marks: readonly string[],
  readers: Readonly<Record<string, () => Promise<string>>>,
): Promise<void> => {
  let texts: Record<string, string> = {}
  const look = async () => {
    texts = {}
    for (const [name, read] of Object.entries(readers)) texts[name] = await read()
    const [first = '', ...others] = Object.values(texts)
    return (
      others.every((other) => other === first) &&
      marks.every((mark) => first.split(mark).length === 2)
    )
  }
  await until('all texts are equal', look, 30_000).catch((error) => {
    throw new Error(`${error}\n${JSON.stringify(texts, null, 2)}`)
  })
}

/** The page is cut off within a second. */
const revoke = async (
  server: Server,
  bob: Awaited<ReturnType<typeof registered>>,
  ann: Page,
  say: Say,
): Promise<void> => {
  const { agents } = await bob.ask<{ agents: { agent_id: string; name: string }[] }>('discover')
  const which = agents.find(({ name }) => name === 'Ann')!.agent_id
  const start = performance.now()
  await fetch(`${server.url}/api/admin/revoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ workspace: 'default', which }),
  })
  await ann.getByText('signed out', { exact: true }).waitFor()
  const ms = Math.round(performance.now() - start)
  if (ms > 1_000) throw new Error(`revoked, the page went on for ${ms} ms`)
  say(`revoked, the page was cut off after ${ms} ms`)
}
