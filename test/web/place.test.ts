import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { joinLink } from '../../protocol/roles.ts'
import { registeredHere } from '../support/agent.ts'
import { invite } from '../support/auth/members.ts'
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
import { startPrefix } from '../support/web/prefix.ts'

describe.skipIf(noBrowser !== null)('the place of the page', () => {
  let browser: Browser
  let server: Server
  const faults: string[] = []
  beforeAll(async () => {
    server = await startServer()
    browser = await startBrowser()
  })
  afterAll(async () => {
    await browser.close()
    await server.stop()
    expect(faults).toEqual([])
  })

  it('[WEB-16] the page works below a path, and opens without its server after the first visit', async () => {
    const bob = await registeredHere(server.url, 'Bob', 'alone-here')
    await bob.runWith({ stdin: 'kept\n' }, 'file-put', 'offline.md', '-')
    const proxy = await startPrefix(server.port, '/team')
    const context = await newProfile(browser)
    const page = await context.newPage()
    watchFaults(page, faults)
    const secret = await invite(server, { workspace: 'default', role: 'write' })
    await joinBy(page, joinLink(proxy.url, 'default', secret), 'Ann')
    expect(page.url()).toMatch(/\/team\/(#.*)?$/)
    await page.getByRole('heading', { name: /Bob/ }).waitFor()
    await goTo(page, 'file', 'offline.md')
    await page.getByText('kept').first().waitFor()
    // The service worker has all files once it is active.
    await page.evaluate('navigator.serviceWorker.ready')
    proxy.close()
    await page.reload()
    await page.getByText(/^not connected/).waitFor()
    await page.locator('.cm-content').getByText('kept').waitFor()
    await page.locator('.cm-content').click()
    await page.keyboard.type('still ')
    await page.getByText('kept in this browser').waitFor()
    await page.getByRole('button', { name: 'History' }).waitFor()
    await goTo(page, 'board')
    await page.getByRole('heading', { name: /Working/ }).waitFor()
    await context.close()
  })

  it('[WEB-17] two servers of one machine keep two credentials; signing out forgets one', async () => {
    const other = await startServer()
    const ann = await visitor(browser, server, { name: 'Cy', role: 'write', faults })
    const second = await ann.context().newPage()
    const secret = await invite(other, { workspace: 'default', role: 'write' })
    await joinBy(second, joinLink(other.url, 'default', secret), 'Dee')
    await ann.reload()
    await ann.getByText('connected', { exact: true }).waitFor()
    await ann.getByRole('button', { name: 'Sign out' }).click()
    await ann.getByRole('heading', { name: 'You were invited' }).waitFor()
    expect(await ann.context().cookies(server.url)).toHaveLength(1)
    await second.reload()
    await second.getByText('connected', { exact: true }).waitFor()
    await ann.context().close()
    await other.stop()
  })

  it('[WEB-5] forged words show as text, with the codes of what cannot be seen', async () => {
    const eve = await registeredHere(server.url, 'Eve', 'alone-here')
    const forged =
      'pay \u202e001 to\u200b Bob \u001b[31m<b onclick=alert(1)>&amp;</b> [x](javascript:alert(1))'
    await eve.ask('broadcast', forged)
    await eve.ask('delegate', '--anyone', '--task', forged, '--later')
    await eve.runWith({ stdin: `${forged}\n` }, 'file-put', 'javascript:alert(1)', '-')
    const page = await visitor(browser, server, { name: 'Fay', role: 'admin', faults })
    const shown = /pay \\u202e001 to\\u200b Bob .*<b onclick=alert\(1\)>&amp;<\/b>/
    for (const place of ['board', 'feed', 'record', 'me']) {
      await goTo(page, place)
      await page.getByText(shown).first().waitFor()
      expect(await page.locator('main b[onclick]').count()).toBe(0)
    }
    await goTo(page, 'files')
    const link = page.getByRole('link', { name: 'javascript:alert(1)' })
    expect(await link.getAttribute('href')).toBe('#/file/javascript%3Aalert(1)')
    await link.click()
    await page.locator('.cm-specialChar').first().waitFor()
    await page.getByRole('button', { name: 'History' }).click()
    await page.locator('.panel .cm-specialChar').first().waitFor()
    await page.context().close()
  })
})
