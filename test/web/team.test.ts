import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../../protocol/roles.ts'
import { type Agent, registeredHere } from '../support/agent.ts'
import { type Server, startServer } from '../support/server.ts'
import {
  goTo,
  joinBy,
  newProfile,
  noBrowser,
  startBrowser,
  visitor,
  watchFaults,
} from '../support/web/browser.ts'

describe.skipIf(noBrowser !== null)('the team in the page', () => {
  let browser: Browser
  let server: Server
  let bob: Agent
  const faults: string[] = []
  // page.test.ts and place.test.ts have the service worker.
  const person = (name: string, role: Role) =>
    visitor(browser, server, { name, role, faults, serviceWorkers: 'block' })
  const press = (page: Page, name: string | RegExp) =>
    page
      .getByRole('button', { name, exact: typeof name === 'string' })
      .first()
      .click()
  const task = async (...args: string[]) =>
    (await bob.ask<{ task: { task_id: string } }>('delegate', ...args)).task.task_id
  const stateOf = async (id: string) =>
    (await bob.ask<{ task: { status: string } }>('task', id)).task.status

  beforeAll(async () => {
    server = await startServer()
    browser = await startBrowser()
    bob = await registeredHere(server.url, 'Bob', 'alone-here')
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    expect(faults).toEqual([])
  })

  it('[WEB-13] messages, reviews and tasks for a person are read, acknowledged and done in one place', async () => {
    const ann = await person('Ann', 'write')
    const mine = await task('--to', 'Ann', '--task', 'choose a colour')
    const other = await task('--to', 'Ann', '--task', 'paint it')
    await bob.ask('send', '--to', 'Ann', 'good morning')
    await bob.runWith({ stdin: 'a\n' }, 'file-put', 'note.md', '-')
    await bob.ask(
      'file-suggest',
      '--key',
      'note.md',
      '--find',
      'a',
      '--replace',
      'b',
      '--approve-by',
      'Ann',
    )
    await goTo(ann, 'me')
    await ann.getByRole('heading', { name: 'Given to you' }).waitFor()
    const card = (text: string) => ann.locator('article', { hasText: text })
    await card('choose a colour').getByRole('button', { name: 'Claim' }).click()
    await ann.getByText('It is yours.').waitFor()
    expect(await stateOf(mine)).toBe('working')
    await ann.getByRole('link', { name: 'Board' }).click()
    await ann.getByRole('link', { name: 'choose a colour' }).click()
    await ann.getByLabel('Your result').fill('blue')
    await press(ann, 'Respond')
    await ann.getByText('Responded.').waitFor()
    expect(await stateOf(mine)).toBe('completed')
    await goTo(ann, 'me')
    await card('paint it').getByText('Decline…').click()
    await card('paint it').getByLabel('Why not').fill('no brush')
    await card('paint it').getByRole('button', { name: 'Decline' }).click()
    await ann.getByText('Declined.').waitFor()
    expect(await stateOf(other)).toBe('rejected')
    await card('good morning').getByText('Reply…').click()
    await card('good morning').getByLabel('Reply to Bob').fill('and to you')
    await press(ann, 'Reply')
    await ann.getByText('Sent.').waitFor()
    await ann.getByText('good morning').waitFor({ state: 'detached' })
    const { messages } = await bob.ask<{ messages: { content?: string }[] }>('poll')
    expect(messages.map(({ content }) => content)).toContain('and to you')
    await ann.getByRole('heading', { name: 'Waits for your review' }).waitFor()
    await ann.getByRole('link', { name: /^note\.md/ }).click()
    await press(ann, 'Accept hunk 1')
    await ann.getByText('Hunk 1 is accepted.').waitFor()
    await ann.close()
  })

  it('[WEB-2] an agent is paused and goes on', async () => {
    const ann = await person('Flo', 'write')
    await press(ann, 'Pause Bob')
    await ann.getByText(/Paused by/).waitFor()
    await press(ann, 'Resume Bob')
    await ann.getByText(/Paused by/).waitFor({ state: 'detached' })
    await ann.close()
  })

  it('[WEB-14] the record tells what happened, of an agent, a task or a file', async () => {
    const cy = await person('Cy', 'read')
    await bob.ask('broadcast', 'the ship has sailed')
    await goTo(cy, 'record')
    await cy.getByText('the ship has sailed').waitFor()
    await cy.getByLabel('File').selectOption('note.md')
    await cy.getByText('the ship has sailed').waitFor({ state: 'detached' })
    await cy
      .getByRole('link', { name: /note\.md version/ })
      .first()
      .waitFor()
    await cy.close()
  })

  it('[WEB-15] an admin invites by a link with a QR code, gives a role, and revokes', async () => {
    const adam = await person('Adam', 'admin')
    await goTo(adam, 'team')
    await press(adam, 'Make a join link')
    await adam.getByRole('img', { name: /QR code/ }).waitFor()
    const link = await adam.getByRole('textbox', { name: 'Join link' }).inputValue()
    const dee = await (await newProfile(browser, { serviceWorkers: 'block' })).newPage()
    watchFaults(dee, faults)
    await dee.clock.install()
    await joinBy(dee, link, 'Dee')
    await adam.getByLabel('Role of Dee').selectOption('suggest')
    await adam.getByText('Dee has the role suggest.').waitFor()
    await goTo(dee, 'file', 'note.md')
    await dee.getByText('read only').waitFor()
    await dee.getByRole('button', { name: 'Suggest a change' }).waitFor()
    // Her page has no time for another request or beat: its clock stands.
    await dee.clock.pauseAt(await dee.evaluate<number>('Date.now() + 1000'))
    await press(adam, 'Revoke Dee')
    await press(adam, 'Revoke Dee')
    await dee.getByText('signed out', { exact: true }).waitFor()
    // Who is no admin has no such page.
    const eve = await person('Eve', 'write')
    await eve.getByRole('link', { name: 'Board' }).waitFor()
    expect(await eve.getByRole('link', { name: 'Team' }).count()).toBe(0)
    for (const page of [adam, dee, eve]) await page.close()
  })
})
