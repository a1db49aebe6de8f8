// Writes the table of keys into docs/tui.md:
//   node scripts/run-ts.mjs scripts/tui-keys.ts
import { readFileSync, writeFileSync } from 'node:fs'
import { keysSection, SECTION } from '../tui/views/parts/keys-page.ts'

const page = 'docs/tui.md'
writeFileSync(
  page,
  readFileSync(page, 'utf8').replace(SECTION, () => keysSection()),
)
