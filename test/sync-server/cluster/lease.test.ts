import { expect, it, vi } from 'vitest'
import { RawClient, until } from '../../support/client.ts'
import { serveAs } from '../../support/in-process.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { fetch, ownPort, tempDir } from '../../support/server.ts'
import { cuttingProxy } from '../../support/sync-server/cutting-proxy.ts'

onPostgres('the lease of a node', (postgres) => {
  it('[NODE-6] once it has ended nothing is answered from memory: 4503, 503, no awareness; later all is served', async () => {
    const proxy = await cuttingProxy(postgres().port)
    const { url } = postgres()
    const store = newSchema(url.replace(`:${postgres().port}`, `:${proxy.port}`))
    const port = await ownPort()
    const node = [
      '--store',
      store,
      '--node-url',
      `http://127.0.0.1:${port}`,
      '--port',
      String(port),
    ]
    const server = await serveAs(null, tempDir('node'), ...node)
    const open = () => RawClient.open(`${server.sync}/default`)
    const [reader, asking, watcher] = [await open(), await open(), await open()]
    for (const client of [reader, asking, watcher]) {
      client.subscribe()
      await client.barrier()
    }
    const counts = () => [reader, asking, watcher].map(({ messages }) => messages.length)
    const before = counts()
    // No beat is answered from here on, and the clock is over four seconds later.
    proxy.holdAnswers()
    const now = performance.now.bind(performance)
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + 4_500)
    reader.subscribe()
    void asking.barrier()
    const file = fetch(`${server.url}/api/workspaces/default/files`)
    expect([await reader.closed, await asking.closed, await watcher.closed]).toEqual([
      ...[4503, 4503, 4503],
    ])
    expect(counts()).toEqual(before)
    expect((await file).status).toBe(503)
    clock.mockRestore()
    proxy.cut()
    await until('it is back', async () => (await fetch(`${server.url}/health`)).status === 200)
    const again = await open()
    again.subscribe()
    await again.barrier()
    expect(again.messages.length).toBeGreaterThan(1)
    await again.close()
    await server.close()
    proxy.close()
  })
})
