import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Role } from '../../protocol/roles.ts'
import { type Agent, registeredHere } from '../support/agent.ts'
import { until } from '../support/client.ts'
import { type Server, startServer } from '../support/server.ts'
import { goTo, noBrowser, startBrowser, visitor } from '../support/web/browser.ts'

describe.skipIf(noBrowser !== null)('the page of a file', () => {
  let browser: Browser
  let server: Server
  let bob: Agent
  let ann: Page
  const faults: string[] = []
  // page.test.ts and place.test.ts have the service worker.
  const person = (name: string, role: Role) =>
    visitor(browser, server, { name, role, faults, serviceWorkers: 'block' })
  const share = async (key: string, stdin: string): Promise<void> => {
    expect((await bob.runWith({ stdin }, 'file-put', key, '-')).code).toBe(0)
  }
  const textOf = async (key: string): Promise<string> =>
    (await bob.ask<{ file: { content: string } }>('file-get', '--key', key)).file.content
  const press = (page: Page, name: string | RegExp) =>
    page.getByRole('button', { name, exact: typeof name === 'string' }).click()
  const editor = (page: Page) => page.getByRole('textbox', { name: /^Text of/ })

  beforeAll(async () => {
    server = await startServer()
    browser = await startBrowser()
    bob = await registeredHere(server.url, 'Bob', 'alone-here')
    ann = await person('Ann', 'write')
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    expect(faults).toEqual([])
  })

  it('[WEB-9] the authors of the lines stand beside them, and the one of the line of the caret below', async () => {
    await share('plan.md', 'one\ntwo\nthree\n')
    await goTo(ann, 'file', 'plan.md')
    await press(ann, 'Authors')
    await ann.locator('.author', { hasText: 'Bob' }).first().waitFor()
    await editor(ann).click()
    await ann.keyboard.press('Control+End')
    await ann.keyboard.type('four')
    await ann.locator('.author', { hasText: 'Ann' }).waitFor()
    await ann.getByText(/^Line 4: Ann, /).waitFor()
    await ann.keyboard.press('Control+Home')
    await ann.getByText(/^Line 1: Bob, /).waitFor()
    await press(ann, 'Authors')
    await until('the gutter is gone', async () => (await ann.locator('.author').count()) === 0)
  })

  it('[WEB-10] a slider goes through the versions of a file, with their changes, and restores one', async () => {
    await share('story.md', 'a\nb\n')
    await share('story.md', 'a\nB\nc\n')
    await goTo(ann, 'file', 'story.md')
    await press(ann, 'History')
    const slider = ann.getByRole('slider', { name: 'Version' })
    await ann.getByText('Version 2', { exact: true }).waitFor()
    await ann.locator('.cm-changedLine').first().waitFor()
    expect(await slider.getAttribute('aria-valuetext')).toBe('version 2 by Bob')
    await slider.press('ArrowLeft')
    await ann.getByText('Version 1', { exact: true }).waitFor()
    await press(ann, 'Restore version 1')
    await ann.getByText('story.md is as it was in version 1.').waitFor()
    await until('it is restored', async () => (await textOf('story.md')) === 'a\nb\n')
  })

  it('[WEB-11] a person of the role suggest proposes, another accepts one hunk and rejects the other with a reason', async () => {
    await share('draft.md', 'one\n2\n3\n4\n5\nsix\n')
    const sue = await person('Sue', 'suggest')
    await goTo(sue, 'file', 'draft.md')
    await sue.getByText('read only').waitFor()
    await press(sue, 'Suggest a change')
    const own = sue.getByRole('textbox', { name: /^Your proposal/ })
    await own.click()
    await sue.keyboard.press('Control+Home')
    await sue.keyboard.type('number ')
    await sue.keyboard.press('Control+End')
    await sue.keyboard.type('seven\n')
    // A reload loses nothing of a draft.
    await sue.reload()
    await press(sue, 'Suggest a change')
    await own.getByText('seven').waitFor()
    await sue.getByLabel('Why').fill('it reads better')
    await press(sue, 'Suggest')
    await sue.getByText('Suggested.').waitFor()
    await goTo(ann, 'file', 'draft.md')
    await press(ann, /^Suggestions/)
    await ann.getByText('it reads better').waitFor()
    await press(ann, 'Accept hunk 1')
    await ann.getByText('Hunk 1 is accepted.').waitFor()
    await ann.getByLabel('Reason for rejecting hunk 2').fill('six is enough')
    await press(ann, 'Reject hunk 2')
    await ann.getByText('Hunk 2 is rejected.').waitFor()
    await ann.getByText('No suggestion waits.').waitFor()
    expect(await textOf('draft.md')).toBe('number one\n2\n3\n4\n5\nsix\n')
    await goTo(sue, 'me')
    await sue.getByText(/six is enough/).waitFor()
    await sue.close()
  })

  it('[WEB-12] the changes of one agent are undone in a file, after what that does was shown', async () => {
    await share('code.txt', 'start\n')
    const eve = await registeredHere(server.url, 'Eve', 'alone-here')
    await eve.ask('file-append', '--key', 'code.txt', '--text', 'unwanted line\n')
    const adam = await person('Adam', 'admin')
    await goTo(adam, 'file', 'code.txt')
    await editor(adam).getByText('unwanted line').click()
    await adam.keyboard.press('Home')
    await adam.keyboard.type('partly mine, ')
    await adam.getByText('all changes are on the server').waitFor()
    await press(adam, 'Undo by agent')
    await adam.getByLabel('Changes of').selectOption({ label: 'Eve' })
    await press(adam, 'Show what would change')
    await adam.getByText(/characters are taken out/).waitFor()
    await adam.getByText(/^Line 2 overlaps with the work of Adam/).waitFor()
    expect(await textOf('code.txt')).toContain('unwanted')
    await press(adam, 'Undo the changes of Eve in this file')
    await until('it is undone', async () => !(await textOf('code.txt')).includes('unwanted'))
    expect(await textOf('code.txt')).toContain('partly mine, ')
    await press(adam, 'Take the undo back')
    await until('it is back', async () => (await textOf('code.txt')).includes('unwanted'))
    await adam.close()
  })

  it('[WEB-18] words have the colours of their language, whose code is loaded with the first such file', async () => {
    await share('plain.txt', 'const plain = 1\n')
    await share('code.ts', 'const first = "text" // why\n')
    const ivy = await person('Ivy', 'write')
    const loaded: string[] = []
    ivy.on('request', (request) => loaded.push(request.url()))
    const has = (name: string) => loaded.some((url) => url.includes(`/app/${name}-`))
    await goTo(ivy, 'file', 'plain.txt')
    await editor(ivy).getByText('const plain').waitFor()
    await until('the file was looked at', () => Promise.resolve(has('languages')))
    expect(await ivy.locator('.tok-keyword').count()).toBe(0)
    expect(has('colours')).toBe(false)
    await goTo(ivy, 'file', 'code.ts')
    await ivy.locator('.tok-string', { hasText: '"text"' }).waitFor()
    await ivy.locator('.tok-comment', { hasText: '// why' }).waitFor()
    await bob.ask('file-append', '--key', 'code.ts', '--text', 'let second = 2\n')
    await ivy.locator('.tok-keyword', { hasText: 'let' }).waitFor()
    expect([has('javascript'), has('python'), has('clike')]).toEqual([true, false, false])
    await ivy.close()
  })
})
