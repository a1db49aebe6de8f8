import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decide } from '../../../agent/mirror/decide.ts'
import { ignoredBy, inFolder, isOwn } from '../../../agent/mirror/rules/ignored.ts'
import {
  checkPrefix,
  isGit,
  isTemp,
  problemOf,
  relOf,
  shadowed,
  tempName,
} from '../../../agent/mirror/rules/paths.ts'
import { Rules } from '../../../agent/mirror/rules/rules.ts'
import { commonLines } from '../../../agent/mirror/texts/base.ts'
import { originOf } from '../../../agent/mirror/texts/origin.ts'
import { merge3 } from '../../../lib/merge/merge.ts'

const text = fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null })

describe('decide', () => {
  it('[MIRROR-2] a side is overwritten only where it is as it was when both agreed', () => {
    fc.assert(
      fc.property(text, text, text, (base, disk, doc) => {
        const decision = decide(base, disk, doc)
        if (disk === doc) expect(decision).toBe('agreed')
        // What is put is merged; what is written or deleted takes the place of what the disk has.
        if (decision === 'write' || decision === 'delete')
          expect(disk === base || disk === null).toBe(true)
        if (decision === 'remove') expect(doc).toBe(base)
      }),
    )
  })

  it('[MIRROR-3] a deletion gives way to a change of the other side', () => {
    expect(decide('a', null, 'a')).toBe('remove')
    expect(decide('a', 'a', null)).toBe('delete')
    expect(decide('a', null, 'b')).toBe('write')
    expect(decide('a', 'b', null)).toBe('put')
    expect(decide('a', null, null)).toBe('agreed')
  })
})

describe('bases', () => {
  const lines = fc.array(fc.constantFrom('x', 'y', 'z', ''), { maxLength: 8 })

  it('[MIRROR-2] two texts without a base are merged into one that has every line of both', () => {
    fc.assert(
      fc.property(lines, lines, (a, b) => {
        const [mine, theirs] = [a.join('\n'), b.join('\n')]
        const merged = merge3(commonLines(theirs, mine), mine, theirs).text.split('\n')
        for (const line of ['x', 'y', 'z']) {
          const count = (all: string[]) => all.filter((one) => one === line).length
          expect(count(merged)).toBeGreaterThanOrEqual(Math.max(count(a), count(b)))
        }
      }),
    )
    expect(merge3(commonLines('k\nt\nz\n', 'k\nm\nz\n'), 'k\nm\nz\n', 'k\nt\nz\n').text).toBe(
      'k\nt\nm\nz\n',
    )
  })

  const before = 'one\ntwo\nthree\nfour\n'
  const now = 'one\ntheirs was here\ntwo\nthree\nfour\n'
  const at = (age: number, text = before) => ({ text, age })
  const NOW = 0
  const REST = 3_000
  const MINUTE = 60_000

  it.each<[what: string, written: string, origin: string, ...ages: number[]]>([
    ['an edit of the base', now.replace('four', 'mine\nfour'), now, NOW, REST, MINUTE],
    ['an edit of the old text', before.replace('four', 'mine\nfour'), before, NOW, REST, MINUTE],
    ['both in one place, unlike', before.replace('one', 'one\nmine'), before, NOW, REST],
    ['both in one place, unlike, later', before.replace('one', 'one\nmine'), now, MINUTE],
    ['a new wording of theirs', before.replace('one', 'one\ntheirs is here'), now, REST, MINUTE],
    ['theirs, elsewhere', before.replace('four', 'four\ntheirs was here'), now, REST, MINUTE],
    ['the old text', before, before, NOW],
    ['the old text, deliberately', before, now, REST, MINUTE],
    ['another text', 'all new\n', now, NOW, REST, MINUTE],
  ])('[MIRROR-2] what a write was made from: %s', (_, written, origin, ...ages) => {
    for (const age of ages) {
      expect(originOf({ bases: [now], replaced: [at(age)] }, written), `${age} ms`).toBe(origin)
    }
  })

  it('[MIRROR-2] of two equally near texts the write was made from the one that loses fewer lines', () => {
    const old = 'a\nb\nc\nd\ne\n'
    const base = 'A\ncame 1\nb\nc\ncame 2\nd\ne\n'
    const written = 'A\nb\nmine\nc\nd\ne\n'
    expect(originOf({ bases: [base], replaced: [at(NOW, old)] }, written)).toBe(old)
  })

  it('[MIRROR-2] of several replaced texts the one that was read is known', () => {
    const texts = [before]
    for (let i = 0; i < 20; i++) texts.unshift(`theirs ${i}\n${texts[0]}`)
    const [base, ...replaced] = texts as [string, ...string[]]
    for (const read of texts) {
      const written = read.replace('three', 'mine\nthree')
      const origins = { bases: [base], replaced: replaced.map((text) => at(REST, text)) }
      expect(originOf(origins, written)).toBe(read)
    }
  })

  it('[MIRROR-2] a removal of what came in, and of what the mirror kept of it, is one in the end', () => {
    const mine = before.replace('four', 'mine\nfour')
    const merged = now.replace('four', 'mine\nfour')
    const origins = { bases: [merged], replaced: [at(REST, mine), at(MINUTE)] }
    expect(originOf(origins, mine)).toBe(merged)
  })
})

describe('paths', () => {
  it('[MIRROR-6] [MIRROR-34] .git by any name, and temporary files of a mirror, are never mirrored', () => {
    for (const rel of [
      '.git',
      '.git/config',
      'a/.GIT/hooks/x',
      'sub/.g\u200cit/config',
      'GIT~1/x',
    ]) {
      expect(isGit(rel)).toBe(true)
    }
    for (const rel of ['.gitignore', 'a.git', '.github/x']) expect(isGit(rel)).toBe(false)
    expect(isTemp(`a/${tempName()}`)).toBe(true)
    expect(isTemp('a/.clawlink-notes.tmp')).toBe(false)
  })

  it('[MIRROR-8] a path that none can be here is known', () => {
    expect(problemOf('a/b.md')).toBeNull()
    expect(problemOf('../b.md')).not.toBeNull()
    expect(problemOf(`a/${'x'.repeat(256)}`)).not.toBeNull()
    expect(problemOf('cafe\u0301.md')).not.toBeNull()
  })

  it('[MIRROR-8] of paths that differ only in case one is there, the others are not written over it', () => {
    const rels = ['A.md', 'a.md', 'b/C', 'B/c', 'other']
    expect(shadowed(rels, () => false)).toEqual(
      new Map([
        ['a.md', 'A.md'],
        ['b/C', 'B/c'],
      ]),
    )
    expect(shadowed(rels, (rel) => rel === 'a.md')).toEqual(
      new Map([
        ['A.md', 'a.md'],
        ['b/C', 'B/c'],
      ]),
    )
  })

  it('[MIRROR-1] a prefix is put before the paths below the folder', () => {
    expect(checkPrefix('')).toBe('')
    expect(checkPrefix('notes//')).toBe('notes/')
    expect(relOf('notes/', 'notes/a/b')).toBe('a/b')
    expect(relOf('notes/', 'notesa')).toBeNull()
    expect(() => checkPrefix('../x')).toThrow()
  })
})

describe('ignore rules', () => {
  const rules = (files: Record<string, string>, foldsCase = false) =>
    ignoredBy(
      new Map(Object.entries(files).map(([dir, one]) => [inFolder(dir, '.gitignore'), one])),
      foldsCase,
    )

  it('[MIRROR-6] the deepest rule decides, and nothing below an ignored folder is seen', () => {
    const ignored = rules({
      '': '*.log\nbuild/\n/top.txt\n',
      sub: '!keep.log\n*.tmp\n',
      'build/x': '!y\n',
    })
    expect(ignored('a.log')).toBe(true)
    expect(ignored('sub/a.log')).toBe(true)
    expect(ignored('sub/keep.log')).toBe(false)
    expect(ignored('sub/deep/keep.log')).toBe(false)
    expect(ignored('sub/a.tmp')).toBe(true)
    expect(ignored('a.tmp')).toBe(false)
    expect(ignored('build', true)).toBe(true)
    expect(ignored('build')).toBe(false) // a file of that name
    expect(ignored('build/x/y')).toBe(true)
    expect(ignored('top.txt')).toBe(true)
    expect(ignored('sub/top.txt')).toBe(false)
    expect(isOwn('sub/.git/config', null)).toBe(true)
    expect(ignored('')).toBe(false)
  })

  it('[MIRROR-6] case counts where it does on disk', () => {
    expect(rules({ '': 'A.md\n' })('a.md')).toBe(false)
    expect(rules({ '': 'A.md\n' }, true)('a.md')).toBe(true)
  })
})

it('[MIRROR-13] [MIRROR-26] a rule file that was removed here, and that others make anew, lets nothing through', () => {
  const rules = new Rules(null, false, 1_000)
  rules.take(new Map([['.gitignore', 'secrets/\n']]), 0)
  rules.take(new Map(), 1) // removed here
  expect(rules.onWrite('.gitignore', null, '# theirs\n')).toBe(true)
  rules.seal()
  const now = new Map([['.gitignore', '# theirs\n']])
  for (const at of [2, 2_000]) rules.take(now, at)
  expect(rules.ignored(now)('secrets/token')).toBe(true)
  expect(rules.isHeld(now)).toBe(true)
})
