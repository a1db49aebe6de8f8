import { expect, it } from 'vitest'
import { findPostgres, startStandby } from '../../../scripts/postgres/postgres.ts'
import { until } from '../../support/client.ts'
import { sync } from '../../support/ops/commands.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { startServer } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

onPostgres('doctor and the standbys of PostgreSQL', (postgres) => {
  it('[OPS-25] doctor warns of an asynchronous standby, and fails for a synchronous one that is missing', async () => {
    const server = await startServer({ args: ['--store', newSchema(postgres().url)] })
    const said = async (): Promise<string> => {
      const { stdout } = await sync('doctor', '--data', server.data)
      return /^.*database: PostgreSQL.*$/m.exec(stdout)?.[0] ?? stdout
    }
    const set = async (names: string) => {
      await runSql(postgres().url, `alter system set synchronous_standby_names = '${names}'`)
      await runSql(postgres().url, 'select pg_reload_conf()')
    }
    expect(await said()).toMatch(/^ok .*no standby$/)
    const standby = await startStandby(findPostgres().bin!, postgres(), 'standby1')
    await until('it is seen', async () => (await said()).includes('1 asynchronous standby'))
    expect(await said()).toMatch(/^warn .*set synchronous_standby_names: a failover loses/)
    await set('standby1')
    await until('it counts', async () => (await said()).startsWith('ok'))
    expect(await said()).toMatch(/1 synchronous standby$/)
    await standby.stop()
    await until('it is missed', async () => (await said()).startsWith('fail'))
    expect(await said()).toMatch(/no synchronous standby is there — start it/)
    await set('')
    await server.stop()
  })
})
