import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ask, bearer, member } from '../../support/auth/members.ts'
import { RawClient, until } from '../../support/client.ts'
import { startNode, startTwo } from '../../support/cluster/servers.ts'
import { sync, syncJson } from '../../support/ops/commands.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { makeWorkspaces, type Server, startServer, tempDir } from '../../support/server.ts'

/** The status of an upgrade request with a ticket; 101: its WebSocket is open. */
const dial = async ({ sync }: Server, workspace: string, ticket: string): Promise<number> => {
  const client = new RawClient(`${sync}/${workspace}?ticket=${ticket}`, {})
  const status = await new Promise<number>((resolve) => {
    client.ws.on('open', () => resolve(101))
    client.ws.on('unexpected-response', (_, { statusCode = 0 }) => resolve(statusCode))
  })
  client.ws.terminate()
  return status
}

onPostgres('operating nodes', (postgres) => {
  it('[NODE-13] a ticket of the owner, of any node, opens one WebSocket at any node; one of an agent is its workspace’s', async () => {
    const store = newSchema(postgres().url)
    const [one, other] = await startTwo(store)
    await makeWorkspaces(other.url, 'docs')
    const ticketAt = async (node: Server, headers: object): Promise<string> =>
      (await ask<{ ticket: string }>(node, '/api/ticket', {}, headers as never)).data.ticket
    for (const [at, to, workspace] of [
      [one, other, 'default'],
      [one, one, 'docs'],
      [other, one, 'docs'],
    ] as const) {
      const ticket = await ticketAt(at, bearer(at.token))
      expect(await dial(to, workspace, ticket)).toBe(101)
      for (const node of [one, other]) {
        for (const name of ['default', 'docs']) expect(await dial(node, name, ticket)).toBe(401)
      }
    }
    // At the same time at the owners of two workspaces: one of them opens.
    const ticket = await ticketAt(one, bearer(one.token))
    const both = await Promise.all([dial(one, 'default', ticket), dial(other, 'docs', ticket)])
    expect(both.sort()).toEqual([101, 401])
    const ann = await member(one, 'a-ann0000000001', 'write', 'docs')
    expect(await dial(other, 'docs', await ticketAt(one, ann.headers))).toBe(101)
    await one.stop()
    await other.stop()
  })

  it('[NODE-14] status and workspaces show all of the cluster; a backup by schedule has all of it', async () => {
    const store = newSchema(postgres().url)
    const backups = tempDir('backups')
    const one = await startNode(store, tempDir('n'), ['--backup-dir', backups])
    const other = await startNode(store)
    await makeWorkspaces(one.url, 'here')
    await makeWorkspaces(other.url, 'there')
    await member(one, 'a-ann0000000001', 'write', 'there')
    const raw = await RawClient.open(`${other.sync}/there`)
    await raw.barrier()
    const { workspaces } = await syncJson<{
      workspaces: { workspace: string; agents: number; online: object[] | null }[]
    }>('status', '--data', one.data)
    const seen = workspaces.map(({ workspace, agents, online }) => [workspace, agents, online])
    expect(seen.slice(1)).toEqual([
      ['here', 0, []],
      ['there', 1, null],
    ])
    const listed = await syncJson<{ workspaces: object[] }>('workspaces', '--data', other.data)
    expect(listed.workspaces).toMatchObject([
      { workspace: 'default' },
      { workspace: 'here' },
      { workspace: 'there', agents: 1 },
    ])
    const lines = await sync('status', '--data', one.data)
    expect(lines.stdout).toMatch(/^there +- +1 joined/m)
    await until('it is backed up', async () => {
      const { stdout } = await sync('status', '--data', one.data, '--json')
      return JSON.parse(stdout).data.last_backup !== null
    })
    const status = await syncJson<{ last_backup: { dir: string } }>('status', '--data', one.data)
    const { dir } = status.last_backup
    expect(existsSync(join(dir, 'manifest.json'))).toBe(true)
    await raw.close()
    await one.stop()
    await other.stop()
  })

  it('[NODE-3] a node does not start beside a single server, nor a single server beside a node', async () => {
    const store = newSchema(postgres().url)
    const single = await startServer({ args: ['--store', store, '--no-mdns'] })
    const refused = 'is in use by a server'
    await expect(startNode(store)).rejects.toThrow(refused)
    // Its own folder is no exception.
    await expect(startNode(store, single.data)).rejects.toThrow(/in use|locked/)
    const raw = await RawClient.open(`${single.sync}/default`)
    await raw.barrier()
    await raw.close()
    expect(await single.stop()).toBe(0)
    const node = await startNode(store, single.data)
    await expect(startServer({ args: ['--store', store, '--no-mdns'] })).rejects.toThrow(
      'is in use by a node of a cluster',
    )
    await node.stop()
  })
})
