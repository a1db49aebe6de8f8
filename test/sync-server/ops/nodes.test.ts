import { expect, it } from 'vitest'
import { parseStoreAddress } from '../../../sync-server/config/store-address.ts'
import { NodeStore } from '../../../sync-server/storage/postgres/node-store.ts'
import { sync } from '../../support/ops/commands.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { tempDir } from '../../support/server.ts'

onPostgres('clawlink-sync nodes', (postgres) => {
  it('[NODE-20] nodes lists who shares the database, who is silent, and who has stopped', async () => {
    const url = newSchema(postgres().url)
    const nodes = (...more: string[]) =>
      sync('nodes', '--store', url, '--data', tempDir('x'), ...more)
    expect(await nodes()).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('has no nodes'),
    })
    const open = async (id: string): Promise<NodeStore> => {
      const registration = { id, url: `http://10.0.0.1/${id}`, version: '1.2.3', owner: '' }
      const node = new NodeStore(parseStoreAddress(url), registration, () => performance.now())
      await node.open()
      return node
    }
    const [up, silent, stopped] = [
      await open('aaaaaaaa'),
      await open('bbbbbbbb'),
      await open('cccccccc'),
    ]
    up.watch(() => {})
    await up.claim('default', { node: '', epoch: '0' })
    await stopped.close()
    const table = await nodes()
    expect([table.code, table.stdout.trimEnd().split('\n')]).toEqual([
      1,
      [
        expect.stringMatching(/^NODE +STATE +WORKSPACES +VERSION +URL +PROCESS$/),
        expect.stringMatching(
          /^aaaaaaaa +up +1 +1\.2\.3 +http:\/\/10\.0\.0\.1\/aaaaaaaa +\S+, process \d+$/,
        ),
        expect.stringMatching(/^bbbbbbbb +silent +0 /),
        expect.stringMatching(/^cccccccc +stopped +0 /),
      ],
    ])
    silent.watch(() => {})
    const { code, stdout } = await nodes('--json')
    const { data } = JSON.parse(stdout)
    expect(code).toBe(0)
    expect(data.nodes.map((one: { node: string; state: string }) => [one.node, one.state])).toEqual(
      [
        ...[
          ['aaaaaaaa', 'up'],
          ['bbbbbbbb', 'up'],
          ['cccccccc', 'stopped'],
        ],
      ],
    )
    expect(await sync('nodes', '--data', tempDir('none'))).toMatchObject({ code: 3 })
    await up.close()
    await silent.close()
  })
})
