import { availableParallelism, loadavg } from 'node:os'
import type { Browser, Page } from 'playwright-core'
import type { Role } from '../../../protocol/roles.ts'
import { joinLink } from '../../../protocol/roles.ts'
import { registered } from '../../support/agent.ts'
import { invite } from '../../support/auth/members.ts'
import { type Server, startServer } from '../../support/server.ts'
import { goTo, joinBy, visitor, watchFaults } from '../../support/web/browser.ts'
import { keepTyping, openTypist, type Typist } from './agents.ts'

const FILE = 'busy.md'
const LINES = 60
const VISITS = 10
const KEYS = 100
const WATCH_MS = 10_000

/** A figure, its limit, and whether it is kept. */
export interface Figure {
  what: string
  limit: string
  measured: string
  isKept: boolean
}

type Say = (text: string) => void

/** Measures the page, with many agents typing into one file. */
export const measure = async (browser: Browser, faults: string[], say: Say): Promise<Figure[]> => {
  const server = await startServer()
  const bob = await registered(server.url, 'Bob', 'alone')
  const lines = Array.from({ length: LINES }, (_, n) => `line ${n}: words of an agent`).join('\n')
  await bob.runWith({ stdin: `${lines}\n` }, 'file-put', FILE, '-')
  const typists: Typist[] = []
  const grow = async (count: number, isDeaf: boolean): Promise<void> => {
    while (typists.length < count) {
      typists.push(await openTypist(server.url, FILE, typists.length, isDeaf))
    }
  }
  const figures: Figure[] = []
  const told = (found: Figure): void => {
    // Others may work on the machine.
    const load = `load ${loadavg()[0]!.toFixed(1)} on ${availableParallelism()} cores`
    const figure = { ...found, measured: `${found.measured} (${load})` }
    figures.push(figure)
    say(`${figure.isKept ? 'kept' : 'NOT KEPT'}: ${figure.what}: ${figure.measured}`)
  }
  await grow(1, false)
  const calm = keepTyping(typists, 2)
  told(await firstCaret(browser, server, faults))
  calm()
  await grow(20, false)
  const active = keepTyping(typists, 1)
  told(await keyToOther(browser, server, faults))
  active()
  for (const typist of typists.splice(0)) typist.close()
  await grow(30, true)
  const busy = keepTyping(typists, 20)
  told(await frames(browser, server, faults))
  busy()
  for (const typist of typists) typist.close()
  await server.stop()
  return figures
}

const newLink = async (server: Server, role: Role): Promise<string> =>
  joinLink(server.url, 'default', await invite(server, { workspace: 'default', role }))

/** From opening the link in a browser that was never here to the first caret of another one. */
const firstCaret = async (browser: Browser, server: Server, faults: string[]): Promise<Figure> => {
  const times: number[] = []
  for (let n = 0; n < VISITS; n++) {
    const context = await browser.newContext()
    const page = await context.newPage()
    watchFaults(page, faults)
    const link = await newLink(server, 'write')
    const start = performance.now()
    await joinBy(page, link, `Visitor ${n}`)
    await goTo(page, 'file', FILE)
    await page.locator('.caret-name').first().waitFor()
    times.push(performance.now() - start)
    await context.close()
  }
  const [median, most] = [quantile(times, 0.5), Math.max(...times)]
  return {
    what: `join link → first remote caret, cold, ${VISITS} visits`,
    limit: '≤ 2 s',
    measured: `median ${(median / 1_000).toFixed(2)} s, most ${(most / 1_000).toFixed(2)} s`,
    isKept: most <= 2_000,
  }
}

/** The moment, by the clock that both pages share, at which as many `~` were drawn. */
const DRAWN = `(count) => new Promise((resolve) => {
  const root = document.querySelector('.editor').shadowRoot
  const look = () => {
    if (root.textContent.split('~').length <= count) return false
    requestAnimationFrame(() => resolve(performance.timeOrigin + performance.now()))
    return true
  }
  if (look()) return
  const observer = new MutationObserver(() => { if (look()) observer.disconnect() })
  observer.observe(root, { subtree: true, childList: true, characterData: true })
})`
const PRESSED = `() => new Promise((resolve) => {
  const told = (event) => {
    if (event.key !== '~') return
    removeEventListener('keydown', told, true)
    resolve(performance.timeOrigin + performance.now())
  }
  addEventListener('keydown', told, true)
})`

const ask = (page: Page, script: string, count: number): Promise<number> =>
  page.evaluate<number>(`(${script})(${count})`)

/** From a key in one browser to its letter in another, drawn. */
const keyToOther = async (browser: Browser, server: Server, faults: string[]): Promise<Figure> => {
  const [ann, cy] = [
    await visitor(browser, server, { name: 'Ann', role: 'write', faults }),
    await visitor(browser, server, { name: 'Cy', role: 'write', faults }),
  ]
  for (const page of [ann, cy]) {
    await goTo(page, 'file', FILE)
    await page.locator('.caret-name').first().waitFor()
  }
  await ann.locator('.cm-content').click()
  await ann.keyboard.press('Control+Home')
  const times: number[] = []
  for (let n = 1; n <= KEYS; n++) {
    const pressed = ask(ann, PRESSED, n)
    const drawn = ask(cy, DRAWN, n)
    // Both listen before the key is pressed.
    await Promise.all([ann.evaluate('0'), cy.evaluate('0')])
    await ann.keyboard.press('~')
    times.push((await drawn) - (await pressed))
  }
  for (const page of [ann, cy]) await page.context().close()
  const [median, p95] = [quantile(times, 0.5), quantile(times, 0.95)]
  return {
    what: `key → other browser, 20 agents typing, ${KEYS} keys`,
    limit: 'p95 ≤ 100 ms',
    measured: `median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms`,
    isKept: p95 <= 100,
  }
}

const FRAMES = `(ms) => new Promise((resolve) => {
  const start = performance.now()
  let [count, last, longest, drawn] = [0, start, 0, 0]
  new MutationObserver((found) => { drawn += found.length }).observe(
    document.querySelector('.editor').shadowRoot, { subtree: true, childList: true, characterData: true })
  const frame = (now) => {
    count++
    longest = Math.max(longest, now - last)
    last = now
    if (now - start < ms) requestAnimationFrame(frame)
    else resolve([count / ((now - start) / 1000), longest, drawn / ((now - start) / 1000)])
  }
  requestAnimationFrame(frame)
})`

/** Frames per second of the editor while 30 agents type 20 times per second each. */
const frames = async (browser: Browser, server: Server, faults: string[]): Promise<Figure> => {
  const page = await visitor(browser, server, { name: 'Eve', role: 'write', faults })
  await goTo(page, 'file', FILE)
  await page.locator('.caret-name').first().waitFor()
  const [perSecond, longest, drawn] = await page.evaluate<[number, number, number]>(
    `(${FRAMES})(${WATCH_MS})`,
  )
  await page.context().close()
  return {
    what: `frames per second, 30 agents × 20 edits/s, ${WATCH_MS / 1_000} s`,
    limit: '≥ 50',
    measured: `${perSecond.toFixed(1)}, longest ${longest.toFixed(0)} ms, ${drawn.toFixed(0)} changes drawn/s`,
    isKept: perSecond >= 50 && drawn > 0,
  }
}

const quantile = (values: readonly number[], at: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))]!
}
