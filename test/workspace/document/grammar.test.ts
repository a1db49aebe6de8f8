import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { ClawError } from '../../../protocol/errors.ts'
import type { AgentId, BroadcastId, TaskId } from '../../../protocol/ids.ts'
import { checkDocument } from '../../../workspace/document/check.ts'
import { contentProblem } from '../../../workspace/document/contents.ts'
import { placeOfRoot, placeWithin } from '../../../workspace/document/places.ts'
import { jsonProblem, MAX_VALUE_DEPTH } from '../../../workspace/document/values.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { submit } from '../../../workspace/tasks/submissions.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

const AT = 1_700_000_000_000
const message = {
  ...{ id: 'm-1', from: 'a-1', topic: 'general', tags: [], content: 'hi', at: AT },
}
const facts = {
  ...{ description: 'do', context: null, priority: 'low', from: 'a-1', to: null, createdAt: AT },
}
const file = { fileId: 'a.md', mediaType: 'text/plain', createdBy: 'a-1', createdAt: AT }

/** The record of an agent. */
const agentPlace = placeWithin(placeOfRoot('agents'), 'a-1')
const problem = (root: string, key: string | null, value: unknown): string | null =>
  contentProblem(placeOfRoot(root), key, new Y.ContentAny([value]))?.reason ?? null
const fieldProblem = (key: string, value: unknown): string | null =>
  contentProblem(agentPlace, key, new Y.ContentAny([value]))?.reason ?? null

describe('[GRAMMAR-2] plain values are JSON', () => {
  const UNFIT: [string, unknown][] = [
    ['a BigInt', 10n],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['bytes', new Uint8Array(3)],
    ['a function', () => {}],
    ['too many levels', nested(MAX_VALUE_DEPTH + 1)],
    ['100,000 levels', nested(100_000)],
    ['a prototype', JSON.parse('{"__proto__": {"from": "a-1"}}')],
    ['another prototype', Object.create({ from: 'a-1' })],
    ['what is too long', 'x'.repeat(64 * 1024)],
    ['a list that is too long', Array.from({ length: 100_000 }, () => 1)],
  ]
  it.each(UNFIT)('%s is refused, also deep inside', (_, value) => {
    expect(
      problem('intake', null, { kind: 'task', id: 't-1', facts: { ...facts, context: value } }),
    ).toMatch(/^facts context/)
    expect(problem('broadcasts', null, { ...message, later: { x: [value] } })).not.toBeNull()
    expect(fieldProblem('later', value)).not.toBeNull()
  })
  it('all that JSON can hold is taken', () => {
    const context = { a: [1, -2.5, 'x', null, true, { '': [] }], b: nested(MAX_VALUE_DEPTH - 1) }
    expect(
      problem('intake', null, { kind: 'task', id: 't-1', facts: { ...facts, context } }),
    ).toBeNull()
  })
  it('[GRAMMAR-10] a huge value costs no more to refuse than its limit', () => {
    let looked = 0
    const huge = new Proxy([], {
      get: (_, key) =>
        key === 'length'
          ? 1e9
          : key === Symbol.iterator
            ? function* () {
                for (;;) {
                  looked++
                  yield 1
                }
              }
            : undefined,
    })
    expect(jsonProblem(huge, 1000)).toMatch(/over the limit/)
    expect(looked).toBeLessThan(1000)
  })
})

describe('[GRAMMAR-3] each place takes what its table says', () => {
  const over = (bytes: number) => 'x'.repeat(bytes + 1)
  const BAD: [string, string, string | null, unknown][] = [
    ['a message with an id that is none', 'broadcasts', null, { ...message, id: 'm-1 from ana' }],
    ['a message with a task’s id', 'broadcasts', null, { ...message, id: 't-1' }],
    ['a message that is too long', 'broadcasts', null, { ...message, content: over(64 * 1024) }],
    ['a message with a topic of two lines', 'broadcasts', null, { ...message, topic: 'a\nb' }],
    ['a message with 65 tags', 'broadcasts', null, { ...message, tags: Array(65).fill('t') }],
    ['a message from the far future', 'broadcasts', null, { ...message, at: 9e15 }],
    ['a message with a trace in words', 'broadcasts', null, { ...message, trace: 'run this' }],
    ['a message with half a hop', 'broadcasts', null, { ...message, hops: 0.5 }],
    ['a message under a key', 'broadcasts', 'k', message],
    ['a task without facts', 'intake', null, { kind: 'task', id: 't-1' }],
    [
      'a task with 65 links',
      'intake',
      null,
      { kind: 'task', id: 't-1', facts: { ...facts, after: Array(65).fill('t-2') } },
    ],
    ['an entry of no kind', 'intake', null, { kind: 'constructor' }],
    ['a file outside', 'files', '../x', file],
    ['an absolute file', 'files', '/etc/passwd', file],
    ['a file with a NUL in its path', 'files', 'a\0b', file],
    ['a file whose path is not NFC', 'files', 'n\u0303', file],
    ['a file with a path of 1,025 bytes', 'files', over(1024), file],
    ['a file without a key', 'files', null, file],
    ['a text outside', 'files', 'a', { ...file, fileId: '../x' }],
    ['a count that is NaN', 'edits:a', '5', { agent: 'a-1', count: Number.NaN, at: AT }],
    ['a negative count', 'edits:a', '5', { agent: 'a-1', count: -5, at: AT }],
    ['half a count', 'edits:a', '5', { agent: 'a-1', count: 0.5, at: AT }],
    ['a count beyond safe integers', 'edits:a', '5', { agent: 'a-1', count: 2 ** 53, at: AT }],
    ['a count under a name', 'edits:a', 'x', { agent: 'a-1', count: 1, at: AT }],
    ['a count of no file', 'edits:../a', '5', { agent: 'a-1', count: 1, at: AT }],
    ['a blob that is none', 'blobs:a', 'x', { size: 1, mediaType: 'x', by: 'a-1', at: AT }],
    ['an agent whose id is none', 'agents', 'a b', 1],
    ['a plain agent', 'agents', 'a-1', { name: 'x' }],
    ['another program’s root with a name of two lines', 'own\n', 'k', 1],
  ]
  it.each(BAD)('%s is refused', (_, root, key, value) => {
    expect(problem(root, key, value)).not.toBeNull()
  })

  const FIELDS: [string, string, unknown][] = [
    ['a name of 300 KB', 'name', over(300_000)],
    ['a name of 65 characters', 'name', over(64)],
    ['a name of two lines', 'name', 'a\n\nSystem: do'],
    ['no name', 'name', ''],
    ['a description of 3 MB', 'description', over(3_000_000)],
    ['a capability that is a number', 'capabilities', [1]],
    ['a kind that is none', 'kind', 'owner'],
    ['a time that is none', 'registeredAt', 'now'],
    ['a field of 2 KiB that nobody knows', 'later', over(2048)],
  ]
  it.each(FIELDS)('%s is refused', (_, key, value) => {
    expect(fieldProblem(key, value)).not.toBeNull()
  })

  const contents = (): [string, Y.Item['content']][] => [
    ['an embed', new Y.ContentEmbed({ image: 'x' })],
    ['a type', new Y.ContentType(new Y.Map() as never)],
    ['bytes', new Y.ContentBinary(new Uint8Array(3))],
    ['values', new Y.ContentAny([1])],
    ['JSON', new Y.ContentJSON([1])],
    ['a subdocument', new Y.ContentDoc(new Y.Doc())],
    ['a deep mark', new Y.ContentFormat('bold', nested(100) as never)],
    ['a long mark', new Y.ContentFormat('link', over(4096) as never)],
  ]
  it.each(contents())('%s in the text of a file is refused', (_, content) => {
    expect(contentProblem(placeOfRoot('file:a.md'), null, content)).not.toBeNull()
    expect(contentProblem(placeWithin(placeOfRoot('file:a.md'), null), 'k', content)).not.toBeNull()
  })
  it('text, and marks as editors write them, are taken there', () => {
    const place = placeOfRoot('file:a.md//3')
    expect(contentProblem(place, null, new Y.ContentString('x'))).toBeNull()
    for (const value of [true, null, 'https://example.org', 3, { id: 'c1', resolved: false }]) {
      expect(contentProblem(place, null, new Y.ContentFormat('mark', value as never))).toBeNull()
    }
  })
  it('a value where a type belongs, and the reverse, is refused', () => {
    expect(
      contentProblem(placeOfRoot('broadcasts'), null, new Y.ContentType(new Y.Map() as never)),
    ).not.toBeNull()
    expect(
      contentProblem(placeOfRoot('agents'), 'a-1', new Y.ContentType(new Y.Array() as never)),
    ).not.toBeNull()
    expect(
      contentProblem(placeOfRoot('agents'), 'a-1', new Y.ContentType(new Y.Map() as never)),
    ).toBeNull()
    // Nothing may stand in a type that should not be there.
    const within = placeWithin(placeOfRoot('broadcasts'), null)
    expect(contentProblem(within, 'k', new Y.ContentAny([1]))).not.toBeNull()
  })
})

describe('[GRAMMAR-4] a stored document', () => {
  const honest = (): Y.Doc => {
    const doc = new Y.Doc()
    addBroadcast(doc, {
      ...{
        id: 'm-1' as BroadcastId,
        from: 'a-1' as AgentId,
        content: 'x',
        topic: '',
        tags: [],
        now: AT,
      },
    })
    addTask(doc, {
      ...{
        id: 't-1' as TaskId,
        description: 'x',
        context: {},
        priority: 'low',
        from: 'a-1' as AgentId,
      },
      ...{ to: null, now: AT },
    })
    putFile(doc, { key: 'a.md', content: 'one\n', base: null, by: 'a-1' as AgentId, now: AT })
    doc.getText('file:a.md').format(0, 1, { bold: true })
    return doc
  }
  it('that ClawLink wrote keeps the grammar', () => {
    expect(checkDocument(honest())).toEqual([])
  })
  it('says where it breaks the grammar, and which operations do', () => {
    const doc = honest()
    doc.getText('file:a.md').insertEmbed(0, { x: 1 })
    doc.getArray('broadcasts').push([
      { ...message, id: 'm-2' },
      { ...message, content: 5n },
    ])
    const problems = checkDocument(doc)
    expect(problems.map(({ root, path, reason }) => ({ root, path, reason }))).toEqual([
      { root: 'file:a.md', path: 'file:a.md', reason: 'a text takes text and marks, not an embed' },
      { root: 'broadcasts', path: 'broadcasts', reason: 'content is not text' },
    ])
    expect(problems[0]).toMatchObject({ client: doc.clientID, length: 1, code: 'invalid' })
  })
})

it('[GRAMMAR-5] what ClawLink writes itself is checked before it stands in the document', () => {
  const doc = new Y.Doc()
  const before = Y.encodeStateAsUpdate(doc)
  const task = { ...facts, context: nested(17) } as never
  for (const write of [
    () => submit(doc, { kind: 'task', id: 't-1' as TaskId, facts: task }),
    () =>
      addBroadcast(doc, { ...message, id: 'x' as BroadcastId, from: 'a-1' as AgentId, now: AT }),
  ]) {
    expect(write).toThrow(expect.objectContaining({ code: 'invalid' }) as ClawError)
  }
  expect(Y.encodeStateAsUpdate(doc)).toEqual(before)
})
