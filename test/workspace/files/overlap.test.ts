import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { removeFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { agentId, replica, sync } from '../../support/workspace/replicas.ts'

/** The rows of the table in docs/files.md: what becomes of two changes, known to the second or at the same time. */
const [ann, bob] = [agentId('ann'), agentId('bob')]
const BASE = 'one\ntwo\nthree\n'

type Change = string | null
interface Row {
  name: string
  base: string | null
  /** Ann's and Bob's whole new text; null: they remove the file. */
  ann: Change
  bob: Change
  /** Lines that must be in what comes of it; null: no file. */
  known: string[] | null
  atOnce: string[] | null
  /** Whether the second is told of a conflict at its put. */
  reported: boolean
}

const ROWS: Row[] = [
  {
    name: 'edits of different lines',
    base: BASE,
    ann: 'ONE\ntwo\nthree\n',
    bob: 'one\ntwo\nTHREE\n',
    known: ['ONE', 'two', 'THREE'],
    atOnce: ['ONE', 'two', 'THREE'],
    reported: false,
  },
  {
    name: 'edits of neighbouring lines',
    base: BASE,
    ann: 'ONE\ntwo\nthree\n',
    bob: 'one\nTWO\nthree\n',
    known: ['ONE', 'TWO', 'three'],
    atOnce: ['ONE', 'TWO', 'three'],
    reported: false,
  },
  {
    name: 'both edit a line',
    base: BASE,
    ann: 'one\nAnn’s\nthree\n',
    bob: 'one\nBob’s\nthree\n',
    known: ['one', 'Ann’s', 'Bob’s', 'three'],
    atOnce: ['one', 'three'],
    reported: true,
  },
  {
    name: 'both make the same edit',
    base: BASE,
    ann: 'one\nTWO\nthree\n',
    bob: 'one\nTWO\nthree\n',
    known: ['one', 'TWO', 'three'],
    atOnce: ['one', 'three'],
    reported: false,
  },
  {
    name: 'one removes a line, the other edits it',
    base: BASE,
    ann: 'one\nthree\n',
    bob: 'one\ntwo and a half\nthree\n',
    known: ['one', 'two and a half', 'three'],
    atOnce: ['one', ' and a half', 'three'],
    reported: true,
  },
  {
    name: 'one edits a line, the other removes it',
    base: BASE,
    ann: 'one\ntwo and a half\nthree\n',
    bob: 'one\nthree\n',
    known: ['one', 'two and a half', 'three'],
    atOnce: ['one', ' and a half', 'three'],
    reported: true,
  },
  {
    name: 'both append at the end',
    base: BASE,
    ann: `${BASE}Ann’s\n`,
    bob: `${BASE}Bob’s\n`,
    known: ['one', 'two', 'three', 'Ann’s', 'Bob’s'],
    atOnce: ['one', 'two', 'three', 'Ann’s', 'Bob’s'],
    reported: false,
  },
  {
    name: 'both insert at one place',
    base: BASE,
    ann: 'one\nAnn’s\ntwo\nthree\n',
    bob: 'one\nBob’s\ntwo\nthree\n',
    known: ['one', 'Ann’s', 'Bob’s', 'two', 'three'],
    atOnce: ['one', 'Ann’s', 'Bob’s', 'two', 'three'],
    reported: false,
  },
  {
    name: 'one removes lines, the other inserts between them',
    base: BASE,
    ann: 'one\n',
    bob: 'one\ntwo\nBob’s\nthree\n',
    known: ['one', 'Bob’s'],
    atOnce: ['one', 'Bob’s'],
    reported: true,
  },
  {
    name: 'both create the file',
    base: null,
    ann: 'Ann’s\n',
    bob: 'Bob’s\n',
    known: ['Ann’s'],
    atOnce: ['Ann’s', 'Bob’s'],
    reported: false,
  },
  {
    name: 'one removes the file, the other edits it',
    base: BASE,
    ann: null,
    bob: 'one\ntwo\nTHREE\n',
    known: ['one', 'two', 'THREE'],
    atOnce: ['one', 'two', 'THREE'],
    reported: false,
  },
  {
    name: 'both remove the file',
    base: BASE,
    ann: null,
    bob: null,
    known: null,
    atOnce: null,
    reported: false,
  },
]

const start = (base: string | null): [Y.Doc, Y.Doc] => {
  const [a, b] = [replica(1), replica(2)]
  if (base !== null) putFile(a, { key: 'f', content: base, base: null, by: ann, now: 1 })
  sync(a, b)
  return [a, b]
}

/** Carries a change out on a replica; what was reported. */
const change = (doc: Y.Doc, by: AgentId, { base }: Row, text: Change, now: number): boolean => {
  if (text === null) {
    if (findLeaf(doc, 'f') !== null) removeFile(doc, 'f', by, now)
    return false
  }
  const force = base === null
  const put = { key: 'f', content: text, base, by, now }
  try {
    return putFile(doc, put).conflicts.length > 0
  } catch (error) {
    if (force) return false // refused with `no_base`: nothing was overwritten
    throw error
  }
}

const linesOf = (doc: Y.Doc): string[] | null =>
  findLeaf(doc, 'f') === null ? null : readFile(doc, 'f').content.split('\n').filter(Boolean)

describe.each(ROWS)('$name', (row) => {
  it('[FILE-1] the second knows of the first', () => {
    const [a, b] = start(row.base)
    change(a, ann, row, row.ann, 2)
    sync(a, b)
    expect(change(b, bob, row, row.bob, 3)).toBe(row.reported)
    sync(a, b)
    expect(linesOf(a)).toEqual(linesOf(b))
    expect(linesOf(b)?.sort() ?? null).toEqual(row.known?.toSorted() ?? null)
  })

  it('[FILE-1] at the same time', () => {
    const [a, b] = start(row.base)
    change(a, ann, row, row.ann, 2)
    change(b, bob, row, row.bob, 3)
    sync(a, b)
    expect(linesOf(a)).toEqual(linesOf(b))
    if (row.atOnce === null) expect(linesOf(a)).toBeNull()
    else for (const text of row.atOnce) expect(readFile(a, 'f').content).toContain(text)
  })
})

it('[FILE-1] a line that was replaced stays before what somebody appended after it at the same time', () => {
  for (const [one, other] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const [a, b] = [replica(one), replica(other)]
    putFile(a, { key: 'f', content: 'one\n', base: null, by: ann, now: 1 })
    sync(a, b)
    putFile(a, { key: 'f', content: 'ONE\n', base: 'one\n', by: ann, now: 2 })
    putFile(b, { key: 'f', content: 'one\ntwo\n', base: 'one\n', by: bob, now: 2 })
    sync(a, b)
    expect(linesOf(a)).toEqual(['ONE', 'two'])
  }
})
