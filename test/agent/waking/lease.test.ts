import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { HostSession } from '../../../agent/waking/host-session.ts'
import {
  becomeWatcher,
  leaseOf,
  mayWork,
  releaseLease,
  takeLease,
} from '../../../agent/waking/lease.ts'
import { isLiving, living } from '../../../lib/disk/process-life.ts'
import { tempDir } from '../../support/server.ts'

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

const sleeper = (): ChildProcess => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
  children.push(child)
  return child
}
const end = async (child: ChildProcess): Promise<void> => {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}
const sessionOf = (child: ChildProcess, id: string | null): HostSession => ({
  host: 'claude-code',
  id,
  ...living(child.pid!),
})

it('[HOST-11] one session holds a profile until its process ends; a later process of the same id is another', async () => {
  const dir = tempDir('home')
  const [a, b] = [sleeper(), sleeper()]
  const [first, second] = [sessionOf(a, 's1'), sessionOf(b, 's2')]
  expect(takeLease(dir, first)).toBeNull()
  expect(takeLease(dir, second)).toMatchObject({ pid: a.pid, id: 's1' })
  expect(takeLease(dir, first)).toBeNull()
  const reused = { ...first, life: `${first.life}0` }
  writeFileSync(join(dir, 'session.json'), JSON.stringify({ ...reused, before: [] }))
  expect(leaseOf(dir)).toBeNull()
  expect(takeLease(dir, first)).toBeNull()
  await end(a)
  expect(isLiving(first)).toBe(false)
  expect(takeLease(dir, second)).toBeNull()
  expect(leaseOf(dir)).toMatchObject({ pid: b.pid, id: 's2' })
})

it('[HOST-11] a session keeps its lease under the names that its host gives it, until the last one ends', () => {
  const dir = tempDir('home')
  const a = sleeper()
  takeLease(dir, sessionOf(a, 's1'))
  takeLease(dir, sessionOf(a, null))
  takeLease(dir, sessionOf(a, 's2'))
  const lease = leaseOf(dir)
  expect(lease).toMatchObject({ id: 's2', before: ['s1'] })
  expect([mayWork(lease, 's1'), mayWork(lease, 's2'), mayWork(lease, undefined)]).toEqual([
    true,
    true,
    true,
  ])
  expect(mayWork(lease, 'other')).toBe(false)
  releaseLease(dir, sessionOf(a, 's1'))
  expect(leaseOf(dir)).not.toBeNull()
  releaseLease(dir, sessionOf(a, 's2'))
  expect(leaseOf(dir)).toBeNull()
})

it.each([
  '',
  '{',
  '[]',
  'null',
  '{"pid":"1"}',
  '{"pid":-1,"life":null,"host":"x"}',
  '\0'.repeat(99),
])('[HOST-11] a damaged lease is none: %j', (text) => {
  const dir = tempDir('home')
  writeFileSync(join(dir, 'session.json'), text)
  writeFileSync(join(dir, 'watcher.json'), text)
  const a = sleeper()
  expect(takeLease(dir, sessionOf(a, 's1'))).toBeNull()
  expect(leaseOf(dir)).toMatchObject({ pid: a.pid })
  expect(becomeWatcher(dir, living(process.pid), sessionOf(a, 's1'))).toBe(true)
})
