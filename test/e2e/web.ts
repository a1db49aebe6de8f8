// The web page in Debian's Chromium, with real agents, a terminal UI and a mirror.
//   npm run e2e:web -- [--only works,access,figures,pictures] [--raw DIR] [--write]
import { mkdirSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { noBrowser, startBrowser } from '../support/web/browser.ts'
import { checkAccess } from './web/access.ts'
import { type Figure, measure } from './web/figures.ts'
import { takePictures } from './web/pictures.ts'
import { writePage } from './web/report.ts'
import { startTeam } from './web/team.ts'
import { playWorks } from './web/works.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'works,access,figures,pictures' },
    raw: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
if (noBrowser !== null) {
  console.error(noBrowser)
  process.exit(5)
}
const wants = (part: string): boolean => values.only.split(',').includes(part)
if (values.raw !== undefined) mkdirSync(values.raw, { recursive: true })
const start = performance.now()
const say = (text: string): void =>
  console.log(`${((performance.now() - start) / 1_000).toFixed(1).padStart(6)} ${text}`)
const faults: string[] = []
const wrong: string[] = []
const figures: Figure[] = []
const browser = await startBrowser()

if (wants('works')) await playWorks(browser, faults, say)
if (wants('access')) {
  const team = await startTeam()
  const { findings, byAxe, pages } = await checkAccess(browser, team, faults)
  await team.server.stop()
  if (!byAxe)
    say('axe-core could not be fetched from npm: the tests of this repository looked alone')
  const lines = new Map<string, string[]>()
  for (const { at, impact, text } of findings) {
    const line = `${impact}: ${text}`
    lines.set(line, [...(lines.get(line) ?? []), at])
  }
  for (const [line, places] of lines) say(`${line} — ${places.length} × ${places[0]}`)
  const serious = findings.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  if (serious.length > 0) wrong.push(`${serious.length} serious findings about access`)
  const who = byAxe ? 'axe and own tests' : 'own tests'
  figures.push({
    what: `serious findings about access, ${who}, ${pages} views`,
    ...{ limit: '0', measured: String(serious.length), isKept: serious.length === 0 },
  })
}
if (wants('figures')) figures.push(...(await measure(browser, faults, say)))
if (wants('pictures')) {
  const team = await startTeam()
  const pictures = await takePictures(browser, team, faults, values.raw ?? null)
  await team.server.stop()
  say(`${pictures.reduce((sum, { files }) => sum + files.length, 0)} pictures`)
}
await browser.close()
figures.push({
  what: "violations of the page's policy, and errors of its scripts",
  ...{ limit: '0', measured: String(faults.length), isKept: faults.length === 0 },
})
for (const fault of faults) say(`fault: ${fault}`)
if (values.write) writePage(figures)
wrong.push(...figures.filter(({ isKept }) => !isKept).map(({ what }) => `not kept: ${what}`))
for (const line of wrong) say(line)
process.exit(wrong.length === 0 ? 0 : 1)
