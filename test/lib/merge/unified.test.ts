import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { unifiedDiff } from '../../../lib/merge/unified.ts'
import { tempDir } from '../../support/server.ts'

it('is what diff -u writes', () => {
  const before = `${[...'abcdefghijklmnop'].join('\n')}\n`
  const after = before.replace('c\n', 'C\n').replace('o\n', '')
  expect(unifiedDiff(before, after, ['plan.md version 1', 'plan.md version 2'])).toBe(
    [
      '--- plan.md version 1',
      '+++ plan.md version 2',
      '@@ -1,6 +1,6 @@',
      ' a',
      ' b',
      '-c',
      '+C',
      ' d',
      ' e',
      ' f',
      '@@ -12,5 +12,4 @@',
      ' l',
      ' m',
      ' n',
      '-o',
      ' p',
      '',
    ].join('\n'),
  )
  expect(unifiedDiff(before, before, ['a', 'b'])).toBe('')
})

it('[FILE-12] git apply makes the one text of the other with it', () => {
  const dir = tempDir('patch')
  const line = fc.constantFrom('', 'a', 'b', 'c', ' x', '-y', '+z', '@@', 'ü漢👍', 'r\r')
  const text = fc
    .tuple(fc.array(line, { maxLength: 30 }), fc.boolean())
    .map(([lines, ends]) => lines.join('\n') + (ends && lines.length > 0 ? '\n' : ''))
  fc.assert(
    fc.property(text, text, (before, after) => {
      const diff = unifiedDiff(before, after, ['a/f', 'b/f'])
      writeFileSync(join(dir, 'f'), before)
      writeFileSync(join(dir, 'p'), diff)
      if (diff !== '') {
        execFileSync('git', ['apply', '--whitespace=nowarn', '-p1', 'p'], {
          cwd: dir,
          stdio: 'pipe',
        })
      }
      expect(readFileSync(join(dir, 'f'), 'utf8')).toBe(after)
    }),
    { numRuns: 60 },
  )
})
