import { beforeEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import {
  KEPT_SUGGESTIONS,
  MAX_AGENT_SUGGESTIONS,
  MAX_SUGGESTED_HUNKS,
  MAX_SUGGESTION_BYTES,
  SUGGESTIONS_KEPT_MS,
} from '../../../protocol/limits.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { putIn } from '../../../workspace/document/buckets.ts'
import { checkDocument } from '../../../workspace/document/check.ts'
import { suggestionsOf, tasksOf } from '../../../workspace/document/schema.ts'
import { fileVersions } from '../../../workspace/files/edit-counts.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import {
  findSuggestion,
  getSuggestion,
  listSuggestions,
  suggestionDiff,
} from '../../../workspace/files/suggestions.ts'
import { byPriority, messagesSince } from '../../../workspace/inbox/inbox.ts'
import { isMoot } from '../../../workspace/inbox/unread.ts'
import { isFinal, wakes } from '../../../workspace/inbox/wakes.ts'
import { showArchivedSuggestion } from '../../../workspace/suggestions/archive.ts'
import { acceptHunks, noteDecision, rejection } from '../../../workspace/suggestions/deciding.ts'
import { fileSuggestion, type Proposal } from '../../../workspace/suggestions/filing.ts'
import { codeOf, cursor } from '../../support/workspace/replicas.ts'

const [ANN, BOB, CAT] = ['a-ann', 'a-bob', 'a-cat'] as [AgentId, AgentId, AgentId]
const LINES = Array.from({ length: 20 }, (_, i) => `line ${i + 1}\n`)

let doc: Y.Doc
let archived: Map<number, object>

const put = (by: AgentId, content: string, now = 1): void => {
  const base = readFile(doc, 'f.md').content
  putFile(doc, { key: 'f.md', content, base, by, now })
}
/** Replaces whole lines, numbered from 1. */
const withLines = (lines: Record<number, string>): string =>
  LINES.map((line, i) => lines[i + 1] ?? line).join('')

const suggest = (content: string, more: Partial<Proposal> = {}): string =>
  fileSuggestion(doc, {
    ...{ key: 'f.md', by: BOB, now: 2, base: null, propose: () => content, note: 'so' },
    ...{ mayAccept: () => true, steps: 1e6 },
    ...more,
  }).suggestion_id

const judgement = (id: string, by: AgentId, now = 3) => ({ id, by, mayWrite: true, now })
const accept = (id: string, by: AgentId, hunks: number[] | null = null): void => {
  const { decision } = acceptHunks(doc, judgement(id, by), hunks)
  noteDecision(doc, id, decision, (number, value) => archived.set(number, value))
}
const reject = (
  id: string,
  by: AgentId,
  reason = 'no',
  now = 3,
  hunks: number[] | null = null,
): void => {
  const decision = rejection(doc, judgement(id, by, now), reason, hunks)
  noteDecision(doc, id, decision, (number, value) => archived.set(number, value))
}
const textNow = (): string => readFile(doc, 'f.md').content

beforeEach(() => {
  doc = new Y.Doc()
  archived = new Map()
  for (const id of [ANN, BOB, CAT]) {
    const facts = { id, name: id, capabilities: [], machine: '', description: '' }
    registerAgent(doc, { ...facts, now: 0 })
  }
  putFile(doc, { key: 'f.md', content: LINES.join(''), base: null, by: ANN, now: 0 })
})

describe('filing', () => {
  it('[SUGGEST-1] makes hunks of what differs from the version that was changed', () => {
    const base = textNow()
    put(ANN, withLines({ 10: 'TEN\n' }))
    const id = suggest(withLines({ 2: 'two\n', 19: 'nineteen\ntwenty less one\n' }), { base })
    expect(getSuggestion(doc, id)).toMatchObject({
      ...{ suggestion_id: 's-1', file_key: 'f.md', by: BOB, state: 'open', base_version: 2 },
      ...{ hunks: 2, waiting: 2, conflicts: 0, note: 'so', approve_by: null },
      changes: [
        { hunk: 1, state: 'applies', line: 2, old: 'line 2\n', new: 'two\n' },
        { hunk: 2, state: 'applies', line: 19, old: 'line 19\n' },
      ],
    })
    expect(suggestionDiff(getSuggestion(doc, id)).slice(0, 3)).toEqual([
      ...['@@ hunk 1 line 2 applies @@', '-line 2', '+two'],
    ])
    expect(suggest(withLines({ 3: '' }))).toBe('s-2')
    expect(checkDocument(doc)).toEqual([])
  })

  it('[SUGGEST-1] rejects what others changed meanwhile, no change, and what is no text', () => {
    const base = textNow()
    put(ANN, withLines({ 10: 'TEN\n' }))
    expect(codeOf(() => suggest(withLines({ 10: 'ten\n' }), { base }))).toBe('stale')
    expect(codeOf(() => suggest(textNow()))).toBe('usage')
    expect(codeOf(() => suggest('\0'))).toBe('bad_text')
    expect(codeOf(() => suggest('x', { key: 'none.md' }))).toBe('unknown_file')
    expect(codeOf(() => suggest('x', { task: 't-none' }))).toBe('unknown_task')
    expect(codeOf(() => suggest('x', { approver: BOB }))).toBe('usage')
    expect(listSuggestions(doc)).toEqual([])
  })

  it('[SUGGEST-8] has limits for hunks, bytes and how many wait', () => {
    const many = Array.from({ length: 2 * MAX_SUGGESTED_HUNKS + 4 }, (_, i) => `${i}\n`)
    put(ANN, many.join(''))
    const odd = many.map((line, i) => (i % 2 === 0 ? line : `x${line}`)).join('')
    expect(codeOf(() => suggest(odd))).toBe('too_large')
    expect(codeOf(() => suggest(`${'x'.repeat(MAX_SUGGESTION_BYTES)}\n`))).toBe('too_large')
    for (let i = 0; i < MAX_AGENT_SUGGESTIONS; i++) suggest(`${i}\n${textNow()}`)
    expect(codeOf(() => suggest(`more\n${textNow()}`))).toBe('quota')
    reject('s-7', BOB, '')
    expect(suggest(`more\n${textNow()}`)).toBe(`s-${MAX_AGENT_SUGGESTIONS + 1}`)
  })
})

describe('judging', () => {
  it('[SUGGEST-3] a hunk moves along; what changed is a conflict, and nothing is written of it', () => {
    const id = suggest(withLines({ 5: 'five\n', 10: 'ten\n', 15: 'line 15\nnew\n' }))
    put(ANN, `first\n${withLines({ 10: 'LINE 10\n' })}`)
    const { changes } = getSuggestion(doc, id)
    expect(changes!.map(({ state, line }) => [state, line])).toEqual([
      ...[
        ['moved', 6],
        ['conflict', 10],
      ],
      ['moved', 17],
    ])
    const before = textNow()
    expect(codeOf(() => accept(id, ANN))).toBe('stale')
    expect(textNow()).toBe(before)
    accept(id, ANN, [1, 3])
    expect(textNow()).toBe(
      `first\n${withLines({ 5: 'five\n', 10: 'LINE 10\n', 15: 'line 15\nnew\n' })}`,
    )
    expect(getSuggestion(doc, id)).toMatchObject({ state: 'open', waiting: 1, conflicts: 1 })
  })

  it('[SUGGEST-3] equal lines are told apart, and a copy elsewhere is never taken for the place', () => {
    putFile(doc, { key: 'g.md', content: 'a\nx\nb\nx\n', base: null, by: ANN, now: 0 })
    const id = suggest('a\nx\nb\ny\n', { key: 'g.md' })
    const base = readFile(doc, 'g.md').content
    putFile(doc, { key: 'g.md', content: 'a\nx\nb\n', base, by: ANN, now: 1 })
    expect(codeOf(() => accept(id, ANN))).toBe('stale')
    expect(readFile(doc, 'g.md').content).toBe('a\nx\nb\n')
  })

  it('[SUGGEST-2] a hunk is judged once, and the file is its proposer’s', () => {
    const id = suggest(withLines({ 5: 'five\n', 10: 'ten\n' }))
    accept(id, ANN, [2])
    expect(readFile(doc, 'f.md').last_editor).toBe(BOB)
    expect(codeOf(() => accept(id, ANN, [2]))).toBe('suggestion_state')
    expect(codeOf(() => accept(id, ANN, [3]))).toBe('usage')
    reject(id, ANN)
    expect(getSuggestion(doc, id)).toMatchObject({ state: 'partly', waiting: 0 })
    expect(codeOf(() => accept(id, ANN))).toBe('suggestion_state')
    expect(textNow()).toBe(withLines({ 10: 'ten\n' }))
  })

  it('[SUGGEST-2] hunks are rejected one by one, each once; the others still wait', () => {
    const id = suggest(withLines({ 2: 'two\n', 5: 'five\n', 10: 'ten\n' }))
    reject(id, ANN, 'no', 3, [2])
    expect(getSuggestion(doc, id)).toMatchObject({ state: 'open', waiting: 2 })
    expect(codeOf(() => reject(id, ANN, 'no', 3, [2]))).toBe('suggestion_state')
    expect(codeOf(() => accept(id, ANN, [2]))).toBe('suggestion_state')
    expect(codeOf(() => reject(id, ANN, 'no', 3, [4]))).toBe('usage')
    accept(id, ANN, [3])
    reject(id, BOB, '', 3, [1])
    expect(getSuggestion(doc, id)).toMatchObject({ state: 'partly', waiting: 0 })
    expect(textNow()).toBe(withLines({ 10: 'ten\n' }))
  })

  it('[SUGGEST-5] whom --approve-by or the task names judges it, nobody the own one', () => {
    const facts = { description: 'd', context: null, priority: 'normal', from: ANN, to: BOB }
    const task = new Y.Map<unknown>([['facts', { ...facts, createdAt: 1, approver: BOB }]])
    putIn(tasksOf(doc), 't-1' as TaskId, task)
    const named = suggest(withLines({ 2: 'two\n' }), { approver: CAT })
    expect(codeOf(() => accept(named, ANN))).toBe('not_allowed')
    expect(codeOf(() => reject(named, ANN))).toBe('not_allowed')
    accept(named, CAT)
    // The proposer approves the task: its creator judges this one.
    const ofTask = suggest(withLines({ 2: 'two\n', 3: 'three\n' }), { task: 't-1' })
    expect(getSuggestion(doc, ofTask)).toMatchObject({ approve_by: ANN, task: 't-1' })
    for (const by of [BOB, CAT]) expect(codeOf(() => accept(ofTask, by))).toBe('not_allowed')
    accept(ofTask, ANN)
    const free = suggest(withLines({ 2: 'two\n', 3: 'three\n', 4: 'four\n' }))
    const reader = { ...judgement(free, CAT), mayWrite: false }
    expect(codeOf(() => acceptHunks(doc, reader, null))).toBe('not_allowed')
    expect(codeOf(() => rejection(doc, reader, 'no'))).toBe('not_allowed')
    accept(free, BOB)
  })
})

it('[SUGGEST-6] those who judge are told first and woken, the proposer of the judgement', () => {
  const here = { present: new Set<AgentId>(), now: 9 }
  const since = cursor(doc)
  const id = suggest(withLines({ 2: 'two\n', 4: 'four\n' }))
  const news = (me: AgentId, from = since) =>
    messagesSince(doc, from, me, here, fileVersions(doc)).filter(
      ({ type }) => type === 'file_suggestion' || type === 'suggestion_judged',
    )
  const [waiting] = news(ANN)
  expect(waiting).toMatchObject({ type: 'file_suggestion', message_id: id, hunks: 2, note: 'so' })
  expect([wakes(waiting!), isFinal(waiting!), isMoot(doc, waiting!)]).toEqual([true, true, false])
  const other = { ...waiting!, type: 'direct_message' } as never
  expect(byPriority([{ message: other }, { message: waiting! }])[0]!.message).toBe(waiting)
  // Cat has not written the file, and Bob proposed it.
  expect([news(BOB), news(CAT)]).toEqual([[], []])
  const filed = cursor(doc)
  accept(id, ANN, [2])
  reject(id, ANN, 'two is a word')
  expect(news(BOB, filed)).toMatchObject([
    { type: 'suggestion_judged', from_agent: ANN, verdict: 'accepted', hunks: [2], version: 2 },
    { verdict: 'rejected', hunks: [1], waiting: 0, reason: 'two is a word' },
  ])
  expect(news(BOB, filed).every(wakes)).toBe(true)
  expect(news(ANN)).toEqual([])
  expect(isMoot(doc, waiting!)).toBe(true)
})

describe('the document', () => {
  it('[SUGGEST-7] hunks leave at the end, outcomes when they are old or many', () => {
    const id = suggest(withLines({ 2: 'two\n' }))
    accept(id, ANN)
    expect(findSuggestion(doc, id)!.hunks).toBeNull()
    expect(getSuggestion(doc, id)).not.toHaveProperty('changes')
    expect(showArchivedSuggestion(structuredClone(archived.get(1)))).toMatchObject({
      ...{ suggestion_id: id, state: 'accepted' },
      changes: [{ state: 'accepted', old: 'line 2\n', new: 'two\n' }],
    })
    for (const junk of [null, 'x', {}, { id: 's-1', facts: 1 }]) {
      expect(showArchivedSuggestion(junk)).toBeNull()
    }
    reject(suggest(`x\n${textNow()}`), BOB, '', 4 + SUGGESTIONS_KEPT_MS)
    expect(findSuggestion(doc, id)).toBeNull()
    for (let i = 0; i < KEPT_SUGGESTIONS + 5; i++)
      reject(suggest(`${i}\n${textNow()}`), BOB, '', 9e9)
    expect(listSuggestions(doc, { all: true })).toHaveLength(KEPT_SUGGESTIONS)
    expect(archived.size).toBe(KEPT_SUGGESTIONS + 7)
  })

  it('[SUGGEST-8] what is stored and broken counts as absent, or as a conflict', () => {
    const id = suggest(withLines({ 2: 'two\n', 9: 'nine\n' }))
    const entry = findSuggestion(doc, id)!
    const [first, second] = entry.hunks!
    const wrong = { ...first!, from: [4, 9] as const, to: [2 ** 50, 2 ** 50] as const }
    for (const hunks of [
      [wrong, { ...second!, from: [1] }],
      [wrong, { ...second!, from: [] }],
    ]) {
      entry.record.set('hunks', hunks)
      expect(getSuggestion(doc, id)).toMatchObject({ conflicts: 2 })
      expect(codeOf(() => accept(id, ANN))).toBe('stale')
    }
    for (const hunks of [[first], 'x', null, [{}, {}]]) {
      entry.record.set('hunks', hunks)
      expect(codeOf(() => accept(id, ANN))).toBe('unknown_suggestion')
      expect(listSuggestions(doc)).toHaveLength(1)
    }
    entry.record.set('facts', { by: 7 })
    expect(listSuggestions(doc)).toEqual([])
    expect(codeOf(() => accept(id, ANN))).toBe('unknown_suggestion')
    putIn(suggestionsOf(doc), 's-9', 'x')
    expect(listSuggestions(doc, { all: true })).toEqual([])
    expect(textNow()).toBe(LINES.join(''))
  })
})
