import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { UndoPlan } from '../../../workspace/authorship/undo.ts'
import type { Selector } from '../../../workspace/authorship/undo-history.ts'
import { NotingServer, textIn } from '../../support/workspace/noting-server.ts'
import { runUndo, undo } from '../../support/workspace/undo-checks.ts'

const CLIENTS: Record<string, number> = { A: 10, B: 20, C: 30, D: 40 }

/** A server's text that agents change one after the other, a second apart. */
const textOf = (start: string) => {
  const server = new NotingServer()
  const insert = (by: string, index: number, text: string, task: string | null = null): void =>
    server.as(by, CLIENTS[by]!, () => server.text.insert(index, text), task)
  const remove = (by: string, words: string, task: string | null = null): void =>
    server.as(
      by,
      CLIENTS[by]!,
      () => server.text.delete(server.text.toJSON().indexOf(words), words.length),
      task,
    )
  const write = (by: string, beside: string, text: string, task: string | null = null): void =>
    insert(by, server.text.toJSON().indexOf(beside) + beside.length, text, task)
  const replace = (by: string, words: string, text: string): void => {
    const index = server.text.toJSON().indexOf(words)
    server.as(by, CLIENTS[by]!, () => {
      server.text.delete(index, words.length)
      server.text.insert(index, text)
    })
  }
  /** Several delete the same words, none of them knowing of the others. */
  const together = (words: string, ...all: string[]): void => {
    const changes = all.map((by) => {
      const doc = new Y.Doc()
      doc.clientID = CLIENTS[by]!
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(server.doc))
      const updates: Uint8Array[] = []
      doc.on('update', (update: Uint8Array) => updates.push(update))
      textIn(doc).delete(textIn(doc).toJSON().indexOf(words), words.length)
      return { by, update: updates[0]! }
    })
    for (const { by, update } of changes) server.take(by, CLIENTS[by]!, update)
  }
  insert('B', 0, start)
  let id = 0
  return {
    server,
    ...{ insert, remove, write, replace, together },
    undo: (selector: Selector) => undo(server, selector, `u-${++id}`),
  }
}

const THREE = 'one two three\nfour five six\nseven eight nine\n'

it('[UNDO-1] an undo takes one agent’s part out of a line that others changed too', () => {
  const text = textOf(THREE)
  text.replace('A', 'two', 'TWO')
  text.replace('C', 'three', 'THREE')
  text.remove('A', 'seven eight nine\n')
  text.write('C', 'six', ' and more')
  const { after, removed, restored, lost, authors, lines } = text.undo({ agent: 'A' })
  expect(after).toBe('one two THREE\nfour five six and more\nseven eight nine\n')
  expect({ removed, restored, lost }).toEqual({ removed: 3, restored: 20, lost: 0 })
  expect(authors).toEqual(['A'])
  expect(lines).toEqual([
    { from_line: 1, to_line: 1 },
    { from_line: 3, to_line: 4 },
  ])
})

it('[UNDO-1] a task’s part is undone, and what was done since a time', () => {
  const text = textOf(THREE)
  text.write('A', 'one', ' A1', 't-1')
  text.write('C', 'four', ' C1', 't-1')
  text.write('A', 'seven', ' A2', 't-2')
  const since = (text.server.now + 1) * 1_000
  text.remove('C', ' eight')
  expect(text.undo({ task: 't-1' }).after).toBe('one two three\nfour five six\nseven A2 nine\n')
  expect(text.undo({ since }).after).toBe(
    'one A1 two three\nfour C1 five six\nseven A2 eight nine\n',
  )
  expect(text.undo({ agent: 'A', since: 0 }).after).toBe(
    'one two three\nfour C1 five six\nseven eight nine\n',
  )
})

it('[UNDO-1] text that an undo brought back is still its author’s', () => {
  const text = textOf('start\n')
  text.write('C', 'start\n', 'by C\n')
  text.remove('A', 'by C\n')
  expect(text.undo({ agent: 'A' }).after).toBe('start\nby C\n')
  expect(text.undo({ agent: 'C' }).after).toBe('start\n')
})

describe('[UNDO-2] overlaps', () => {
  const overlaps = (work: (text: ReturnType<typeof textOf>) => void) => {
    const text = textOf(THREE)
    work(text)
    return text
      .undo({ agent: 'A' })
      .overlaps.map(({ from_line, to_line, by }) => `${from_line}-${to_line} ${by.join()}`)
  }

  it.each<[string, (text: ReturnType<typeof textOf>) => void, string[]]>([
    [
      'others wrote inside',
      (text) => {
        text.write('A', 'five', ' LONG TEXT')
        text.write('C', 'LONG', ' C')
      },
      ['2-2 C'],
    ],
    [
      'others wrote beside',
      (text) => {
        text.write('A', 'six', ' A')
        text.write('C', 'six A', ' C')
      },
      ['2-2 C'],
    ],
    [
      'others deleted a part',
      (text) => {
        text.write('A', 'six', ' ABC')
        text.remove('C', 'BC')
      },
      ['2-2 C'],
    ],
    [
      'two others replaced a part',
      (text) => {
        text.write('A', 'six', ' ABC')
        text.replace('C', 'B', 'c')
        text.replace('D', 'C', 'd')
      },
      ['2-2 C,D'],
    ],
    [
      'others wrote where it had deleted',
      (text) => {
        text.remove('A', 'five ')
        text.write('C', 'four ', 'C ')
      },
      ['2-2 C'],
    ],
    [
      'others deleted around what it had deleted',
      (text) => {
        text.remove('A', 'five ')
        text.remove('C', 'four six')
      },
      ['2-2 C'],
    ],
    [
      'it wrote into what was there',
      (text) => {
        text.write('A', 'five', ' A')
        text.replace('A', 'nine', 'NINE')
      },
      [],
    ],
    [
      'others wrote elsewhere in the line',
      (text) => {
        text.replace('A', 'four', 'FOUR')
        text.replace('C', 'six', 'SIX')
      },
      [],
    ],
    [
      'others wrote in the lines beside it',
      (text) => {
        text.write('A', 'one two three\n', 'A\n')
        text.write('C', 'A\n', 'C after\n')
        text.write('C', 'one two three\n', 'C before\n')
        text.replace('D', 'three', 'THREE')
        text.replace('D', 'four', 'FOUR')
      },
      [],
    ],
  ])('%s', (_, work, expected) => {
    expect(overlaps(work)).toEqual(expected)
  })
})

describe('[UNDO-5] what two agents delete at the same time', () => {
  const told = ({ after, overlaps }: UndoPlan) => [
    after.split('\n')[1],
    ...overlaps.map(({ from_line, by }) => `${from_line} ${by.join()}`),
  ]

  it('is the first one’s, and its undo reports the others', () => {
    const text = textOf(THREE)
    text.together('five ', 'A', 'C', 'D')
    expect(told(text.undo({ agent: 'A' }))).toEqual(['four five six', '2 C,D'])
  })

  it('stays gone where the second one is undone, and the first is reported', () => {
    const text = textOf(THREE)
    text.together('five ', 'A', 'C')
    expect(told(text.undo({ agent: 'C' }))).toEqual(['four six', '2 A'])
  })

  it('is no overlap where both are undone, or after the undo of the first', () => {
    const text = textOf(THREE)
    const since = (text.server.now + 1) * 1_000
    text.together('five ', 'A', 'C')
    expect(told(text.undo({ agent: 'A' }))).toEqual(['four five six', '2 C'])
    expect(told(text.undo({ agent: 'C' }))).toEqual(['four five six'])
    text.together('nine', 'A', 'C')
    expect(told(text.undo({ since }))).toEqual(['four five six'])
  })

  it('is no overlap where one knew of the other', () => {
    const text = textOf(THREE)
    text.remove('A', 'five ')
    text.remove('C', 'nine')
    expect(told(text.undo({ agent: 'A' }))).toEqual(['four five six'])
  })
})

it('[UNDO-3] an undo is undone by its id, as often as one likes', () => {
  const text = textOf(THREE)
  text.replace('A', 'two', 'TWO')
  const before = text.server.text.toJSON()
  const { after } = text.undo({ agent: 'A' })
  text.write('C', 'one', ' C')
  const withC = (of: string): string => of.replace('one', 'one C')
  expect(text.undo({ undo: 'u-1' }).after).toBe(withC(before))
  expect(text.undo({ undo: 'u-2' }).after).toBe(withC(after))
  expect(text.undo({ undo: 'u-3' }).after).toBe(withC(before))
  expect(text.undo({ agent: 'U' }).after).toBe(withC(before))
  expect(text.undo({ agent: 'A' }).after).toBe(withC(after))
})

it('[UNDO-3] an undo that is undone leaves the changes to whoever made them', () => {
  const text = textOf(THREE)
  text.replace('A', 'two', 'TWO')
  text.undo({ agent: 'A' })
  text.remove('C', 'two')
  text.undo({ undo: 'u-1' })
  expect(text.server.text.toJSON()).toBe('one TWO three\nfour five six\nseven eight nine\n')
  const { after, authors } = text.undo({ agent: 'A' })
  expect(after).toBe('one  three\nfour five six\nseven eight nine\n')
  expect(authors).toEqual(['A'])
  expect(text.undo({ agent: 'C' }).after).toBe(THREE)
})

it('[UNDO-4] text whose words nobody keeps does not come back, and is counted', () => {
  const text = textOf(THREE)
  text.remove('A', 'two ')
  text.remove('A', 'five ')
  text.server.texts.get(20)!.shift()
  const { after, restored, lost } = text.undo({ agent: 'A' })
  expect(after).toBe('one three\nfour five six\nseven eight nine\n')
  expect({ restored, lost }).toEqual({ restored: 5, lost: 4 })
  text.server.texts.delete(7)
  expect(text.undo({ undo: 'u-1' })).toMatchObject({ removed: 5, lost: 0 })
  text.server.texts.delete(7)
  expect(text.undo({ undo: 'u-2' })).toMatchObject({ removed: 0, restored: 0, lost: 5 })
})

it('[UNDO-1] [UNDO-2] [UNDO-3] [UNDO-5] random histories of six agents', () => {
  for (let seed = 1; seed <= 30; seed++) runUndo(seed, 10 + (seed % 3) * 25)
})
