import { readFileSync, writeFileSync } from 'node:fs'
import { floorPlan } from '../house/plan.ts'
import { importsOf, readSources } from '../house/sources.ts'
import { errorPage } from './error-page.ts'
import { schemaTables } from './schema-tables.ts'

/** A document with the part between its two marks replaced. Throws where the marks are missing. */
const withPart = (file: string, markdown: string, made: string): string => {
  const [from, to] = [markdown.indexOf(BEGIN), markdown.indexOf(END)]
  if (from < 0 || to < 0) throw new Error(`${file} has no place for what \`npm run docs\` makes`)
  return markdown.slice(0, from + BEGIN.length) + made + markdown.slice(to)
}
const BEGIN = '<!-- made by `npm run docs` -->\n'
const END = '\n<!-- end -->'

/** The generated documents, each from what stands in the file and from the code. */
export const DOCUMENTS: Readonly<Record<string, (now: string, root: string) => string>> = {
  'docs/errors.md': errorPage,
  'docs/SCHEMA.md': (now) => withPart('docs/SCHEMA.md', now, schemaTables()),
  'ARCHITECTURE.md': (now, root) =>
    withPart('ARCHITECTURE.md', now, floorPlan(readSources(root).flatMap(importsOf))),
}

// `npm run docs` writes them.
if (process.argv[2] === '--write') {
  for (const [file, made] of Object.entries(DOCUMENTS)) {
    let now = ''
    try {
      now = readFileSync(file, 'utf8')
    } catch {
      // Made for the first time.
    }
    writeFileSync(file, made(now, process.cwd()))
  }
}
