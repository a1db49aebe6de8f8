import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { tempDir } from '../../support/server.ts'
import { Memory, MemoryUpdateLog } from '../../support/sync-server/memory-update-log.ts'
import { updateLogContract } from '../../support/sync-server/update-log-contract.ts'

updateLogContract(
  'LevelUpdateLog',
  () => tempDir('log'),
  (place) => LevelUpdateLog.open(place, () => 1_700_000_000_000),
)

updateLogContract(
  'MemoryUpdateLog',
  () => new Memory(),
  async (memory) => new MemoryUpdateLog(memory, () => 1_700_000_000_000),
)
