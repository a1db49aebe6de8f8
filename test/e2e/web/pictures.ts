import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { root } from '../../support/server.ts'
import { joinBy, watchFaults } from '../../support/web/browser.ts'
import { PAGES } from './places.ts'
import { addressTo, type Team } from './team.ts'

const WIDTHS = [360, 1_024, 2_560]
const THEMES = ['light', 'dark'] as const
const HEIGHT = 800
/** Wide pictures are kept at half their size. */
const MOST_WIDTH = 1_280
export const PICTURES = 'docs/web'

/** Writes a picture of each page, in each width and theme; returns their names. `raw`: a folder for them as PNG, too. */
export const takePictures = async (
  browser: Browser,
  team: Team,
  faults: string[],
  raw: string | null,
): Promise<{ page: string; files: string[] }[]> => {
  const dir = join(root, PICTURES)
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  const shrinker = await (await browser.newContext()).newPage()
  const found = new Map<string, string[]>()
  const shoot = async (page: Page, name: string, width: number, theme: string): Promise<void> => {
    const png = await page.screenshot({ animations: 'disabled' })
    if (raw !== null) writeFileSync(join(raw, `${name}-${width}-${theme}.png`), png)
    const file = `${name}-${width}-${theme}.webp`
    writeFileSync(join(dir, file), await asWebp(shrinker, png))
    found.set(name, [...(found.get(name) ?? []), file])
  }
  for (const theme of THEMES) {
    const context = await browser.newContext({
      ...{ colorScheme: theme, reducedMotion: 'reduce' },
      viewport: { width: MOST_WIDTH, height: HEIGHT },
    })
    const page = await context.newPage()
    watchFaults(page, faults)
    const eachWidth = async (name: string): Promise<void> => {
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: HEIGHT })
        await shoot(page, name, width, theme)
        await checkFits(page, `${name} at ${width} px`)
      }
      await page.setViewportSize({ width: MOST_WIDTH, height: HEIGHT })
    }
    await page.goto(team.server.url)
    await page.getByRole('heading', { name: 'You were invited' }).waitFor()
    await eachWidth('landing')
    const name = theme === 'light' ? 'Ann' : 'Zoë'
    await joinBy(page, await team.link('admin'), name)
    await addressTo(team, name)
    for (const [name, open] of Object.entries(PAGES)) {
      await open(page)
      await eachWidth(name)
    }
    await context.close()
  }
  return [...found].map(([page, files]) => ({ page, files }))
}

/** Nothing is cut at the right: a page never scrolls sideways. */
const checkFits = async (page: Page, what: string): Promise<void> => {
  const over = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  if (over > 0) throw new Error(`${what} is ${over} px too wide`)
}

/** A picture as WebP, which is a third of the PNG, no wider than MOST_WIDTH; as a script, for the browser's types are not here. */
const SHRINK = `async (source) => {
  const bytes = Uint8Array.from(atob(source), (character) => character.charCodeAt(0))
  const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
  const scale = Math.min(1, ${MOST_WIDTH} / image.width)
  const canvas = new OffscreenCanvas(image.width * scale, image.height * scale)
  const context = canvas.getContext('2d')
  context.imageSmoothingQuality = 'high'
  context.drawImage(image, 0, 0, canvas.width, canvas.height)
  const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.6 })
  let text = ''
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte)
  return btoa(text)
}`

const asWebp = async (page: Page, png: Buffer): Promise<Buffer> =>
  Buffer.from(
    await page.evaluate<string>(`(${SHRINK})(${JSON.stringify(png.toString('base64'))})`),
    'base64',
  )
