import { expect, it } from 'vitest'
import { logLine } from '../../../sync-server/logging/lines.ts'
import { until } from '../../support/client.ts'
import { syncJson } from '../../support/ops/commands.ts'
import { startServer } from '../../support/server.ts'

it('[ADMIN-8] a record of the log is one line for people, and moves no cursor', () => {
  const at = new Date(2030, 0, 31, 12, 34, 56).getTime()
  const record = {
    ...{ level: 30, time: at, pid: 1, hostname: 'h', name: 'clawlink-sync', msg: 'joined' },
    ...{
      by: 'a-1',
      note: 'two words',
      list: ['a', 'b'],
      err: { message: 'no\u001b[2Jway', stack: 'x' },
    },
  }
  expect(logLine(`${JSON.stringify(record)}\n`)).toBe(
    '12:34:56 info  joined  by=a-1  note="two words"  list=a,b  err="no [2Jway"\n',
  )
  expect(logLine('no record\n')).toBe('no record\n')
  const hostile = logLine(JSON.stringify({ ...record, msg: 'a\u202e\nb' }))
  expect(hostile).toMatch(/^12:34:56 info {2}a {2}b /)
  expect(hostile.split('\n')).toHaveLength(2)
})

it('[ADMIN-8] the log is JSON where no terminal is, text where that is asked for; its level changes at run time', async () => {
  const json = await startServer({ args: ['--log-level', 'info'] })
  await until('it listens', () => json.log().includes('listening'))
  expect(JSON.parse(json.log().split('\n')[0]!)).toMatchObject({ msg: 'listening' })
  const level = (...args: string[]) =>
    syncJson<{ level: string }>('log-level', ...args, '--data', json.data)
  expect(await level()).toEqual({ level: 'info' })
  expect(await level('debug')).toEqual({ level: 'debug' })
  expect(await level()).toEqual({ level: 'debug' })
  await json.stop()
  const text = await startServer({ args: ['--log-level', 'info', '--log-format', 'text'] })
  await until('it listens', () => /^\d\d:\d\d:\d\d info {2}listening {2}host=/m.test(text.log()))
  await text.stop()
})
