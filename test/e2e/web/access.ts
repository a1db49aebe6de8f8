import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { installed } from '../../support/e2e/packages.ts'
import { joinBy, watchFaults } from '../../support/web/browser.ts'
import { PAGES } from './places.ts'
import { addressTo, type Team } from './team.ts'

/** MPL-2.0: it is fetched for this run, and is neither a dependency nor in a bundle. */
const AXE = '4.14.1'

interface Violation {
  id: string
  impact: string
  help: string
  nodes: { target: string[]; failureSummary: string }[]
}

/** The source of axe-core; null: npm cannot be reached. */
const axeSource = (): string | null => {
  try {
    const dir = installed('axe-core', AXE)
    return readFileSync(join(dir, 'node_modules/axe-core/axe.min.js'), 'utf8')
  } catch {
    return null
  }
}

/** Findings of a page, by axe and by the tests below; `at`: where. */
export interface Finding {
  at: string
  impact: string
  text: string
}

/** Looks at each page in both themes and two widths as tools for assistance see it. */
export const checkAccess = async (
  browser: Browser,
  team: Team,
  faults: string[],
): Promise<{ findings: Finding[]; byAxe: boolean; pages: number }> => {
  const axe = axeSource()
  const findings: Finding[] = []
  let pages = 0
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ colorScheme, reducedMotion: 'reduce' })
    const page = await context.newPage()
    watchFaults(page, faults)
    const look = async (name: string): Promise<void> => {
      for (const width of [360, 1_024]) {
        await page.setViewportSize({ width, height: 800 })
        const at = `${name} (${colorScheme}, ${width} px)`
        pages++
        if (axe !== null) findings.push(...(await byAxe(page, axe, at)))
        findings.push(...(await byTree(page, at)))
      }
      findings.push(...(await byKeyboard(page, `${name} (${colorScheme})`)))
    }
    await page.goto(team.server.url)
    await page.getByRole('heading', { name: 'You were invited' }).waitFor()
    await look('landing')
    const name = colorScheme === 'light' ? 'Olga' : 'Öz'
    await joinBy(page, await team.link('admin'), name)
    await addressTo(team, name)
    for (const [name, open] of Object.entries(PAGES)) {
      await open(page)
      await look(name)
    }
    await context.close()
  }
  return { findings, byAxe: axe !== null, pages }
}

const byAxe = async (page: Page, source: string, at: string): Promise<Finding[]> => {
  await page.evaluate(source)
  const { violations } = await page.evaluate<{ violations: Violation[] }>(
    `axe.run(document, { resultTypes: ['violations'] })`,
  )
  return violations.map(({ id, impact, help, nodes }) => ({
    at,
    impact,
    text: `${id}: ${help}: ${nodes
      .map(({ target }) => target.join(' '))
      .slice(0, 5)
      .join(', ')}`,
  }))
}

/** Roles that a reader operates. */
const CONTROLS = new Set([
  ...['button', 'link', 'textbox', 'combobox', 'checkbox', 'slider', 'searchbox', 'spinbutton'],
])

interface AxNode {
  ignored: boolean
  role?: { value: string }
  name?: { value: string }
}

/** Each control has a name, and the landmarks are there, in the tree that Chromium hands to tools for assistance. */
const byTree = async (page: Page, at: string): Promise<Finding[]> => {
  const session = await page.context().newCDPSession(page)
  const { nodes } = (await session.send('Accessibility.getFullAXTree')) as { nodes: AxNode[] }
  await session.detach()
  const shown = nodes.filter(({ ignored }) => !ignored)
  const roles = new Set(shown.map(({ role }) => role?.value))
  const nameless = shown.filter(
    ({ role, name }) => CONTROLS.has(role?.value ?? '') && (name?.value ?? '').trim() === '',
  )
  return [
    ...nameless.map(({ role }) => ({
      at,
      impact: 'serious',
      text: `a ${role?.value} has no name`,
    })),
    ...['main', 'heading']
      .filter((role) => !roles.has(role))
      .map((role) => ({ at, impact: 'serious', text: `there is no ${role}` })),
  ]
}

/** Tabs that are pressed at most on a page. */
const MOST_TABS = 80

/** Each control is reached by Tab, and the focus is seen. */
const byKeyboard = async (page: Page, at: string): Promise<Finding[]> => {
  await page.evaluate('document.activeElement?.blur()')
  const wanted = await page.evaluate<number>(
    `[...document.querySelectorAll('a[href], button:not([disabled]), input, select:not([disabled]), textarea, summary')]
      .filter((one) => one.checkVisibility() && one.tabIndex >= 0).length`,
  )
  await page.evaluate(`window.reached = new Set()`)
  const unseen = new Set<string>()
  for (let n = 0; n < Math.min(MOST_TABS, wanted + 5); n++) {
    await page.keyboard.press('Tab')
    const found = await page.evaluate<string | null>(`(() => {
      const one = document.activeElement
      if (one === null || one === document.body) return null
      reached.add(one)
      if (one.shadowRoot !== null) return null
      const { outlineStyle, outlineWidth } = getComputedStyle(one)
      return outlineStyle === 'none' || outlineWidth === '0px' ? one.outerHTML.slice(0, 80) : null
    })()`)
    if (found !== null) unseen.add(found)
    // An editor keeps Tab for itself: Escape, then Tab leaves it.
    if (await page.evaluate<boolean>('document.activeElement?.shadowRoot != null')) {
      await page.keyboard.press('Escape')
    }
  }
  const reached = await page.evaluate<number>('reached.size')
  const missed =
    reached < Math.min(wanted, MOST_TABS)
      ? [{ at, impact: 'serious', text: `Tab reaches ${reached} of ${wanted} controls` }]
      : []
  return [
    ...missed,
    ...[...unseen].map((text) => ({ at, impact: 'serious', text: `no focus is seen on ${text}` })),
  ]
}
