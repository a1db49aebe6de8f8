import { describe, expect, it } from 'vitest'
import { FileNews, isFileNews } from '../../../workspace/inbox/unread.ts'
import type { Message } from '../../../workspace/messages/message.ts'

const news = (type: string, more: object = {}) =>
  ({ type, from_agent: 'a-ben', message_id: `${type}-1`, ...more }) as unknown as Message
const updated = (file_key: string, version: number) =>
  news('file_updated', { file_key, version, message_id: `${file_key}@${version}` })
const many = (updated: number, file_keys: string[], from_agent = 'a-ben') =>
  news('files_changed', { updated, removed: 0, file_keys, from_agent })

/** Stores these one after the other; what is unread then. */
const unread = (messages: readonly Message[]): Message[] => {
  const files = new FileNews()
  const stored = new Map<string, Message>()
  for (const [i, one] of messages.entries()) {
    const { message, unread, since } = files.merge(one)
    if (unread !== null) {
      stored.delete(unread)
      files.delete(unread)
    }
    stored.set(`${i}`, message)
    files.add(`${i}`, message, since)
  }
  return [...stored.values()]
}

describe('unread news of files', () => {
  it('[INBOX-17] is one message a file, the newest, which says from which version on', () => {
    const all = [1, 2, 3].flatMap((i) => [updated('a', i), updated('b', i + 4)])
    expect(unread([...all, updated('c', 1)])).toEqual([
      { ...updated('a', 3), from_version: 1 },
      { ...updated('b', 7), from_version: 5 },
      updated('c', 1),
    ])
    const gone = news('file_removed', { file_key: 'a' })
    expect(unread([updated('a', 1), gone])).toEqual([gone])
    expect(unread([updated('a', 1), gone, updated('a', 2)])).toEqual([updated('a', 2)])
  })

  it('[INBOX-17] is one message an agent that changes many again and again', () => {
    const before = [many(30, ['a', 'b']), many(22, ['b', 'c']), many(21, ['x'], 'a-eve')]
    expect(unread(before)).toMatchObject([
      { updated: 30, file_keys: ['a', 'b', 'c'] },
      { updated: 21, file_keys: ['x'] },
    ])
  })

  it('[INBOX-17] takes nothing else along; read once, it is news again', () => {
    const others = ['file_conflict', 'direct_message', 'task_note', 'agent_joined'].map((type) =>
      news(type, { file_key: 'a' }),
    )
    expect(others.filter(isFileNews)).toEqual([])
    expect(unread([...others, ...others])).toHaveLength(2 * others.length)
    const files = new FileNews()
    files.add('1', updated('a', 1))
    files.delete('1')
    expect(files.merge(updated('a', 2))).toEqual({ message: updated('a', 2), unread: null })
  })
})
