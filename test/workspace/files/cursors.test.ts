import { describe, expect, it } from 'vitest'
import type { FileId } from '../../../protocol/ids.ts'
import type { Presence } from '../../../workspace/agents/presence.ts'
import { cursorOver, mapLines, overlap, whoIsIn } from '../../../workspace/files/cursors.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { agentId, replica } from '../../support/workspace/replicas.ts'

const ann = agentId('ann')
const file = 'plan.md' as FileId
const put = (doc: ReturnType<typeof replica>, content: string, base: string | null) =>
  putFile(doc, { key: 'plan.md', content, base, by: ann, now: 1000 })
const lines = (from_line: number, to_line = from_line) => ({ from_line, to_line })
const present = (more: Partial<Presence>): Presence => ({
  agent: { id: ann, name: 'Ann', kind: 'agent' },
  ...more,
})

describe('whoIsIn', () => {
  it('[FILE-13] a place moves along with the text', () => {
    const doc = replica(1)
    put(doc, 'a\nb\nc\nd\n', null)
    const cursor = cursorOver(doc, file, lines(2, 3))
    const where = () => whoIsIn(doc, [present({ cursor })], 0).editing
    expect(where()).toEqual([
      { agent_id: ann, name: 'Ann', file_key: 'plan.md', from_line: 2, to_line: 3 },
    ])
    put(doc, 'new\nnew\na\nb\nc\nd\n', 'a\nb\nc\nd\n')
    expect(where()).toMatchObject([lines(4, 5)])
  })

  it('intents end with their time', () => {
    const doc = replica(1)
    put(doc, 'a\nb\n', null)
    const intent = { ...cursorOver(doc, file, lines(1)), note: 'rewriting', until: 5000 }
    const at = (now: number) => whoIsIn(doc, [present({ intents: [intent] })], now).intents
    expect(at(4999)).toMatchObject([
      { ...lines(1), note: 'rewriting', until: '1970-01-01T00:00:05.000Z' },
    ])
    expect(at(5000)).toEqual([])
  })

  it('states that fit nothing are left out, and make nothing', () => {
    const doc = replica(1)
    put(doc, 'a\n', null)
    const good = cursorOver(doc, file, lines(1))
    const roots = [...doc.share.keys()]
    for (const cursor of [
      {},
      { file: 'none', anchor: good.anchor, head: good.head },
      { file: 7, anchor: null, head: null },
      { file, anchor: 'x', head: { item: { client: 99, clock: 3 } } },
      { file, anchor: { tname: 'other', item: null }, head: { tname: 'other', item: null } },
      { file, anchor: { type: { client: 1, clock: 0 } }, head: good.head },
    ]) {
      const states = [present({ cursor: cursor as never, intents: [cursor as never] })]
      expect(whoIsIn(doc, states, 0)).toEqual({ editing: [], intents: [] })
    }
    expect([...doc.share.keys()]).toEqual(roots)
  })
})

it('mapLines follows lines from one text to another', () => {
  expect(mapLines('a\nb\nc', 'x\na\nb\nc', lines(2, 3))).toEqual(lines(3, 4))
  expect(mapLines('a\nb\nc', 'a\nc', lines(2))).toMatchObject({ from_line: 2 })
  expect(mapLines('a\nb\nc', 'a\nB1\nB2\nc', lines(2, 3))).toEqual(lines(2, 4))
  expect(mapLines('a', 'a', lines(1))).toEqual(lines(1))
})

it('overlap', () => {
  expect(overlap([lines(1, 2), lines(5)], lines(3, 4))).toBe(false)
  expect(overlap([lines(1, 2), lines(5)], lines(4, 9))).toBe(true)
})
