import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { joinLink, type Role } from '../../protocol/roles.ts'
import { type Agent, registeredHere } from '../support/agent.ts'
import { invite } from '../support/auth/members.ts'
import { until } from '../support/client.ts'
import { bin, ownPort, type Server, startServer, tempDir } from '../support/server.ts'
import { goTo, newProfile, noBrowser, startBrowser, visitor } from '../support/web/browser.ts'

/** Bytes, gzipped, of built files of the page and of all that they import at once. */
const weightOf = (...starts: RegExp[]): number => {
  const dist = join(bin('clawlink-sync.cjs'), '..')
  const files = readdirSync(dist).filter((name) => name.startsWith('page-'))
  const wanted = new Set(files.filter((name) => starts.some((start) => start.test(name))))
  expect(wanted.size).toBe(starts.length)
  let bytes = 0
  for (const name of wanted) {
    const packed = readFileSync(join(dist, name))
    bytes += packed.length
    const text = gunzipSync(packed).toString()
    for (const [, other] of text.matchAll(/\b(?:from|import)\s*"\.\/([^"]+)"/g)) {
      wanted.add(`page-${other}.gz`)
    }
  }
  return bytes
}

it('[WEB-6] the page without its editor, and with it, stays small', () => {
  const first = [/-index\.html/, /-style-/, /-icon/, /-main-/]
  expect(weightOf(...first)).toBeLessThanOrEqual(60_000)
  expect(weightOf(...first, /-file-/, /-editor-/)).toBeLessThanOrEqual(170_000)
})

describe.skipIf(noBrowser !== null)('in a browser', () => {
  let browser: Browser
  let server: Server
  let bob: Agent
  const [data, faults] = [tempDir('data'), [] as string[]]
  let port = 0
  const start = async () => {
    server = await startServer({ data, port })
  }
  const person = (name: string, role: Role) => visitor(browser, server, { name, role, faults })
  const share = async (key: string, stdin: string): Promise<void> => {
    expect((await bob.runWith({ stdin }, 'file-put', key, '-')).code).toBe(0)
  }
  const textOf = async (key: string): Promise<string> =>
    (await bob.ask<{ file: { content: string } }>('file-get', '--key', key)).file.content

  beforeAll(async () => {
    port = await ownPort()
    await start()
    browser = await startBrowser()
    bob = await registeredHere(server.url, 'Bob', 'alone-here')
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    expect(faults).toEqual([])
  })

  it('[WEB-1] a join link shows the team; the secret leaves the address bar, and no script reads the credential', async () => {
    const ann = await person('Ann', 'write')
    await ann.getByRole('heading', { name: /Bob/ }).waitFor()
    expect(ann.url()).not.toContain('cli_')
    expect(await ann.evaluate('document.cookie')).toBe('')
    expect(await ann.evaluate('JSON.stringify({ ...localStorage })')).not.toMatch(/cl[ic]_/)
    const [cookie] = await ann.context().cookies()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' })
    const found = await bob.ask<{ agents: { name: string }[] }>('discover')
    expect(found.agents.map(({ name }) => name)).toContain('Ann')
    // The next visit needs no link.
    await ann.reload()
    await ann.getByText('connected', { exact: true }).waitFor()
    await ann.close()
  })

  it('[WEB-2] a person delegates, and answers the question of an agent', async () => {
    const cy = await person('Cy', 'write')
    await goTo(cy, 'board')
    await cy.getByLabel('New task').fill('name the release')
    await cy.getByRole('combobox').selectOption({ label: 'Bob' })
    await cy.getByRole('button', { name: 'Delegate' }).click()
    await cy.getByText('Delegated.').waitFor()
    const { tasks } = await bob.ask<{ tasks: { task_id: string }[] }>('tasks', '--mine')
    const id = tasks[0]!.task_id
    await bob.ask('claim', id)
    await bob.ask('respond', id, '--status', 'input-required', '--result', 'Which colour?')
    await cy.getByRole('link', { name: /For me/ }).click()
    await cy.getByRole('heading', { name: 'Waits for your answer' }).waitFor()
    await cy.getByRole('link', { name: 'name the release' }).click()
    await cy.getByText('Which colour?').first().waitFor()
    await cy.getByLabel('Your answer').fill('blue')
    await cy.getByRole('button', { name: 'Answer' }).click()
    await cy.getByText('Answered.').waitFor()
    const { task } = await bob.ask<{ task: { status: string } }>('task', id)
    expect(task.status).toBe('working')
    await cy.close()
  })

  it('[WEB-3] edits of a browser, an agent and a second tab merge, over a kill -9 of the server', async () => {
    await share('plan.md', 'first line\n')
    const dee = await person('Dee', 'write')
    await goTo(dee, 'file', 'plan.md')
    const second = await dee.context().newPage()
    await second.goto(server.url)
    await goTo(second, 'file', 'plan.md')
    const editor = (page: Page) => page.locator('.cm-content')
    await editor(dee).click()
    await dee.keyboard.press('Control+End')
    await dee.keyboard.type('from the browser\n')
    await second.getByText('from the browser').waitFor()
    await second.getByText('Dee').first().waitFor()
    await server.kill()
    await dee.getByText(/^not connected/).waitFor()
    await dee.keyboard.type('while it was away\n')
    await dee.getByText('kept in this browser').waitFor()
    // A reload loses nothing of it.
    await dee.reload()
    await dee.getByText('while it was away').waitFor()
    await start()
    await dee.getByText('all changes are on the server').waitFor()
    await bob.ask('file-append', '--key', 'plan.md', '--text', 'from the agent\n')
    await dee.getByText('from the agent').waitFor()
    await second.getByText('from the agent').waitFor()
    expect(await textOf('plan.md')).toBe(
      'first line\nfrom the browser\nwhile it was away\nfrom the agent\n',
    )
    await second.close()
    await dee.close()
  })

  it('[WEB-4] a revoked browser is cut off, and says so', async () => {
    const eve = await person('Eve', 'write')
    const { agents } = await bob.ask<{ agents: { agent_id: string; name: string }[] }>('discover')
    const { agent_id } = agents.find(({ name }) => name === 'Eve')!
    const { status } = await fetch(`${server.url}/api/admin/revoke`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ workspace: 'default', which: agent_id }),
    })
    expect(status).toBe(200)
    await eve.getByText('signed out', { exact: true }).waitFor()
    await eve.close()
  })

  it('[WEB-5] what others wrote is text, never markup; a watcher can change nothing', async () => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    await bob.ask('broadcast', evil)
    await bob.ask('delegate', '--anyone', '--task', evil, '--later')
    await share('a<b>&.md', evil)
    const watcher = await person('', 'read')
    for (const place of ['now', 'me', 'board', 'feed', 'files']) {
      await goTo(watcher, place)
      await until('the page is there', async () => (await watcher.title()) !== 'ClawLink')
      expect(await watcher.locator('main img, main script').count()).toBe(0)
      expect(await watcher.getByRole('button', { name: /Send|Delegate/ }).count()).toBe(0)
    }
    await goTo(watcher, 'feed')
    await watcher.getByText(evil).first().waitFor()
    await goTo(watcher, 'file', 'a<b>&.md')
    await watcher.getByText('read only').waitFor()
    await watcher.locator('.cm-content').click()
    await watcher.keyboard.type('no')
    expect(await textOf('a<b>&.md')).toBe(evil)
    await watcher.close()
  })

  it('[WEB-1] without a link there is a page that says what to do; a used link says why', async () => {
    const page = await (await newProfile(browser)).newPage()
    await page.goto(server.url)
    await page.getByRole('heading', { name: 'You were invited' }).waitFor()
    const secret = await invite(server, { workspace: 'default', role: 'write', uses: 1 })
    await page.getByLabel('Join link').fill(joinLink(server.url, 'default', secret))
    await page.getByRole('button', { name: 'Continue' }).click()
    // The server's answer is lost, and the tab is loaded again: the link for one still leads in.
    await page.route('**/api/session', async (asked) => {
      if (asked.request().method() === 'POST') await asked.fetch()
      await asked.abort()
    })
    await page.getByLabel('Your name').fill('Flo')
    await page.getByRole('button', { name: 'Join' }).click()
    await page.getByRole('alert').waitFor()
    await page.unroute('**/api/session')
    await page.reload()
    await page.getByLabel('Your name').fill('Flo')
    await page.getByRole('button', { name: 'Join' }).click()
    await page.getByText('connected', { exact: true }).waitFor()
    expect(
      await page.evaluate('JSON.stringify({ ...sessionStorage, ...localStorage })'),
    ).not.toMatch(/cl[ic]_|attempt/)
    const other = await (await newProfile(browser)).newPage()
    await other.goto(joinLink(server.url, 'default', secret))
    await other.getByRole('button', { name: 'Watch' }).click()
    await other.getByRole('alert').waitFor()
    await page.close()
    await other.close()
  })
})
