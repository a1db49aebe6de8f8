import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { FileId } from '../../../protocol/ids.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { authorsIn } from '../../../workspace/files/authors.ts'
import { cursorOver, indexOf, whoIsIn } from '../../../workspace/files/cursors.ts'
import { rangesOfSpans, spansOver } from '../../../workspace/files/edit-ranges.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { indexAt, indexedString, offsetAt, placeAt } from '../../../workspace/files/text-index.ts'
import { agentId, replica } from '../../support/workspace/replicas.ts'

const ann = agentId('ann')
const bob = agentId('bob')
const file = 'plan.md' as FileId
const put = (doc: Y.Doc, content: string, base: string | null, by = ann) =>
  putFile(doc, { key: 'plan.md', content, base, by, now: 1000 })

const LINES = 'one\ntwo\nthree\nfour\n'

/** Puts something that is no text into a text; how many units Yjs counts for it. */
const STRANGE: ((text: Y.Text, index: number) => void)[] = [
  (text, index) => text.insertEmbed(index, { image: 'x.png' }),
  (text, index) => text.insertEmbed(index, new Y.Map()),
  (text, index) => text.format(Math.min(index, text.length - 1), 1, { bold: true }),
]

describe('a text with other things in it', () => {
  it('[TEXT-6] an edit lands where it was meant, whatever stands between the characters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), fc.nat(LINES.length)), { maxLength: 6 }),
        fc.nat(LINES.length),
        fc.nat(6),
        fc.constantFrom('', 'X', 'new\nlines\n'),
        (things, from, remove, insert) => {
          const doc = replica(1)
          put(doc, LINES, null)
          const text = textOf(doc, file)
          for (const [kind, index] of things) STRANGE[kind]!(text, index)
          const embeds = text.length - text.toJSON().length
          const content = LINES.slice(0, from) + insert + LINES.slice(from + remove)
          put(doc, content, LINES)
          expect(readFile(doc, 'plan.md').content).toBe(content)
          expect(text.length - content.length, 'what is between stays').toBe(embeds)
        },
      ),
    )
  })

  it('[TEXT-6] indexes and offsets agree with the text', () => {
    const text = new Y.Doc().getText('t')
    text.insert(0, 'abc')
    text.insertEmbed(0, { a: 1 })
    text.insertEmbed(2, { a: 1 })
    text.insertEmbed(2, { a: 1 })
    text.insertEmbed(6, { a: 1 })
    expect(indexedString(text)).toBe('\ufffca\ufffc\ufffcbc\ufffc')
    expect([0, 1, 2, 3].map((offset) => indexAt(text, offset))).toEqual([0, 2, 5, 6])
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((index) => offsetAt(text, index))).toEqual([
      0, 0, 1, 1, 1, 2, 3, 3,
    ])
  })

  it('[TEXT-6] places, authors and spans are lines and characters of its string', () => {
    const doc = replica(1)
    put(doc, LINES, null)
    const text = textOf(doc, file)
    for (let i = 0; i < 5; i++) text.insertEmbed(0, { image: 'x.png' })
    const cursor = cursorOver(doc, file, { from_line: 3, to_line: 3 })
    const present = { agent: { id: ann, name: 'Ann', kind: 'agent' as const }, cursor }
    expect(whoIsIn(doc, [present], 0).editing).toMatchObject([{ from_line: 3, to_line: 3 }])

    const other = replica(2)
    Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
    put(other, LINES.replace('two', 'TWO'), LINES, bob)
    expect(authorsIn(other, file, [[4, 7]])).toEqual([bob])
    expect(authorsIn(other, file, [[0, 3]])).toEqual([ann])
    expect(rangesOfSpans(text, spansOver(text, [[4, 7]]))).toEqual([[4, 7]])
  })
})

describe('a place in a text', () => {
  it.each([0, 1, 3])('[TEXT-7] at index %i is what Yjs itself reads, as it is', (index) => {
    const doc = new Y.Doc()
    const text = doc.getText('file:a.md')
    text.insert(0, 'abc')
    const place = JSON.parse(JSON.stringify(placeAt(text, index)))
    // As y-codemirror.next does: what is in awareness, given to Yjs.
    expect(Y.createAbsolutePositionFromRelativePosition(place, doc)).toMatchObject({
      index,
      type: text,
    })
    const parsed = Y.createRelativePositionFromJSON(place)
    expect(Y.createAbsolutePositionFromRelativePosition(parsed, doc)?.index).toBe(index)
    expect(indexOf(doc, text, 'file:a.md', place)).toBe(index)
    const elsewhere = new Y.Doc()
    expect(() => Y.createAbsolutePositionFromRelativePosition(place, elsewhere)).not.toThrow()
  })

  it('[TEXT-7] in an empty text, too', () => {
    const doc = new Y.Doc()
    const place = JSON.parse(JSON.stringify(placeAt(doc.getText('file:a.md'), 0)))
    expect(place).toEqual({ type: null, tname: 'file:a.md', item: null, assoc: -1 })
    expect(Y.createAbsolutePositionFromRelativePosition(place, doc)?.index).toBe(0)
  })
})
