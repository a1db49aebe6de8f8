import { expect, it } from 'vitest'
import type * as Y from 'yjs'
import { textDelta } from '../../../lib/merge/text-delta.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { Authors } from '../../../sync-server/auth/ownership/authors.ts'
import { FileHistory } from '../../../sync-server/history/versions/history.ts'
import { readContent } from '../../../sync-server/history/versions/read.ts'
import { readHead } from '../../../sync-server/history/versions/record.ts'
import { Unavailable } from '../../../sync-server/storage/integrity/db.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { Room } from '../../../sync-server/sync/room.ts'
import { initWorkspace, serverClientOf } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { tempDir } from '../../support/server.ts'

const put = (content: string, base: string | null) => (doc: Y.Doc) =>
  putFile(doc, { key: 'a.md', content, base, by: 'a-1' as AgentId, now: 0 })

/** A room on this log; its files have a history if there is one. */
const roomOn = async (log: LevelUpdateLog, history: FileHistory | null): Promise<Room> => {
  const room: Room = new Room('w', {
    log,
    ...{ maxAwareness: 8_192, maxDocument: 1e9, slowReaderMs: 30_000, now: () => 0 },
    ...{ mayRead: () => true, isMoved: () => false, taskOf: () => null, keepsText: () => false },
    gate: () => new Authors(() => false),
    prepare: (doc, name) => initWorkspace(doc, name, 0),
    serverClient: serverClientOf,
    keeps: () => true,
    onDocument: (room, doc) => history?.follow(room, doc),
    onCommit: (room) => history?.committed(room),
    ...{ onAwareness: () => {}, onFailure: () => {}, onForgery: () => {} },
    ...{ onClose: () => {}, onIdle: () => {} },
  })
  await room.loaded
  return room
}

it('[VERSION-9] a state that was read in a turn whose record is not stored becomes no version', async () => {
  const log = await LevelUpdateLog.open(tempDir('unstored'), () => 0)
  const before = await roomOn(log, null)
  await before.command(put('stored\n', null))
  before.close()
  await before.ended()

  // As after a crash: the file is newer than its versions, so it is read in a turn.
  const errors: unknown[] = []
  const history = new FileHistory({
    log: log.versions,
    now: () => 0,
    delta: async (from, to) => textDelta(from, to),
    pinned: async () => new Set(),
    onError: (error) => errors.push(error),
  })
  const room = await roomOn(log, history)
  const [ask, append] = [room.command.bind(room), log.append.bind(log)]
  let asked = 0
  room.command = (...of: Parameters<typeof ask>) => {
    // First it looks which files have no version, then it reads them.
    if (++asked === 2) {
      ask(put('never stored\n', 'stored\n')).catch(() => {})
      log.append = async () => {
        log.append = append
        throw new Unavailable('the disk is full')
      }
    }
    return ask(...of) as never
  }
  await history.settled('w')
  expect(await log.versions.head('w', 'a.md')).toBeNull()

  const after = await roomOn(log, history)
  await after.command(put('stored later\n', 'stored\n'))
  await history.settled('w')
  const { version, base } = readHead((await log.versions.head('w', 'a.md'))!)
  expect(version).toBe(2)
  expect(await readContent(log.versions, 'w', 'a.md', base, version)).toBe('stored later\n')
  expect(errors).toEqual([])
  after.close()
  await after.ended()
  await log.close()
})
