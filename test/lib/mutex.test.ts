import { expect, test } from 'vitest'
import { Mutex } from '../../lib/mutex.ts'

test('work runs one piece at a time, in order, and a rejection does not stop the rest', async () => {
  const mutex = new Mutex()
  const seen: string[] = []
  const piece = (name: string, fails = false) =>
    mutex.run(async () => {
      seen.push(`${name} begins`)
      await new Promise(setImmediate)
      seen.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const first = piece('a')
  const second = piece('b', true)
  const third = piece('c')
  await expect(first).resolves.toBe('a')
  await expect(second).rejects.toThrow('b')
  await expect(third).resolves.toBe('c')
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

test('a lock is held until it is released, and settled() waits for it', async () => {
  const mutex = new Mutex()
  const release = await mutex.acquire()
  let hasRun = false
  const waiting = mutex.run(() => {
    hasRun = true
  })
  await new Promise(setImmediate)
  expect(hasRun).toBe(false)
  release()
  await mutex.settled()
  await waiting
  expect(hasRun).toBe(true)
})
