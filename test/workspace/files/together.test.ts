import { describe, expect, it } from 'vitest'
import { lookTogether, symbolAt, withoutLines } from '../../../workspace/files/together.ts'

const TS = `import x from 'x'

export const parse = async (
  text: string,
): Promise<Tree> => {
  const lines = text.split('\\n')
  for (const line of lines) {
    check(line)
  }

  return build(lines)
}

const other = 1

class Reader {
  open(path: string): void {
    this.path = path
  }

  close(): void {
    if (this.path) {
      this.path = null
    }
  }
}
`
const PY = `import x

def parse(text):
    lines = text.split()
    if lines:
        check(lines)
    return lines

class Reader:
    size = 3
    def open(self):
        return 1
`
const MD = `intro

# Plan

first

## Steps

one
two

# Risks

three
`

const nameAt = (key: string, text: string, line: number) =>
  symbolAt(key, text.split('\n'), line)?.name ?? null

describe('[STALE-5] the symbol around a line', () => {
  it.each([
    ['a.ts', TS, 1, null],
    ['a.ts', TS, 3, 'parse'],
    ['a.ts', TS, 6, 'parse'],
    ['a.ts', TS, 8, 'parse'],
    ['a.ts', TS, 11, 'parse'],
    ['a.ts', TS, 14, null],
    ['a.ts', TS, 18, 'open'],
    ['a.ts', TS, 23, 'close'],
    ['a.py', PY, 4, 'parse'],
    ['a.py', PY, 6, 'parse'],
    ['a.py', PY, 10, 'Reader'],
    ['a.py', PY, 12, 'open'],
    ['a.md', MD, 1, null],
    ['a.md', MD, 5, 'Plan'],
    ['a.md', MD, 9, 'Steps'],
    ['a.md', MD, 14, 'Risks'],
    ['a.txt', MD, 9, null],
    ['a.txt', '', 1, null],
    ['a.txt', 'x', 99, null],
  ] as [string, string, number, string | null][])('%s, %#', (key, text, line, name) => {
    expect(nameAt(key, text, line)).toBe(name)
  })

  it('costs no more in a file of one long line, or of deep code', () => {
    const began = process.cpuUsage()
    nameAt('a.js', 'function f(){'.repeat(400_000), 1)
    nameAt('a.js', `${'  x(y, '.repeat(20_000)}\n`.repeat(3), 2)
    expect(nameAt('a.js', `function f() {\n${'  x\n'.repeat(50_000)}`, 50_000)).toBe(null)
    expect(process.cpuUsage(began).user / 1_000).toBeLessThan(1_000)
  })
})

const at = (from_line: number, to_line = from_line) => ({ from_line, to_line })

describe('[STALE-5] changes to look at together', () => {
  it.each([
    ['in one function', TS, [at(6)], [at(11)], 'parse'],
    ['near each other', TS, [at(11)], [at(14)], null],
    ['far apart', TS, [at(1)], [at(14)], undefined],
    ['in two methods that are not near', TS, [at(18)], [at(23)], undefined],
    ['under one heading', MD, [at(9)], [at(10)], 'Steps'],
  ] as const)('%s', (_, text, mine, theirs, symbol) => {
    const [found] = lookTogether(text === MD ? 'a.md' : 'a.ts', text, mine, theirs)
    expect(found?.symbol).toBe(symbol)
  })

  it('are few, whatever was changed', () => {
    const many = Array.from({ length: 5_000 }, (_, i) => at(2 * i + 1))
    const others = many.map(({ from_line }) => at(from_line + 1))
    expect(lookTogether('a.ts', 'x\n'.repeat(10_000), many, others)).toHaveLength(4)
  })

  it('the lines of one side are none of the other', () => {
    expect(withoutLines([at(1, 9)], [at(3), at(5, 6)])).toEqual([at(1, 2), at(4), at(7, 9)])
    expect(withoutLines([at(1, 2)], [at(1, 5)])).toEqual([])
    expect(withoutLines([at(1, 2)], [at(3, 5)])).toEqual([at(1, 2)])
  })
})
