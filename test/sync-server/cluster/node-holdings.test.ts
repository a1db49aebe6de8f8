import { createServer, type Server } from 'node:net'
import { Client } from 'pg'
import { expect, it } from 'vitest'
import { preferredOf } from '../../../sync-server/cluster/preferred.ts'
import { SUSPECTED_MS } from '../../../sync-server/cluster/suspicion.ts'
import { parseStoreAddress } from '../../../sync-server/config/store-address.ts'
import { Conflict, Fenced, Unavailable } from '../../../sync-server/storage/integrity/db.ts'
import { until } from '../../support/client.ts'
import { type StoreNode, storeNode } from '../../support/cluster/node-store.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )
const listening = async (): Promise<{ server: Server; url: string }> => {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as { port: number }).port}` }
}

onPostgres('the workspaces of nodes', (postgres) => {
  const newAddress = () => parseStoreAddress(newSchema(postgres().url))

  it('[NODE-2] the first node that is asked owns a workspace; the others know its address', async () => {
    const address = newAddress()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa'),
      await storeNode(address, 'bbbbbbbb'),
    ]
    const found = await Promise.all(Array.from({ length: 5 }, () => one.holdings.find('default')))
    expect(found).toEqual(['here', 'here', 'here', 'here', 'here'])
    expect(one.events).toEqual(['load default'])
    expect(await other.holdings.find('default')).toEqual({ id: 'aaaaaaaa', url: one.node.url })
    expect([one.holdings.owns('default'), other.holdings.owns('default')]).toEqual([true, false])
    // Naming what does not exist claims nothing.
    expect(await one.holdings.find('none')).toBe('here')
    expect([one.holdings.owns('none'), await one.holdings.names()]).toEqual([false, ['default']])
    expect(await one.holdings.create('new', 2)).toBe('made')
    expect(await other.holdings.create('new', 2)).toBe('exists')
    expect(await other.holdings.create('more', 2)).toBe('full')
    expect(await other.holdings.find('new')).toMatchObject({ id: 'aaaaaaaa' })
    const states = await other.holdings.nodes()
    expect(states.map(({ id, state, workspaces }) => [id, state, workspaces])).toEqual([
      ['aaaaaaaa', 'up', 2],
      ['bbbbbbbb', 'up', 0],
    ])
    await one.close()
    await other.close()
  })

  it('[NODE-2] nodes that are asked for the same workspaces at once agree on their owners', async () => {
    const address = newAddress()
    const nodes = await Promise.all(['aaaaaaaa', 'bbbbbbbb'].map((id) => storeNode(address, id)))
    const names = Array.from({ length: 50 }, (_, i) => `w${i}`)
    await nodes[0]!.node.rows.addNames(names)
    for (const name of names) {
      const found = await Promise.all(nodes.map(({ holdings }) => holdings.find(name)))
      const owners = nodes.filter(({ holdings }) => holdings.owns(name))
      expect(owners.length).toBe(1)
      const elsewhere = found.filter((it) => it !== 'here')
      expect(elsewhere).toEqual([{ id: owners[0]?.node.id, url: owners[0]?.node.url }])
    }
    for (const node of nodes) await node.close()
  })

  it('[NODE-2] nodes that begin a database at the same moment all start', async () => {
    for (let round = 0; round < 12; round++) {
      const address = newAddress()
      const ids = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc']
      const nodes = await Promise.all(ids.map((id) => storeNode(address, id)))
      for (const node of nodes) await node.close()
    }
  })

  it('[NODE-5] a node whose port is closed and whose beat is stale is fenced, and its late write is rejected', async () => {
    const address = newAddress()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa'),
      await storeNode(address, 'bbbbbbbb'),
    ]
    await one.holdings.find('default')
    await one.node.db.put('k:default/1', bytes(1))
    one.stop()
    const found = () => other.holdings.find('default')
    expect(await found()).toMatchObject({ id: 'aaaaaaaa' })
    await until('it is taken', async () => (await found()) === 'here')
    // It did not wait until the node was silent.
    const [state] = await other.holdings.nodes()
    expect(state!.silentMs ?? 0).toBeLessThan(SUSPECTED_MS)
    expect(await thrown(one.node.db.put('k:default/1', bytes(2)))).toBeInstanceOf(Fenced)
    expect([...(await other.node.db.get('k:default/1'))!]).toEqual([1])
    expect(await other.node.rows.ownerOf('default')).toMatchObject({
      node: 'bbbbbbbb',
      valid: true,
    })
    await one.close()
    await other.close()
  })

  it('[NODE-5] a node that was killed is fenced at once: its port is closed, and its connections are gone', async () => {
    const address = newAddress()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa'),
      await storeNode(address, 'bbbbbbbb'),
    ]
    await one.holdings.find('default')
    // Its address is wrong, but it lives.
    expect(await other.holdings.find('default')).toMatchObject({ id: 'aaaaaaaa' })
    // By this clock it never becomes silent, so nobody can have waited for that.
    other.stand()
    await one.kill()
    await until('it is taken', async () => (await other.holdings.find('default')) === 'here')
    await other.close()
  })

  it('[NODE-4] [NODE-5] a node that is silent is fenced after 5 s, and its lease has ended by then', async () => {
    const address = newAddress()
    const { server, url } = await listening()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa', url),
      await storeNode(address, 'bbbbbbbb', url),
    ]
    await one.holdings.find('default')
    await until('the other one saw it', async () => {
      const [state] = await other.holdings.nodes()
      return state?.silentMs !== null
    })
    one.stop()
    // It is fenced without being asked for.
    await until('it is fenced', async () => {
      const owner = await other.node.rows.ownerOf('default')
      return owner?.valid === false
    })
    const [state] = await other.holdings.nodes()
    expect(state).toMatchObject({ id: 'aaaaaaaa', state: 'silent' })
    expect(await other.holdings.find('default')).toBe('here')
    expect([one.holdings.owns('default'), one.holdings.mayRead('default')]).toEqual([false, false])
    expect(await thrown(one.node.db.put('k:default/1', bytes(2)))).toBeInstanceOf(Fenced)
    await one.close()
    await other.close()
    server.close()
  })

  it('[NODE-5] a node that hangs within a write, its row locked, keeps nobody from fencing it', async () => {
    const address = newAddress()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa'),
      await storeNode(address, 'bbbbbbbb'),
    ]
    await one.holdings.find('default')
    one.stop()
    const name = 'clawlink-sync node aaaaaaaa'
    const hanging = new Client({ connectionString: address.url, application_name: name })
    const ended = new Promise<Error>((resolve) => hanging.on('error', resolve))
    await hanging.connect()
    await hanging.query('begin')
    await hanging.query(`select 1 from ${address.schema}.nodes where id = 'aaaaaaaa' for share`)
    const { epoch } = (await other.node.rows.ownerOf('default'))!
    await other.node.fence('aaaaaaaa', epoch)
    expect(await ended).toMatchObject({ message: expect.stringMatching(/terminat/) })
    expect(await other.holdings.find('default')).toBe('here')
    await one.close()
    await other.close()
  })

  it('[NODE-4] a node that slept fences nobody: it waits until it has looked for long enough', async () => {
    const address = newAddress()
    const { server, url } = await listening()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa', url),
      await storeNode(address, 'bbbbbbbb', url),
    ]
    await one.holdings.find('default')
    await until('the other one has looked', async () => {
      const [state] = await other.holdings.nodes()
      return (state?.silentMs ?? null) !== null
    })
    other.sleep(62_000)
    const { epoch } = one.node
    await until('its lease is renewed', () => other.holdings.hasLease)
    for (let i = 0; i < 5; i++) {
      expect(await other.holdings.find('default')).toMatchObject({ id: 'aaaaaaaa' })
    }
    expect([one.node.epoch, one.holdings.owns('default')]).toEqual([epoch, true])
    await one.close()
    await other.close()
    server.close()
  })

  it('[NODE-6] once its lease has ended a node reads and claims nothing, until a beat is answered', async () => {
    const address = newAddress()
    const one = await storeNode(address, 'aaaaaaaa')
    await one.holdings.find('default')
    expect([one.holdings.owns('default'), one.holdings.mayRead('default')]).toEqual([true, true])
    one.sleep(4_001)
    expect([one.holdings.owns('default'), one.holdings.mayRead('default')]).toEqual([false, false])
    expect(await thrown(one.holdings.find('default'))).toBeInstanceOf(Unavailable)
    expect(await thrown(one.holdings.create('new', 9))).toBeInstanceOf(Unavailable)
    // Nobody fenced it: what it owns it owns still.
    await until('a beat is answered', () => one.holdings.owns('default'))
    expect(one.events).toEqual(['load default'])
    await one.close()
  })

  it('[NODE-1] a fenced node drops what it owned, registers, and claims what is free', async () => {
    const address = newAddress()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa'),
      await storeNode(address, 'bbbbbbbb'),
    ]
    await other.node.rows.addNames(['a', 'b'])
    for (const name of ['a', 'b']) await one.holdings.find(name)
    const losses: unknown[] = []
    one.holdings.onLost = (names) => losses.push(names)
    await other.node.fence(one.node.id, one.node.epoch)
    expect(await other.holdings.find('a')).toBe('here')
    expect(await one.lost).toBeInstanceOf(Fenced)
    one.holdings.lost()
    expect([losses, one.events]).toEqual([['all'], ['load a', 'load b', 'unload a', 'unload b']])
    expect(await thrown(one.holdings.find('b'))).toBeInstanceOf(Unavailable)
    await one.node.reopen()
    expect(await one.holdings.find('b')).toBe('here')
    expect(await one.holdings.find('a')).toMatchObject({ id: 'bbbbbbbb' })
    await one.node.db.put('k:b/1', bytes(1))
    expect(await thrown(one.node.db.put('k:a/1', bytes(1)))).toBeInstanceOf(Conflict)
    await one.close()
    await other.close()
  })

  it('[NODE-7] a workspace that is given up is stored first, and then another node may claim it', async () => {
    const address = newAddress()
    const [one, other] = [
      await storeNode(address, 'aaaaaaaa'),
      await storeNode(address, 'bbbbbbbb'),
    ]
    await one.holdings.find('default')
    const losses: unknown[] = []
    one.holdings.onLost = (names) => losses.push(names)
    const writing = one.node.db.put('k:default/1', bytes(1))
    await Promise.all([one.holdings.release('default'), one.holdings.release('default'), writing])
    expect([losses, one.events]).toEqual([
      [['default']],
      ['load default', 'settle default', 'unload default'],
    ])
    expect(await thrown(one.node.db.put('k:default/1', bytes(2)))).toBeInstanceOf(Conflict)
    expect(await other.holdings.find('default')).toBe('here')
    expect([...(await other.node.db.get('k:default/1'))!]).toEqual([1])
    expect(await one.holdings.find('default')).toMatchObject({ id: 'bbbbbbbb' })
    await one.close()
    await other.close()
  })

  it('[NODE-11] what nobody owns goes to the node that should have it, and so does what is given up', async () => {
    const address = newAddress()
    const ids = ['aaaaaaaa', 'bbbbbbbb']
    const nodes = await Promise.all(ids.map((id) => storeNode(address, id, undefined, true)))
    const [one, other] = nodes as [StoreNode, StoreNode]
    const names = Array.from({ length: 20 }, (_, n) => `w${n}`)
    await one.node.rows.addNames(names)
    const mine = names.filter((name) => preferredOf(name, ids) === 'aaaaaaaa')
    const rest = names.filter((name) => !mine.includes(name))
    expect([mine.length, rest.length]).not.toContain(0)
    await until('they see each other', () => {
      const better = [one.holdings.better(names), other.holdings.better(names)]
      return better.every(({ length }) => length > 0)
    })
    for (const name of rest) expect(await one.holdings.find(name)).toMatchObject({ id: ids[1] })
    for (const name of mine) expect(await one.holdings.find(name)).toBe('here')
    // Asked by another node it does not pass on what is free.
    expect(await one.holdings.find(rest[0]!, false)).toBe('here')
    expect(one.holdings.better([...mine, rest[0]!])).toEqual([rest[0]])
    expect(await other.holdings.find(rest[0]!)).toMatchObject({ id: ids[0] })
    await one.holdings.release(rest[0]!)
    expect(await one.holdings.find(rest[0]!)).toMatchObject({ id: ids[1] })
    expect(await other.holdings.find(rest[0]!)).toBe('here')
    await one.close()
    await other.close()
  })

  it('[NODE-12] a node that is drained gives up all and claims nothing, unless it is the only one', async () => {
    const address = newAddress()
    const ids = ['aaaaaaaa', 'bbbbbbbb']
    const nodes = await Promise.all(ids.map((id) => storeNode(address, id, undefined, true)))
    const [one, other] = nodes as [StoreNode, StoreNode]
    const names = Array.from({ length: 12 }, (_, n) => `w${n}`)
    await one.node.rows.addNames(names)
    for (const name of names) expect(await one.holdings.find(name, false)).toBe('here')
    await until('it sees the other one', async () => one.holdings.better(names).length > 0)
    expect(await one.holdings.drain(names)).toBe(0)
    expect(one.events.filter((event) => event.startsWith('settle')).length).toBe(names.length)
    for (const name of names) {
      expect(await one.holdings.find(name, false)).toMatchObject({ id: ids[1] })
      expect(await other.holdings.find(name, false)).toBe('here')
    }
    await other.close()
    await until('it serves again', async () => (await one.holdings.find('w0')) === 'here')
    expect(await one.holdings.drain(['w0'])).toBe(1)
    await one.close()
  })
})
