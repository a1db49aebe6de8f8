import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { clockOffset } from '../../../client/http/clock.ts'
import { agent, registered } from '../../support/agent.ts'
import { type Server, startServer, tempDir } from '../../support/server.ts'

/** What makes a program's clock wrong by so much; null with a printed reason. */
const wrongClock = (by: string): Record<string, string> | null => {
  const ran = spawnSync('faketime', ['-f', by, 'env'], { encoding: 'utf8' })
  const preload = /^LD_PRELOAD=(.*)$/m.exec(ran.stdout ?? '')?.[1]
  if (preload !== undefined) return { LD_PRELOAD: preload, FAKETIME: by }
  console.log(`skipped: clocks cannot be set wrong here: ${ran.error?.message ?? ran.stderr}`)
  return null
}

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

it('[CLI-11] a clock that differs by no more than the way takes is right', () => {
  const now = Date.UTC(2026, 0, 1, 12)
  const offset = (ms: number) => clockOffset(new Date(now + ms).toUTCString(), now)
  expect([
    offset(-4_000),
    offset(4_000),
    clockOffset(undefined, now),
    clockOffset('x', now),
  ]).toEqual([0, 0, 0, 0])
  expect([offset(3_600_000), offset(-3_600_000)]).toEqual([3_600_000, -3_600_000])
})

it('[CLI-11] spans, the log and times go by the server’s clock; status says that the local one is off', async (context) => {
  const bob = await registered(server.url, 'bob')
  for (const [by, way] of [
    ['-3h', 'behind'],
    ['+50h', 'ahead of'],
  ] as const) {
    const env = wrongClock(by)
    if (env === null) return context.skip()
    const slow = agent(server.url, tempDir('home'))
    const ask = async <T>(...args: string[]): Promise<T> => {
      const ran = await slow.runWith({ env }, ...args, '--json')
      expect([args[0], ran.code, ran.code === 0 ? '' : ran.stdout]).toEqual([args[0], 0, ''])
      return ran.json().data as T
    }
    await ask('register', '--name', `clock${by.slice(1)}`)
    const near = (iso: string, ms = 0) =>
      expect(Math.abs(Date.parse(iso) - Date.now() - ms), iso).toBeLessThan(120_000)
    const { task } = await ask<{ task: { task_id: string; deadline: string; created_at: string } }>(
      ...['delegate', '--to', 'bob', '--task', 'an hour of work', '--deadline', '2h'],
    )
    near(task.created_at)
    near(task.deadline, 2 * 3_600_000)
    const found = await bob.ask<{ task: { status: string } }>('task', task.task_id)
    expect(found.task.status).toBe('submitted')

    const mark = await bob.ask<{ message: { message_id: string } }>(
      'broadcast',
      '--content',
      'mark',
    )
    await ask('broadcast', '--content', `from ${by}`)
    type Log = { broadcasts: { content: string; timestamp: string }[] }
    const { broadcasts } = await bob.ask<Log>('log', '--since', mark.message.message_id)
    expect(broadcasts.map(({ content }) => content)).toEqual([`from ${by}`])
    near(broadcasts[0]!.timestamp)
    await bob.ask('broadcast', '--content', 'last')
    expect((await bob.ask<Log>('log')).broadcasts.at(-1)?.content).toBe('last')
    await slow.runWith({ env, stdin: 'x\n' }, 'file-put', '--key', `${by}.md`, '--file', '-')
    const { files } = await bob.ask<{ files: { file_key: string; updated_at: string }[] }>(
      'file-list',
    )
    near(files.find(({ file_key }) => file_key === `${by}.md`)!.updated_at)

    const status = await slow.runWith({ env }, 'status')
    expect(status.stdout).toContain(`min ${way} the server's`)
  }
  expect((await bob.run('status')).stdout).not.toContain("the server's")
})
