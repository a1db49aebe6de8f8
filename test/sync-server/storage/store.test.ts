import { describe, expect, it } from 'vitest'
import { parseStoreAddress } from '../../../sync-server/config/store-address.ts'
import { openLevel } from '../../../sync-server/storage/integrity/open.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { openPostgres } from '../../../sync-server/storage/postgres/open.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { tempDir } from '../../support/server.ts'
import { storeContract } from '../../support/sync-server/store-contract.ts'
import { updateLogContract } from '../../support/sync-server/update-log-contract.ts'

const NO_MARK = { read: () => null, note: () => {}, close: () => {} }

describe('the store on LevelDB', () => storeContract(openLevel, () => tempDir('store')))

it('a batch to a LevelDB database that is closed, or closing, rejects', async () => {
  const store = await openLevel(tempDir('store'))
  const ops = [{ type: 'put' as const, key: 'k:1', value: new Uint8Array(1) }]
  const closing = store.close()
  await expect(store.db.batch(ops, { sync: true })).rejects.toMatchObject({
    code: 'LEVEL_DATABASE_NOT_OPEN',
  })
  await closing
  await expect(store.db.batch(ops, { sync: true })).rejects.toMatchObject({
    code: 'LEVEL_DATABASE_NOT_OPEN',
  })
})

onPostgres('the store on PostgreSQL', (postgres) => {
  const open = (url: string) => openPostgres(parseStoreAddress(url), 'take', () => NO_MARK)
  storeContract(open, () => newSchema(postgres().url))
  updateLogContract(
    'LevelUpdateLog on PostgreSQL',
    () => newSchema(postgres().url),
    async (place) => LevelUpdateLog.on(await open(place), () => 1_700_000_000_000),
  )
})
