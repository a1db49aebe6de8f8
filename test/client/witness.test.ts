import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  readWitness,
  WitnessFile,
  witnessFiles,
  witnessPath,
} from '../../client/replica/witness.ts'
import { parseWitness } from '../../protocol/witness.ts'
import { until } from '../support/client.ts'
import { tempDir } from '../support/server.ts'

const head = (value: number) => new Uint8Array(32).fill(value)
const hex = (value: number) => Buffer.from(head(value)).toString('hex')

const newReplica = () => join(tempDir('witness'), 'r')
const open = (dir: string) => new WitnessFile(dir, 'w', Date.now)

it('[RECORD-6] the newest head is one line on disk, also without a close', async () => {
  const dir = newReplica()
  const witness = open(dir)
  witness.note(1, head(1))
  await until('it is written', () => readWitness(witnessPath(dir))?.seq === 1)
  for (let seq = 2; seq <= 50; seq++) witness.note(seq, head(seq))
  await until('the newest is written', () => readWitness(witnessPath(dir))?.seq === 50)
  expect(readFileSync(witnessPath(dir), 'utf8').trim().split('\n')).toHaveLength(1)
  witness.note(51, head(51))
  await witness.close()
  expect(readWitness(witnessPath(dir))).toMatchObject({ workspace: 'w', seq: 51, head: hex(51) })
  expect(witnessFiles(dir)).toEqual([witnessPath(dir)])
})

it('[RECORD-6] a head that contradicts the kept one sets that aside', async () => {
  const dir = newReplica()
  const first = open(dir)
  first.note(9, head(9))
  await first.close()
  const second = open(dir)
  second.note(9, head(9))
  second.note(10, head(10))
  await second.close()
  expect(witnessFiles(dir)).toHaveLength(1)
  const third = open(dir)
  third.note(4, head(4))
  third.note(5, head(5))
  await third.close()
  const kept = witnessFiles(dir).map((path) => readWitness(path)?.seq)
  expect(kept).toEqual([5, 10])
  const fourth = open(dir)
  fourth.note(5, head(6))
  await fourth.close()
  expect(witnessFiles(dir).map((path) => readWitness(path)?.head)).toEqual([
    hex(6),
    hex(10),
    hex(5),
  ])
})

it('[RECORD-6] a server that contradicts itself without end fills no folder', async () => {
  const dir = newReplica()
  for (let i = 100; i > 0; i--) {
    const witness = open(dir)
    witness.note(i, head(i))
    await witness.close()
  }
  expect(readdirSync(join(dir, '..')).length).toBeLessThan(10)
  expect(witnessFiles(dir).map((path) => readWitness(path)?.seq)).toContain(100)
})

it('[RECORD-6] a file with anything else in it is no witness', () => {
  const good = { workspace: 'w', seq: 1, head: hex(1), at: '2026-01-01T00:00:00.000Z' }
  expect(parseWitness(JSON.stringify(good))).toEqual(good)
  for (const bad of [
    ...['', '{', 'null', '[]', '1'],
    ...[{ seq: -1 }, { seq: 1.5 }, { seq: '1' }, { head: hex(1).slice(1) }, { workspace: 1 }].map(
      (change) => JSON.stringify({ ...good, ...change }),
    ),
  ]) {
    expect(parseWitness(bad), bad).toBeNull()
  }
})
