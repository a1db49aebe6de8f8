import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { StoreAddress } from '../../../sync-server/config/store-address.ts'
import { rowsOf } from '../../../sync-server/storage/postgres/rows.ts'
import * as sql from '../../../sync-server/storage/postgres/statements.ts'
import { runSeed, seeded } from '../client.ts'

/** Races until one is lost, at most (count): on busy cores few are close enough. */
const MOST_RACES = 2_000
/** Longest time before the fence falls (milliseconds). */
const FENCED_WITHIN_MS = 12

interface Races {
  address: StoreAddress
  /** `untilLost`: until a race is lost. */
  races: number | 'untilLost'
  /** Stores new rows under a fence. */
  statement: string
  /** Makes the tables. */
  open: () => Promise<unknown>
  /** Resolves to the writer's epoch of this race. */
  begin: (client: pg.Client) => Promise<string>
  /** Takes the writer its epoch. */
  fence: (client: pg.Client) => Promise<unknown>
}

/**
 * A writer stores records one after the other, and somebody fences it at a random moment and reads. Returns the races in
 * which a record was acknowledged that was not there to be read (count).
 */
export const fenceRaces = async ({ address, races, ...race }: Races): Promise<number> => {
  const random = seeded(runSeed('fence races'))
  await race.open()
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client(address.url)
    await client.connect()
    return client
  }
  const [writer, taker] = [await connect(), await connect()]
  let lost = 0
  const most = races === 'untilLost' ? MOST_RACES : races
  for (let i = 0; i < most && !(races === 'untilLost' && lost > 0); i++) {
    const epoch = await race.begin(taker)
    let acknowledged = 0
    const writing = (async () => {
      for (let n = 1; n < 5_000; n++) {
        const value = new Uint8Array([n & 255])
        const { bytes, places } = rowsOf([{ type: 'put', key: `u:${i}:${n}`, value }], false)
        const { rowCount } = await writer.query(race.statement, [epoch, bytes, ...places])
        if (rowCount === 0) return
        acknowledged = n
      }
    })()
    await pause(random() * FENCED_WITHIN_MS)
    await race.fence(taker)
    const range = [Buffer.from(`u:${i}:`), Buffer.from(`u:${i};`), null]
    const read = await taker.query(sql.keys(address.schema, false), range)
    await writing
    if (acknowledged > read.rows.length) lost++
  }
  await writer.end()
  await taker.end()
  return lost
}
