import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  backupName,
  backupsIn,
  backupTime,
  ScheduledBackups,
} from '../../../sync-server/ops/host/scheduled-backups.ts'
import type { ServerStatus } from '../../../sync-server/ops/host/status.ts'
import { until } from '../../support/client.ts'
import { sync, syncJson } from '../../support/ops/commands.ts'
import { startServer, tempDir } from '../../support/server.ts'

const HOUR = 3_600_000
const START = Date.parse('2030-01-31T12:00:00Z')

/** A backup is its manifest here. */
const write = async (dir: string): Promise<void> => {
  mkdirSync(dir)
  writeFileSync(join(dir, 'manifest.json'), '{}')
}

it('[ADMIN-12] a name has its time, and no other name passes for one', () => {
  expect(backupName(START)).toBe('2030-01-31T12-00-00Z')
  expect(backupTime('2030-01-31T12-00-00Z')).toBe(START)
  for (const name of [
    '2030-01-31',
    'x',
    '2030-99-31T12-00-00Z',
    '2030-01-31T12-00-00Z.partial-a',
  ]) {
    expect(backupTime(name)).toBeNull()
  }
})

it('[ADMIN-12] one is made when it is due, the newest stay, and nothing else is touched', async () => {
  const dir = join(tempDir('backups'), 'new')
  let now = START
  const errors: unknown[] = []
  let fails = false
  const backups = new ScheduledBackups(
    { dir, everyMs: HOUR, keep: 2 },
    {
      now: () => now,
      backup: async (to) => {
        if (fails) throw new Error('disk full')
        await write(to)
      },
      onDone: () => {},
      onError: (error) => errors.push(error),
    },
  )
  const at = async (hours: number): Promise<string[]> => {
    now = START + hours * HOUR
    await backups.step()
    return readdirSync(dir).sort()
  }
  expect(await at(0)).toHaveLength(1)
  mkdirSync(join(dir, 'mine'))
  mkdirSync(join(dir, '2000-01-01T00-00-00Z')) // unfinished, or somebody's
  mkdirSync(join(dir, '2001-01-01T00-00-00Z.removed')) // a kill came before its end
  const others = ['2000-01-01T00-00-00Z', 'mine']
  expect(await at(0.9)).toHaveLength(4)
  expect(await at(1)).toHaveLength(4)
  expect(await at(2)).toEqual([
    others[0],
    ...[1, 2].map((hours) => backupName(START + hours * HOUR)),
    others[1],
  ])
  // A failure removes none, and is tried again after a while.
  fails = true
  const before = await at(3)
  expect([before.length, errors.length]).toEqual([4, 1])
  await at(3.01)
  expect(errors).toHaveLength(1)
  fails = false
  expect(await at(3.2)).toContain(backupName(START + 3.2 * HOUR))
})

it('[ADMIN-12] a server makes backups by itself, which verify finds whole; status has the last', async () => {
  const dir = join(tempDir('backups'), 'own')
  const server = await startServer({
    args: ['--backup-dir', dir, '--backup-every', '1s', '--backup-keep', '2'],
  })
  const made = () => (existsSync(dir) ? readdirSync(dir).sort() : [])
  await until('one is made', () => made().some((name) => backupTime(name) !== null))
  const first = made().find((name) => backupTime(name) !== null)!
  await until('the first one is gone', () => !readdirSync(dir).includes(first))
  const status = await syncJson<ServerStatus>('status', '--data', server.data)
  expect(status.last_backup?.dir.startsWith(dir)).toBe(true)
  await server.stop()
  const whole = await backupsIn(dir)
  // What it was about to remove as it stopped has another name.
  expect(
    readdirSync(dir)
      .filter((name) => backupTime(name) !== null)
      .sort(),
  ).toEqual(whole)
  expect(whole.length).toBeLessThanOrEqual(3)
  expect((await sync('verify', join(dir, whole[0]!))).code).toBe(0)
})
