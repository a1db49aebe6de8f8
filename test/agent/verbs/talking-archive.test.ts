import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, watch } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { broadcastsOf } from '../../../workspace/document/schema.ts'
import { registered } from '../../support/agent.ts'
import { liveDoc, orLong, runSeed, seeded, until } from '../../support/client.ts'
import { type Server, startServer } from '../../support/server.ts'
import { broadcastId } from '../../support/workspace/replicas.ts'

const COUNT = 4_500

let server: Server
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.stop())

/** Kills a process at its write number `count` below `dir`, if it comes to that; resolves to whether it did. */
const killAtWrite = async (child: ChildProcess, dir: string, count: number): Promise<boolean> => {
  let writes = 0
  const watcher = watch(dir, () => {
    if (++writes === count) child.kill('SIGKILL')
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  watcher.close()
  return signal !== null
}

it('[INBOX-8] who was away while the server trimmed gets everything once, wherever it is killed', async () => {
  const random = seeded(runSeed('killed over the archive'))
  const away = await registered(server.url, 'Away', 'alone')
  const { client, doc } = await liveDoc(`${server.sync}/default`)
  const from = 'a-other' as never
  for (let said = 0; said < COUNT; said += 500) {
    const entries = Array.from({ length: 500 }, (_, i) => {
      const id = broadcastId(String(said + i).padStart(5, '0'))
      return { id, from, topic: 'general', tags: [], content: 'x', at: said + i }
    })
    broadcastsOf(doc).push(entries)
    await client.barrier()
  }
  await until('it is trimmed', () => broadcastsOf(doc).length < COUNT)
  await client.close()

  // prime receives and acknowledges nothing.
  let killed = 0
  let most = 50
  const replicas = join(away.home, 'replicas')
  const [replica] = readdirSync(replicas).filter((name) => !/\.(setup|witness)$/.test(name))
  for (let i = 0; i < orLong(6, 20); i++) {
    const count = 1 + Math.floor(random() * most)
    if (await killAtWrite(away.start('prime'), join(replicas, replica!), count)) killed++
    // On a slow machine a prime writes more at once, so it ends with fewer writes.
    else most = Math.ceil(most / 2)
  }
  expect(killed).toBeGreaterThan(0)
  const messages: { message_id: string }[] = []
  for (let remaining = 1; remaining > 0; ) {
    const page = await away.ask<{ messages: typeof messages; remaining: number }>(
      ...['poll', '--limit', String(COUNT)],
    )
    expect(page.messages.length).toBeGreaterThan(0)
    messages.push(...page.messages)
    remaining = page.remaining
  }
  const all = Array.from({ length: COUNT }, (_, i) => `m-${String(i).padStart(5, '0')}`)
  expect(
    messages.map(({ message_id }) => message_id),
    `${killed} killed`,
  ).toEqual(all)
  expect(await away.ask('poll')).toMatchObject({ count: 0 })
})
