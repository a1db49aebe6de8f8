import type { Page } from 'playwright-core'
import { goTo } from '../../support/web/browser.ts'

/** Each page, and the way to it from where a person has joined. */
export const PAGES: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  now: async (page) => {
    await goTo(page, 'now')
    await page.getByText('Scout').first().waitFor()
  },
  'for-me': async (page) => {
    await goTo(page, 'me')
    await page.getByRole('heading', { name: 'Waits for your review' }).waitFor()
  },
  board: async (page) => {
    await goTo(page, 'board')
    await page.getByRole('heading', { name: /Working/ }).waitFor()
  },
  task: async (page) => {
    await page.getByRole('link', { name: 'Write the parser' }).first().click()
    await page.getByRole('heading', { name: 'History' }).waitFor()
  },
  feed: async (page) => {
    await goTo(page, 'feed')
    await page.getByText('Tests are green').waitFor()
  },
  files: async (page) => {
    await goTo(page, 'files')
    await page.getByRole('link', { name: 'plan.md' }).waitFor()
  },
  file: async (page) => {
    await goTo(page, 'file', 'plan.md')
    await page.getByRole('button', { name: 'Authors' }).click()
    await page.locator('.author').first().waitFor()
  },
  code: async (page) => {
    await goTo(page, 'file', 'src/parser.ts')
    await page.locator('.tok-keyword').first().waitFor()
  },
  history: async (page) => {
    await goTo(page, 'file', 'plan.md')
    await page.getByRole('button', { name: 'Authors' }).waitFor()
    await page.getByRole('button', { name: 'History' }).click()
    await page.locator('.cm-changedLine').first().waitFor()
  },
  suggestions: async (page) => {
    await goTo(page, 'suggestions', 'plan.md')
    await page.getByRole('button', { name: 'Accept hunk 1' }).waitFor()
  },
  record: async (page) => {
    await goTo(page, 'record')
    await page.getByRole('list', { name: 'What happened' }).getByRole('listitem').first().waitFor()
  },
  team: async (page) => {
    await goTo(page, 'team')
    await page.getByRole('button', { name: 'Make a join link' }).click()
    await page.getByRole('img', { name: /QR code/ }).waitFor()
  },
}
