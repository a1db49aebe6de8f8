import { expect, it } from 'vitest'
import { LeaseEnded } from '../../../sync-server/storage/integrity/db.ts'
import { openLevel } from '../../../sync-server/storage/integrity/open.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { Rooms } from '../../../sync-server/sync/rooms.ts'
import { tempDir } from '../../support/server.ts'
import { bareRoom } from '../../support/sync-server/bare-room.ts'

const open = async () => {
  const store = await openLevel(tempDir('left'))
  const log = await LevelUpdateLog.on(store, Date.now)
  const lease = { holds: true }
  const rooms: Rooms = new Rooms(
    {
      ...bareRoom(log, Date.now),
      mayRead: () => lease.holds,
      onFailure: (room, error) => {
        if (error instanceof LeaseEnded) rooms.lose(room)
        else throw error
      },
    },
    () => {},
  )
  return { store, log, rooms, lease }
}

it('[DUR-10] a room that is opened while the write of the one before is under way has what it wrote', async () => {
  const { store, log, rooms, lease } = await open()
  const before = rooms.open('w')
  await before.loaded
  const put = store.db.put.bind(store.db)
  let [reach, go] = [(): void => {}, (): void => {}]
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const free = new Promise<void>((resolve) => {
    go = resolve
  })
  store.db.put = async (...of: Parameters<typeof put>) => {
    reach()
    await free
    return put(...of)
  }
  const writing = before.command((doc) => doc.getText('t').insert(0, 'kept')).catch(() => {})
  await reached

  lease.holds = false
  before.attach({ close: () => {} } as never)
  lease.holds = true
  const after = rooms.open('w')
  expect(after).not.toBe(before)
  // It had the time to read the log.
  for (let i = 0; i < 3; i++) await log.load('w')
  go()
  await writing
  await after.loaded
  expect(after.doc.getText('t').toString()).toBe('kept')
  await after.flush()
  rooms.close()
  await log.close()
})
