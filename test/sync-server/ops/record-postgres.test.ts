import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import * as Y from 'yjs'
import { Session } from '../../../client/session/session.ts'
import type { Witness } from '../../../protocol/witness.ts'
import { seal, unsealed } from '../../../sync-server/storage/integrity/checksummed.ts'
import { seqKey } from '../../../sync-server/storage/integrity/level-keys.ts'
import { sync } from '../../support/ops/commands.ts'
import { newSchema, onPostgres } from '../../support/postgres.ts'
import { startServer, targetOf, tempDir } from '../../support/server.ts'

const RECORDS = 12
const TIMEOUT_MS = 30_000

onPostgres('the record on PostgreSQL', (postgres) => {
  it('[RECORD-7] [RECORD-8] verifies with a witness after kill -9; it finds a changed, a swapped and a cut-off record', async () => {
    const url = newSchema(postgres().url)
    const server = await startServer({ args: ['--store', url, '--log-level', 'fatal'] })
    const doc = new Y.Doc()
    const state = { doc, commit: async () => {} }
    const session = new Session(targetOf(server.url), 'default', state, null)
    let witness: Witness | null = null
    session.onHead = ({ seq, head }) => {
      const hex = Buffer.from(head).toString('hex')
      witness = { workspace: 'default', seq, head: hex, at: '' }
    }
    for (let i = 0; i < RECORDS; i++) {
      doc.getText('file:f').insert(0, `text ${i} `)
      await session.barrier(TIMEOUT_MS)
    }
    await server.kill()
    session.close()
    const file = join(tempDir('witness'), 'w')
    writeFileSync(file, `${JSON.stringify(witness)}\n`)
    const verify = async (data = server.data) => {
      const args = ['--data', data, '--store', url, '--witness', file]
      const { code, stdout, stderr } = await sync('verify', ...args)
      return { code, said: stdout + stderr }
    }
    const { seq: last } = witness!
    const healthy = await verify()
    expect(healthy.said).toContain(`up to record ${last} is unchanged`)
    expect(healthy.code).toBe(0)

    const [base, schema] = url.split('?schema=') as [string, string]
    const client = new pg.Client({ connectionString: base })
    await client.connect()
    onTestFinished(() => client.end())
    const key = (seq: number) => Buffer.from(seqKey('u:default', seq))
    const table = `${schema}.kv`
    const recordAt = async (seq: number): Promise<Buffer> => {
      const { rows } = await client.query(`select v from ${table} where k = $1`, [key(seq)])
      return (rows[0] as { v: Buffer }).v
    }
    const put = (seq: number, value: Uint8Array) =>
      client.query(`update ${table} set v = $2 where k = $1`, [key(seq), Buffer.from(value)])
    const [middle, next] = [await recordAt(last - 5), await recordAt(last - 4)]

    const changed = Uint8Array.from(unsealed(middle)!)
    changed[changed.indexOf(0x74)] = 0x54 // the t of "text"
    await put(last - 5, seal(changed))
    const other = await verify()
    expect([other.code === 0, other.said]).toEqual([false, expect.stringContaining('witness saw')])

    await put(last - 5, next)
    await put(last - 4, middle)
    expect((await verify()).code).not.toBe(0)

    await put(last - 5, middle)
    await put(last - 4, next)
    expect((await verify()).code).toBe(0)
    await client.query(`delete from ${table} where k = $1`, [key(last)])
    expect((await verify()).code).not.toBe(0)
    // Without the folder, which notes the newest record, the witness alone tells.
    expect((await verify(tempDir('empty'))).said).toContain(
      `cut off at record ${last - 1}; the witness saw record ${last}`,
    )
  })
})
