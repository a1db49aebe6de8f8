import { describe } from 'vitest'
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

onPostgres('the store on PostgreSQL', (postgres) => {
  const open = (url: string) => openPostgres(parseStoreAddress(url), 'take', () => NO_MARK)
  storeContract(open, () => newSchema(postgres().url))
  updateLogContract(
    'LevelUpdateLog on PostgreSQL',
    () => newSchema(postgres().url),
    async (place) => LevelUpdateLog.on(await open(place), () => 1_700_000_000_000),
  )
})
