import { describe, expect, it } from 'vitest'
import { readSource, type Source } from '../../scripts/house/sources.ts'
import {
  badSentences,
  helpersOutside,
  tooLarge,
  undocumentedCodes,
  upwardImports,
} from '../../scripts/house/walls.ts'

const ORDER = ['protocol', 'workspace/files', 'agent']

const lines = (count: number, line = '  work()'): string => `${line}\n`.repeat(count)
const source = (file: string, text: string): Source => readSource(file, text)

describe('imports', () => {
  it.each([
    ["import { run } from '../agent/run.ts'", 'a value'],
    ["import type { Run } from '../agent/run.ts'", 'a type'],
    ["export { run } from '../agent/run.ts'", 're-exported'],
    ["export const late = () => import('../agent/run.ts')", 'imported late'],
  ])('an upward import is found: %s', (text) => {
    expect(upwardImports([source('protocol/ids.ts', text)], ORDER)).toEqual([
      'protocol/ids.ts imports agent/run.ts',
    ])
  })

  it('imports of the same folder and of folders below pass', () => {
    const text =
      "import './args.ts'\nimport '../protocol/ids.ts'\nimport '../workspace/files/put.ts'"
    expect(upwardImports([source('agent/run.ts', text)], ORDER)).toEqual([])
  })
})

describe('sizes', () => {
  const aFunction = (count: number) => `const long = () => {\n${lines(count - 2)}}\n`
  const aClass = (count: number) => `class Long {\n${lines(count - 2, '  field = 1')}}\n`

  it('a function of 81 lines is found, one of 80 passes', () => {
    expect(tooLarge([source('agent/run.ts', aFunction(80))])).toEqual([])
    expect(tooLarge([source('agent/run.ts', `\n${aFunction(81)}`)])).toEqual([
      'agent/run.ts:2 long: function of 81 lines',
    ])
  })

  it('a method of 81 lines is found', () => {
    const text = `class A {\n  long() {\n${lines(79)}  }\n}`
    expect(tooLarge([source('agent/run.ts', text)])).toEqual([
      'agent/run.ts:2 long: function of 81 lines',
    ])
  })

  it('a class of 301 lines is found, one of 300 passes', () => {
    expect(tooLarge([source('agent/run.ts', aClass(300))])).toEqual([])
    expect(tooLarge([source('agent/run.ts', aClass(301))])).toEqual([
      'agent/run.ts:1 Long: class of 301 lines',
    ])
  })

  it('a file of 401 lines is found, one of 400 passes', () => {
    expect(tooLarge([source('agent/run.ts', lines(400, 'work()'))])).toEqual([])
    expect(tooLarge([source('agent/run.ts', lines(401, 'work()'))])).toEqual([
      'agent/run.ts: file of 401 lines',
    ])
  })

  it('a 21st file in a folder is found; files in its folders do not count', () => {
    const files = (count: number, folder: string) =>
      Array.from({ length: count }, (_, n) => source(`${folder}/${n}.ts`, ''))
    expect(tooLarge([...files(20, 'agent'), ...files(20, 'agent/verbs')])).toEqual([])
    expect(tooLarge(files(21, 'agent'))).toEqual(['agent: folder of 21 files'])
  })
})

describe('words', () => {
  const inCode = (text: string) => badSentences([source('agent/run.ts', text)], {})

  it.each([
    '// The name is no agent.',
    '/* There were so many. */',
    '/**\n * An agent\n * is let in here.\n */',
    "/** On one's own. */",
    '/** What an agent owes. */',
    '/** Who is there. */',
    '// Whether it is there.',
  ])('a comment is found: %s', (comment) => {
    expect(inCode(`\n${comment}\nrun()`)).toHaveLength(1)
    expect(inCode(`\n${comment}\nrun()`)[0]).toMatch(/^agent\/run\.ts:2 /)
  })

  it.each([
    "fail('that is no agent')",
    `fail(\`\${name} is no agent\`)`,
    'fail(`a line\nis no agent`)',
    'const view = <Text>It is no agent</Text>',
  ])('a string is found: %s', (text) => {
    const found = badSentences([source('agent/run.tsx', text)], {})
    expect(found).toHaveLength(1)
  })

  it('a sentence in a document is found, a quoted output passes', () => {
    const text = 'It works.\n```\nthat is no agent\n```\nA guest is no agent.\n'
    expect(badSentences([], { 'docs/log.md': text })).toEqual([
      'docs/log.md:5 A guest is no agent.',
    ])
  })

  it('plain sentences pass', () => {
    const text =
      "/** Returns what was stored; throws `too_large`. */\nfail('the name is not an agent’s')"
    expect(inCode(text)).toEqual([])
  })
})

it('an error code without documentation is found', () => {
  const document = '| `too_large` | … |\n| `stale` | see stolen |'
  expect(undocumentedCodes(['too_large', 'stale'], document)).toEqual([])
  expect(undocumentedCodes(['too_large', 'stale', 'stolen'], document)).toEqual(['stolen'])
})

it('a test that imports from another test’s folder is found', () => {
  const from = (file: string, to: string) => helpersOutside([source(file, `import '${to}'`)])
  expect(from('test/agent/run.test.ts', '../support/agent.ts')).toEqual([])
  expect(from('test/agent/run.test.ts', './rows.ts')).toEqual([])
  expect(from('test/agent/run.test.ts', '../../agent/run.ts')).toEqual([])
  expect(from('test/agent/run.test.ts', '../tui/rows.ts')).toEqual([
    'test/agent/run.test.ts imports test/tui/rows.ts',
  ])
  expect(from('test/support/agent.ts', '../tui/rows.ts')).toHaveLength(1)
})
