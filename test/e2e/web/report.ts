import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../support/server.ts'
import type { Figure } from './figures.ts'
import { PICTURES } from './pictures.ts'

const PAGE = join(root, 'docs/web.md')
const [BEGIN, END] = ['<!-- made by `npm run e2e:web -- --write` -->', '<!-- end -->']

/** Writes the figures of this run, those of earlier ones that it did not measure, and the pictures into docs/web.md. */
export const writePage = (figures: readonly Figure[]): void => {
  const text = readFileSync(PAGE, 'utf8')
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error('docs/web.md has no place for figures')
  const rows = new Map(
    [...text.slice(from, to).matchAll(/^\| (.+?) \| .+ \| .+ \|$/gm)]
      .filter(([, what]) => what !== 'measured')
      .map(([row, what]) => [what, row]),
  )
  for (const { what, limit, measured, isKept } of figures) {
    rows.set(what, `| ${what} | ${limit} | ${measured}${isKept ? '' : ' ✗'} |`)
  }
  const lines = [
    '',
    '| measured | limit | found |',
    '|---|---|---|',
    ...rows.values(),
    '',
    ...pictures(),
    '',
  ]
  writeFileSync(PAGE, `${text.slice(0, from)}${BEGIN}\n${lines.join('\n')}${text.slice(to)}`)
}

/** A row per page: a link to each of its pictures. */
const pictures = (): string[] => {
  const files = readdirSync(join(root, PICTURES)).filter((name) => name.endsWith('.webp'))
  const pages = new Map<string, string[]>()
  for (const file of files) {
    const page = file.replace(/-\d+-\w+\.webp$/, '')
    const what = file.slice(page.length + 1, -'.webp'.length).replace('-', ' px, ')
    pages.set(page, [...(pages.get(page) ?? []), `[${what}](web/${file})`])
  }
  return [
    ...['| page | pictures |', '|---|---|'],
    ...[...pages].map(([page, links]) => `| ${page} | ${links.join(' · ')} |`),
  ]
}
