import { expect, it } from 'vitest'
import type { FileKey } from '../../../protocol/ids.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { find, wordsOf } from '../../../workspace/inbox/find.ts'
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
    [...find(doc, { query, place, me: me ?? null, now: 1 })].map((one) => {
      if (one.in === 'messages') return one.message.message_id
      return one.in === 'tasks' ? one.task.task_id : `${one.file_key}:${one.line}`
    })
  const lines = ['notes.md:2', 'notes.md:3']
  const messages = [broadcastId('secret'), broadcastId('open')]
  expect(all('notes release').sort()).toEqual([...messages, taskId('work'), ...lines].sort())
  expect(all('notes release', eve)).not.toContain(broadcastId('secret'))
  expect(all('"release notes"', ann, 'messages').sort()).toEqual([...messages].sort())
  expect(all('"release has"', ann)).toEqual(['notes.md:2'])
  expect(all('notes.md', ann, 'files')).toEqual(['notes.md:0'])
  expect(all('nothing here')).toEqual([])
  expect(all('   ')).toEqual([])
  expect(wordsOf('a "b C" d')).toEqual(['a', 'b c', 'd'])
})
