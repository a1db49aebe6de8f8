import { existsSync } from 'node:fs'
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core'
import { joinLink, type Role } from '../../../protocol/roles.ts'
import { atEnd } from '../at-end.ts'
import { invite } from '../auth/members.ts'
import type { Server } from '../server.ts'

const PATHS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser']
const found = PATHS.find((path) => path !== undefined && existsSync(path))

/** Why no page can be opened here; null: there is a Chromium. */
export const noBrowser: string | null =
  found === undefined ? 'there is no /usr/bin/chromium: apt-get install chromium' : null
if (noBrowser !== null) console.log(`skipped: ${noBrowser}`)

/** A real Chromium without a window, which asks nobody but the server under test. */
export const startBrowser = async (): Promise<Browser> => {
  const browser = await chromium.launch({
    executablePath: found!,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update'],
      // Else each page also starts a process for the next one: half a second of CPU.
      '--renderer-process-limit=1',
    ],
  })
  atEnd(() => void browser.close())
  return browser
}

/** For what a page shows: it takes longer than 30 s where each core has ten busy processes. */
const PATIENCE_MS = 90_000

/**
 * A browser profile of its own, without cookies. Without a service worker it costs 1 s of CPU less, and no page opens while
 * its server is away.
 */
export const newProfile = async (
  browser: Browser,
  {
    viewport = { width: 1_280, height: 720 },
    serviceWorkers = 'allow',
  }: Pick<BrowserContextOptions, 'viewport' | 'serviceWorkers'> = {},
): Promise<BrowserContext> => {
  const context = await browser.newContext({ viewport, serviceWorkers })
  context.setDefaultTimeout(PATIENCE_MS)
  return context
}

/** Collects what a page must never have: errors of scripts, and violations of its policy. */
export const watchFaults = (page: Page, faults: string[]): void => {
  page.on('pageerror', ({ message }) => faults.push(message))
  page.on('console', (message) => {
    const text = message.text()
    // A server that is away, or rejects something, is no fault of the page.
    if (message.type() === 'error' && !/Failed to load resource|ERR_|WebSocket/.test(text)) {
      faults.push(text)
    }
  })
}

/** Opens a page by a join link, under a name. */
export const joinBy = async (page: Page, link: string, name: string): Promise<void> => {
  await page.goto(link)
  await page.getByLabel('Your name').fill(name)
  await page.getByRole('button', { name: name === '' ? 'Watch' : 'Join' }).click()
  await page.getByText('connected', { exact: true }).waitFor()
}

/** Goes to a place of the page: `file/notes.md`. */
export const goTo = async (page: Page, ...parts: string[]): Promise<void> => {
  await page.goto(`${page.url().replace(/#.*/, '')}#/${parts.map(encodeURIComponent).join('/')}`)
}

/** A person with a browser profile of their own, by a link for this role; `faults` gets what a page must never have. */
export const visitor = async (
  browser: Browser,
  server: Pick<Server, 'url'>,
  {
    name,
    role,
    faults,
    serviceWorkers = 'allow',
  }: { name: string; role: Role; faults: string[] } & Pick<BrowserContextOptions, 'serviceWorkers'>,
): Promise<Page> => {
  const viewport = { width: 1_024, height: 700 }
  const context = await newProfile(browser, { viewport, serviceWorkers })
  const page = await context.newPage()
  watchFaults(page, faults)
  const secret = await invite(server, { workspace: 'default', role })
  await joinBy(page, joinLink(server.url, 'default', secret), name)
  return page
}
