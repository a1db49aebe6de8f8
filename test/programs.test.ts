import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { registered } from './support/agent.ts'
import { liveDoc, orLong, runSeed, seeded, stockClient, until } from './support/client.ts'
import { type Server, startServer, tempDir } from './support/server.ts'

it('[SYNC-1] a stock y-websocket client sees what clawlink-agent writes, and the other way round', async () => {
  const server = await startServer()
  const stock = stockClient(server.sync)
  await stock.synced
  const scout = await registered(server.url, 'scout')
  writeFileSync(join(scout.cwd, 'f.txt'), 'one\ntwo\n')
  await scout.ask('file-put', '--key', 'notes/f.txt', '--file', 'f.txt')
  await scout.ask('broadcast', '--content', 'hello', '--topic', 't')
  const text = stock.doc.getText('file:notes/f.txt')
  await until('the stock client has the file', () => text.toString() === 'one\ntwo\n')
  const log = stock.doc.getArray<{ content: string }>('broadcasts')
  await until('… and the broadcast', () => log.length === 1)
  expect(log.get(0)).toMatchObject({ content: 'hello', topic: 't', from: scout.id })

  text.insert(0, 'zero\n')
  await until('the agent has the edit', async () => {
    const { file } = await scout.ask<{ file: { content: string } }>(
      'file-get',
      '--key',
      'notes/f.txt',
    )
    return file.content === 'zero\none\ntwo\n'
  })
  stock.close()
  await server.stop()
})

const KILLS = orLong(3, 10)

it(`[DUR-4] a clawlink-agent that exited 0 is believed: kill -9 of the server at ${KILLS} random moments`, async () => {
  const random = seeded(runSeed('crash of commands'))
  const data = tempDir('commands')
  let server: Server = await startServer({ data, args: ['--log-level', 'fatal'] })
  const { port } = server
  const writers = await Promise.all(['a', 'b'].map((name) => registered(server.url, name)))
  const promised: string[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    let dead = false
    const write = async (who: (typeof writers)[number], n: number): Promise<void> => {
      if (dead) return
      const content = `${who.id} ${kill} ${n}`
      const ran = await who.run('broadcast', '--content', content, '--json')
      if (ran.code === 0 && ran.json().data?.durable !== false) promised.push(content)
      return write(who, n + 1)
    }
    const writing = writers.map((who) => write(who, 0))
    const before = promised.length
    await until('a command exited 0', () => promised.length > before, 60_000)
    await new Promise((moment) => setTimeout(moment, random() * 1_000))
    dead = true
    await server.kill()
    server = await startServer({ data, port, args: ['--log-level', 'fatal'] })
    await Promise.all(writing)
    const { client, doc } = await liveDoc(`${server.sync}/default`)
    const log = doc.getArray<{ content: string }>('broadcasts').toArray()
    const stored = new Set(log.map(({ content }) => content))
    expect(promised.filter((content) => !stored.has(content))).toEqual([])
    expect(stored.size).toBe(log.length)
    await client.close()
  }
  expect(promised.length).toBeGreaterThanOrEqual(KILLS)
  await server.stop()
})
