import { expect, it } from 'vitest'
import type { FileKey } from '../../../protocol/ids.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { find, idOf, pageOf, parseQuery } from '../../../workspace/inbox/find.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { agentId, broadcastId, replica, taskId } from '../../support/workspace/replicas.ts'

const [ann, bob, eve] = ['ann', 'bob', 'eve'].map(agentId)

it('[FIND-1] find gives messages for the reader, tasks, and lines of files with all words in them', () => {
  const doc = replica(1)
  const say = (name: string, content: string, to?: typeof ann) =>
    addBroadcast(doc, {
      ...{ id: broadcastId(name), from: bob!, to, content, topic: 'ci', tags: [], now: 1 },
    })
  say('open', 'The release NOTES are late')
  say('secret', 'release notes for ann', ann)
  addTask(doc, {
    ...{ id: taskId('work'), from: bob!, to: ann!, description: 'write release notes' },
    ...{ context: null, priority: 'normal', now: 1 },
  })
  const content = 'one\nthe release has notes\nnotes of the release\n'
  putFile(doc, { key: 'notes.md' as FileKey, base: null, content, by: ann!, now: 1 })

  const all = (query: string, me = ann, place: 'messages' | 'tasks' | 'files' | null = null) =>
    [...find(doc, { terms: parseQuery(query), place, me: me ?? null, now: 1 })].flatMap((one) =>
      one === null ? [] : idOf(one),
    )
  const lines = ['notes.md:2', 'notes.md:3']
  const messages = [broadcastId('secret'), broadcastId('open')]
  expect(all('notes release').sort()).toEqual([...messages, taskId('work'), ...lines].sort())
  expect(all('notes release', eve)).not.toContain(broadcastId('secret'))
  expect(all('"release notes"', ann, 'messages').sort()).toEqual([...messages].sort())
  expect(all('"release has"', ann)).toEqual(['notes.md:2'])
  expect(all('notes.md', ann, 'files')).toEqual(['notes.md:0'])
  expect(all('nothing here')).toEqual([])
  expect(() => all('   ')).toThrow('the query has no words')
  const byBob = [
    ...find(doc, { terms: parseQuery('release'), place: null, me: ann!, from: bob, now: 1 }),
  ]
  expect(byBob.flatMap((one) => one?.in ?? [])).toEqual(['messages', 'messages', 'tasks'])
})

it('[FIND-1] places share a page, and what one leaves over goes to the others', () => {
  const line = (n: number) => ({ in: 'files' as const, file_key: 'a.md', line: n, text: '' })
  const files = [1, 2, 3, 4, 5].map(line)
  const page = (limit: number) => pageOf({ messages: [], tasks: files.slice(0, 2), files }, limit)
  expect(page(4).found.map((one) => (one.in === 'files' ? one.line : 0))).toEqual([1, 2, 1, 2])
  expect(page(6)).toMatchObject({ more: true })
  expect(page(6).found).toHaveLength(6)
  expect(page(7)).toMatchObject({ more: false })
})
