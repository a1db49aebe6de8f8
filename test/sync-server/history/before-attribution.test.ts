import { Level } from 'level'
import * as encoding from 'lib0/encoding'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { FileBlame } from '../../../client/http/api.ts'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { seal } from '../../../sync-server/storage/integrity/checksummed.ts'
import { seqKey } from '../../../sync-server/storage/integrity/level-keys.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { ask, member } from '../../support/auth/members.ts'
import { liveDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { copyOf } from '../../support/ops/lived-in.ts'
import type { ServerAt } from '../../support/server.ts'

const numbers = (...values: readonly (number | Uint8Array)[]): Uint8Array =>
  encoding.encode((to) => {
    for (const value of values) {
      if (typeof value === 'number') encoding.writeVarUint(to, value)
      else encoding.writeUint8Array(to, value)
    }
  })

/** Rewrites a data folder as the version before attribution and the record chain wrote it. */
const asBefore = async (data: string, withCheckpoint: boolean): Promise<string> => {
  const log = await LevelUpdateLog.open(data, Date.now)
  const { checkpoint, tail, seq } = await log.load('default')
  await log.close()
  const whole = Y.mergeUpdates(checkpoint === null ? tail : [checkpoint, ...tail])
  const old = copyOf(data)
  const db = new Level<string, Uint8Array>(old, { valueEncoding: 'view' })
  await db.open()
  for (const kind of ['u', 's', 'm', 'x']) await db.clear({ gt: `${kind}:`, lt: `${kind};` })
  if (withCheckpoint) await db.put('s:default', seal(numbers(1, seq, whole)))
  else {
    // All of it in the first record; the others hold no update.
    for (let n = 1; n <= seq; n++) {
      const updates = n === 1 ? [1, whole.length, whole] : [0]
      await db.put(seqKey('u:default', n), seal(numbers(1, 1_700_000_000_000, ...updates)))
    }
  }
  await db.close()
  return old
}

const blame = async (server: ServerAt) => {
  const path = '/api/workspaces/default/files/blame?key=a.md&deleted=true'
  const { data, error } = await ask<FileBlame>(server, path)
  expect(error).toBeUndefined()
  return data
}

it.each([
  ['records', false],
  ['a checkpoint', true],
])(
  '[BLAME-8] of what an older version stored as %s the author is known; the rest from now on',
  async (_, withCheckpoint) => {
    const first = await startHere()
    const [anna, ben] = [await member(first, 'anna'), await member(first, 'ben')]
    for (const { agent, headers } of [anna, ben]) {
      await ask(first, '/api/workspaces/default/register', { name: agent }, headers)
    }
    const put = (at: ServerAt, who: typeof anna, text: string) =>
      ask(at, '/api/workspaces/default/files/append', { key: 'a.md', text }, who.headers)
    await put(first, anna, 'one')
    await put(first, ben, 'two')
    await first.stop()
    const data = await asBefore(first.data, withCheckpoint)
    const server = await startHere({ data })
    const old = { task_id: null, via: null, at: null }
    const [line1, line2] = [
      { from_line: 1, to_line: 1, agent_id: 'anna', ...old },
      { from_line: 2, to_line: 2, agent_id: 'ben', ...old },
    ]
    expect((await blame(server)).ranges).toEqual([line1, line2])
    // A client that knew all of it sends it again.
    const copy = new Y.Doc()
    const ours = await liveDoc(`${server.sync}/default`, copy, anna.headers)
    await ours.client.close()
    const again = await liveDoc(`${server.sync}/default`, copy, ben.headers)
    await again.client.close()
    await put(server, anna, 'three')
    const line3 = { from_line: 3, to_line: 3, agent_id: 'anna', task_id: null, via: null }
    const { ranges, deleted } = await blame(server)
    expect(ranges).toEqual([line1, line2, { ...line3, at: expect.stringMatching(/^20/) }])
    expect(deleted).toEqual([])
    await server.stop()
    const report = await verifyFolder(data)
    expect(report.problems).toEqual([])
  },
)
