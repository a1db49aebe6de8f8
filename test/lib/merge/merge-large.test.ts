import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { newEffort } from '../../../lib/merge/diff.ts'
import { applyEdits, MAX_EDITS, type MergeResult } from '../../../lib/merge/edits.ts'
import { merge3 } from '../../../lib/merge/merge.ts'
import { didYouMean, nearestWord } from '../../../lib/text/suggest.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { putFile } from '../../../workspace/files/put-file.ts'

const lines = (n: number, of: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => `${of(i)}\n`).join('')

/** Any effort at all, from none on. */
const effort = fc.oneof(fc.constant(0), fc.nat(2_000), fc.nat(200_000))
/** Replaces, inserts or removes some lines; each that is new is there once. */
const changes = fc.array(fc.tuple(fc.nat(300), fc.nat(4), fc.nat(4)), { maxLength: 8 })
/** The same that leave the last lines alone: where the last one goes, what follows is on the line before it. */
const inside = fc.array(fc.tuple(fc.nat(250), fc.nat(4), fc.nat(4)), { maxLength: 8 })
const changed = (text: string, who: string, list: [number, number, number][]): string => {
  const all = text.split('\n')
  for (const [i, [at, remove, insert]] of list.entries()) {
    all.splice(at, remove, ...Array.from({ length: insert }, (_, j) => `${who} ${i} ${j}`))
  }
  return all.join('\n')
}

it('[FILE-1] however little effort there is, no new line is lost, and a change of one side alone is that change', () => {
  fc.assert(
    fc.property(effort, changes, changes, fc.boolean(), (steps, a, b, isLong) => {
      const base = lines(isLong ? 3_000 : 300, (i) => `line ${i % 50} of many`)
      const [mine, theirs] = [changed(base, 'mine', a), changed(base, 'theirs', b)]
      expect(merge3(base, mine, base, newEffort(steps)).text).toBe(mine)
      const { text, edits } = merge3(base, mine, theirs, newEffort(steps))
      expect(applyEdits(theirs, edits)).toBe(text)
      const found = new Set(text.split('\n'))
      for (const line of [...mine.split('\n'), ...theirs.split('\n')]) {
        if (/^(mine|theirs) /.test(line)) expect(found.has(line), line).toBe(true)
      }
    }),
    { numRuns: 300 },
  )
})

it('[FILE-1] a merge of long texts is the one of the short ones in them', () => {
  fc.assert(
    fc.property(inside, inside, (a, b) => {
      const base = lines(300, (i) => `line ${i % 50} of many`)
      const [mine, theirs] = [changed(base, 'mine', a), changed(base, 'theirs', b)]
      const around = lines(20_000, (i) => `around ${i}`)
      const [one, other] = [
        merge3(base, mine, theirs),
        merge3(around + base + around, around + mine + around, around + theirs + around),
      ]
      expect(other.text).toBe(around + one.text + around)
      const places = ({ conflicts }: MergeResult, lines: number, units: number) =>
        conflicts.map(({ from_line, to_line, theirs }) => [
          ...[from_line + lines, to_line + lines],
          ...theirs.map(([from, to]) => [from + units, to + units]),
        ])
      expect(places(other, 0, 0)).toEqual(places(one, 20_000, around.length))
    }),
    { numRuns: 30 },
  )
})

it('[FILE-1] a change of very many places is a bounded number of edits, and of conflicts', () => {
  const base = lines(30_000, (i) => `${i} is a line`)
  const mine = lines(30_000, (i) => (i % 3 === 0 ? `${i} is my line` : `${i} is a line`))
  const alone = merge3(base, mine, base)
  expect(alone.text).toBe(mine)
  expect(alone.edits.length).toBe(MAX_EDITS)
  const theirs = lines(30_000, (i) => (i % 3 === 0 ? `${i} is their line` : `${i} is a line`))
  const both = merge3(base, mine, theirs)
  expect(both.conflicts.length).toBeLessThanOrEqual(64)
  const found = new Set(both.text.split('\n'))
  const wanted = [mine, theirs].flatMap((text) => text.split('\n'))
  expect(wanted.filter((line) => !found.has(line))).toEqual([])
})

it('[FILE-1] texts that are all repeats of few lines, or one line, are merged in bounded steps', () => {
  const of = (n: number, k: number, seed: number): string =>
    lines(n, (i) => String(((i * 7 + seed) * 2_654_435_761) % k))
  const long = (seed: number): string =>
    Array.from({ length: 100_000 }, (_, i) => `w${(i * 31 + seed) % 997}`).join(' ')
  for (const [base, mine, theirs] of [
    [of(60_000, 2, 0), of(60_000, 2, 1), of(60_000, 2, 2)],
    [long(0), long(1), long(2)],
  ] as const) {
    const effort = newEffort(2_000_000)
    const { text, edits } = merge3(base, mine, theirs, effort)
    expect(applyEdits(theirs, edits)).toBe(text)
    // What one step may be over.
    expect(effort.left).toBeGreaterThan(-20 * (base.length + mine.length + theirs.length))
  }
})

it('[FILE-1] a put merges by what it is handed, and changes nothing where that throws', () => {
  const doc = new Y.Doc()
  const put = { key: 'a.md', by: 'a-1' as AgentId, now: 0 }
  putFile(doc, { ...put, content: 'a\n', base: null })
  const before = Y.encodeStateVector(doc)
  const merge = (): never => {
    throw new Error('elsewhere')
  }
  expect(() => putFile(doc, { ...put, content: 'b\n', base: 'a\n', merge })).toThrow('elsewhere')
  expect(Y.encodeStateVector(doc)).toEqual(before)
  putFile(doc, { ...put, content: 'b\n', base: 'a\n', merge: merge3 })
  expect(readFile(doc, 'a.md').content).toBe('b\n')
})

it('what is near is found among very many, and among long ones, in bounded time', () => {
  const all = Array.from({ length: 20_000 }, (_, i) => `${'folder/'.repeat(20)}file-${i}.md`)
  expect(nearestWord(`${'folder/'.repeat(20)}fiel-777.md`, all, 1)).toEqual([
    `${'folder/'.repeat(20)}file-777.md`,
  ])
  expect(didYouMean('x'.repeat(500), all)).toBe('')
})
